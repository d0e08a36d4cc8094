/** The calls that simulated agents make. */
import { createHash } from 'node:crypto';
import { Dice } from '../chance.js';

export const TOOLS = { look: 'none', put: 'idempotent', pay: 'once' } as const;
/** Models with a price: the most that one call costs. */
export const MODELS = { dear: 400, cheap: 60 } as const;

/** What a call by that name does to the world. */
export function effectOf(name: string): 'none' | 'idempotent' | 'once' {
  return Object.hasOwn(TOOLS, name) ? TOOLS[name as keyof typeof TOOLS] : 'none';
}

/** Chance that depends on a text only. */
export function diceOf(text: string): Dice {
  return new Dice(createHash('md5').update(text).digest().readInt32LE(0), 7);
}
