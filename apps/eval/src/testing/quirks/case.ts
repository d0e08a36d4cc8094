/** One fault of model servers: how the stand-in behaves, and what is right. The id is also the model's name. */
import type { RunRequestInput } from '@cadre/sdk';
import type { Behaviour } from '../said.js';

export interface Case {
  id: string;
  what: string;
  behave: Behaviour;
  options?: RunRequestInput['options'];
  /** Left out: the generalist. */
  agent?: string;
  right: Right;
}

export interface Right {
  /** Left out: completed. */
  status?: 'completed' | 'failed';
  /** Of the task. Left out: `There is one file.` */
  answer?: string | RegExp;
  /** Requests of the first run, refused ones included. Left out: two, a call and the answer. */
  requests?: number | { atMost: number };
  /** How many of them the server refused. Left out: none. */
  refused?: number | { atMost: number };
  /** What a second run asks: what was learned is remembered. */
  again?: { requests: number; refused: number };
  /** Left out: what the server has counted, at its prices. */
  costMicros?: number | 'any';
  code?: string;
  /** Stands in what the run shows: its view, its calls or its events. */
  shown?: RegExp;
  /** Of the log of requests. */
  sent?: (bodies: readonly import('../chat-body.js').ChatBody[]) => boolean;
}
