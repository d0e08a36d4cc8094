/** `cadre event`. */
import { EventType } from '@cadre/contracts';
import type { EventInput } from '@cadre/sdk';
import { EXIT } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import type { Terminal } from '../terminal.js';
import { clientFor, parseJson } from './options.js';

export interface SendFlags {
  url?: string;
  data?: string;
  id?: string;
  source?: string;
}

export async function sendEvent(type: string, flags: SendFlags, terminal: Terminal): Promise<number> {
  if (!EventType.safeParse(type).success)
    throw new UsageError(`${JSON.stringify(type)} is no type of an event.`, 'Write words with dots between them, as in order.paid.');
  const event: EventInput = {
    type,
    source: flags.source ?? '/cli',
    ...(flags.id === undefined ? {} : { id: flags.id }),
    ...(flags.data === undefined ? {} : { data: parseJson('--data', flags.data, '{"amount": 120}') }),
  };
  const { id } = await clientFor(flags.url, terminal).sendEvent(event);
  terminal.err(`Event ${id} is stored; who waits for ${type} gets it.`);
  return EXIT.ok;
}
