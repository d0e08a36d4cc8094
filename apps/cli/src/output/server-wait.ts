/** What a task waits for whose model server limits, loads or cannot be reached. */
import { moment } from './figures.js';

export interface ServerWait {
  /** When it is asked again, in milliseconds since 1970. */
  until: number;
  /** The server's own. */
  words: string;
}

/**
 * `waits for the model server until 12:03:10: The model server at … answered 503: Loading model`; @param now the day of other times is told
 */
export function serverWaitText({ until, words }: ServerWait, now: number): string {
  const [day, time] = moment(until).split(' ');
  const when = moment(now).startsWith(`${day} `) ? time : `${day} ${time}`;
  return `waits for the model server until ${when}: ${words}`;
}
