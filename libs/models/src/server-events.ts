/** Parts a stream of server-sent events (html.spec.whatwg.org, "event stream interpretation") into its events, however the bytes come. */
import type { ServerEvent } from './wire-api.js';

/** A line longer than this is no event of a model server. */
const MAX_LINE = 32 * 1024 * 1024;

export class EventReader {
  private rest = '';
  private name = '';
  private data: string[] = [];

  /** @returns the events that are whole now. Throws where a line has no end. */
  add(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? '';
    if (this.rest.length > MAX_LINE) throw new Error('the stream has a line without an end');
    for (const line of lines) {
      const event = this.line(line);
      if (event) events.push(event);
    }
    return events;
  }

  /** What the stream ended with. Some servers leave out the empty line behind the last event. */
  end(): ServerEvent[] {
    const last = this.rest === '' ? undefined : this.line(this.rest);
    this.rest = '';
    const pending = this.line('');
    return [last, pending].filter((event) => event !== undefined);
  }

  private line(line: string): ServerEvent | undefined {
    if (line === '' || line === '\r') {
      const event = this.data.length > 0 ? { name: this.name || 'message', data: this.data.join('\n') } : undefined;
      [this.name, this.data] = ['', []];
      return event;
    }
    const [, field, value = ''] = /^([^:]*):? ?([\s\S]*)$/.exec(line) ?? [];
    if (field === 'event') this.name = value;
    if (field === 'data') this.data.push(value);
    return undefined;
  }
}
