/**
 * What a stand-in of one model server is made of: a wire, refusals, waits, usage and prices, each with the document that it was written
 * from.
 */
import type { ApiName } from '@cadre/models';
import type { ChatRequest } from '../../../../model-sim/src/wire/request.js';

/** What a behaviour was written from. */
export interface Source {
  behaviour: string;
  url: string;
  /** The day it was looked up, `2026-12-01`. */
  read: string;
}

/** What the server turns a request away with. */
export interface Refusal {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** What a thinking model gives with a turn: words, and a seal that only the server understands. */
export interface Thought {
  text: string;
  seal: string;
}

/** One turn of the model, before it is on a wire. */
export interface Turn {
  text: string;
  calls: { id: string; name: string; arguments: string }[];
  cut: boolean;
  thought?: Thought;
}

/** Tokens of one answer. */
export interface Counts {
  /** The whole prompt; of it from the cache, and written to it. */
  prompt: number;
  cached: number;
  written: number;
  /** All that was written, thoughts included. */
  output: number;
  reasoning: number;
}

/** US dollars per million tokens. */
export interface Rates {
  input: number;
  output: number;
  cachedInput?: number;
  cacheWrite?: number;
}

export type Body = Record<string, unknown>;

/** A request as the server sees it. */
export interface Asked {
  body: Body;
  headers: Record<string, string | undefined>;
  /** Whether the model thinks. */
  thinks: boolean;
  /** What this server gave with the turn that made this call; undefined: nothing. */
  thoughtOf(callId: string): Thought | undefined;
}

export interface Answer {
  /** Of a stream, each a whole event; left out: the answer is in one piece. */
  events?: string[];
  body?: unknown;
}

/** How the deterministic model's turns are put on the wire. */
export interface Wire {
  /** Behind the base. */
  path: string;
  /** In the form that the deterministic model reads. */
  read(body: Body): ChatRequest;
  callId(n: number): string;
  answer(turn: Turn, counts: Counts, body: Body): Answer;
}

/** A request that the real server refuses, made of one that it takes. */
export interface Violation {
  what: string;
  change(body: Body): void;
  status: number;
  words: RegExp;
}

export interface ServerProfile {
  id: string;
  name: string;
  api: ApiName;
  /** Path of the API. */
  base: string;
  model: string;
  rates: Rates;
  /** The price is not published for a server at another address, so the operator sets it. */
  isPricedByOperator?: true;
  /** What the operator sends with each request. */
  extra?: Record<string, string | number | boolean | object>;
  wire: Wire;
  /** By the server's documents; undefined: the request is taken. */
  refuses(asked: Asked): Refusal | undefined;
  /** A limit that ends in so many milliseconds. */
  limited(leftMs: number): Refusal;
  /** Whether a limit names its end, by header or in the body. */
  namesTime: boolean;
  /** It is not ready: loading, starting, overloaded. `unreachable`: its port is not open yet. */
  notReady: ((leftMs: number) => Refusal) | 'unreachable';
  /** What is refused once, and learnt from, where the model does not think. */
  learns?: RegExp;
  /** Of what a thinking model gives, what has to come back with the results of its calls. */
  demandsThoughts: boolean;
  violations: readonly Violation[];
  sources: readonly Source[];
}

/** Fields that are not among those that the server documents. */
export function unknownField(value: object, known: readonly string[]): string | undefined {
  return Object.keys(value).find((field) => !known.includes(field));
}

/** Seconds, rounded up, as `Retry-After` has them. */
export const seconds = (ms: number): string => String(Math.max(1, Math.ceil(ms / 1000)));
