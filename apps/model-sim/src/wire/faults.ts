/**
 * Faults on request, for tests of those who call the server. `MODEL_SIM_FAULTS` is a list, parted by commas:
 *
 * - `malformed:2`: the first two final messages of each conversation are malformed, each request for repair counts one;
 * - a fault with a probability, as `429:0.1` (of each call, by chance from the seed), or by the number of the call, as `reset@3` or
 *   `500@5-8`;
 * - `seed:7`, `retry-after:2` (seconds, for 429 and 503), `slow-ms:500`.
 *
 * | fault | what the caller sees | work done |
 * | --- | --- | --- |
 * | `429`, `500`, `503` | that status; `Retry-After` with 429 and 503 if set | no |
 * | `refuse` | the connection is reset before any answer | no |
 * | `reset` | the same | yes |
 * | `hang` | no answer until the caller goes away | yes |
 * | `truncated` | half the body, then the connection closes | yes |
 * | `garbage` | status 200 and half a JSON document | yes |
 * | `slow` | the answer, late | yes |
 *
 * By chance means: by the seed, the key of the call and how often the key has come, so that the same calls meet the same faults in
 * whatever order they arrive. A call without a key has its number for a key.
 */
import { createHash } from 'node:crypto';
import { readConversation } from '../conversation.js';
import type { Reply } from '../respond.js';
import type { ChatRequest } from './request.js';

export const FAULT_KINDS = ['429', '500', '503', 'refuse', 'reset', 'hang', 'truncated', 'garbage', 'slow'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Faults {
  /** So many final messages of a conversation come malformed; each request for repair counts one. */
  malformed: number;
  seed: number;
  retryAfterSeconds: number | undefined;
  slowMs: number;
  /** In the order written; the first that applies is played. */
  chances: { kind: FaultKind; probability: number }[];
  /** By the number of the call, counted from 1. These go before chance. */
  script: { kind: FaultKind; first: number; last: number }[];
}

export const NO_FAULTS: Faults = { malformed: 0, seed: 1, retryAfterSeconds: undefined, slowMs: 500, chances: [], script: [] };

/** Reads a list of faults; undefined where the text names no known fault. */
export function parseFaults(text: string): Faults | undefined {
  const faults: Faults = { ...NO_FAULTS, chances: [], script: [] };
  const parts = text.split(',').map((part) => part.trim());
  return parts.every((part) => part === '' || readPart(part, faults)) ? faults : undefined;
}

function readPart(part: string, faults: Faults): boolean {
  const [, name = '', sign, first, last] = /^([a-z0-9-]+)([:@])(\d+(?:\.\d+)?)(?:-(\d+))?$/.exec(part) ?? [];
  if (sign === undefined) return false;
  const value = Number(first);
  const kind = FAULT_KINDS.find((known) => known === name);
  if (sign === '@') {
    if (kind === undefined || !Number.isInteger(value) || value < 1) return false;
    faults.script.push({ kind, first: value, last: last === undefined ? value : Number(last) });
    return true;
  }
  if (last !== undefined) return false;
  if (kind !== undefined) {
    if (value > 1) return false;
    faults.chances.push({ kind, probability: value });
    return true;
  }
  return readSetting(name, value, faults);
}

function readSetting(name: string, value: number, faults: Faults): boolean {
  if (name === 'retry-after') faults.retryAfterSeconds = value;
  else if (!Number.isInteger(value)) return false;
  else if (name === 'malformed' && value < 1000) faults.malformed = value;
  else if (name === 'seed') faults.seed = value;
  else if (name === 'slow-ms' && value <= 600_000) faults.slowMs = value;
  else return false;
  return true;
}

/**
 * The fault to play, if any.
 * @param call its number, counted from 1; its key, if it has one; and how often the key has come, this time included
 */
export function faultFor(faults: Faults, call: { number: number; key: string | undefined; times: number }): FaultKind | undefined {
  const scripted = faults.script.find(({ first, last }) => call.number >= first && call.number <= last);
  if (scripted) return scripted.kind;
  const name = call.key === undefined ? `#${call.number}` : `${call.key} ${call.times}`;
  return faults.chances.find(({ kind, probability }) => chance(`${faults.seed} ${kind} ${name}`) < probability)?.kind;
}

/** From 0 up to 1, the same for the same text. */
function chance(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}

/** Malformed final messages. */
export function applyFaults(reply: Reply, request: ChatRequest, faults: Faults): Reply {
  if (reply.toolCalls.length > 0 || faults.malformed === 0) return reply;
  const { repairs } = readConversation(request);
  if (repairs.length >= faults.malformed) return reply;
  return { ...reply, text: `Here is the result: ${reply.text.slice(0, Math.floor(reply.text.length / 2))}` };
}
