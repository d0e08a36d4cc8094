/** The matrix as docs/MODEL-SERVERS.md has it: what each stand-in does in each situation, and what that was written from. */
import type { ServerProfile } from './profile.js';

const WAIT_MS = 2500;

export function matrixTable(servers: readonly ServerProfile[]): string {
  const cells = servers.map((each) => row([each.name, 'green', limitOf(each), notReadyOf(each), thoughtsOf(each), 'kept, exact']));
  const sources = servers.flatMap(({ name, sources: all }) => all.map(({ behaviour, url, read }) => row([name, behaviour, url, read])));
  return [
    row(['server', "demo's goal", 'a limit', 'not ready', 'thoughts', 'budget']),
    row(['---', '---', '---', '---', '---', '---']),
    ...cells,
    '',
    row(['server', 'behaviour', 'source', 'read']),
    row(['---', '---', '---', '---']),
    ...sources,
  ].join('\n');
}

const row = (cells: string[]): string => `| ${cells.join(' | ')} |`;

function limitOf({ limited, namesTime }: ServerProfile): string {
  return `${limited(WAIT_MS).status}, ${namesTime ? 'asked again when it said' : 'names no time: asked again after growing waits'}`;
}

function notReadyOf({ notReady }: ServerProfile): string {
  return notReady === 'unreachable' ? 'not reachable, waited for' : `${notReady(WAIT_MS).status}, waited for`;
}

const thoughtsOf = ({ demandsThoughts }: ServerProfile): string => (demandsThoughts ? 'demanded back: 400 without' : 'not demanded back');
