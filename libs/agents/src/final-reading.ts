/** What an agent's last message is asked to be, and what is read of it. */
import type { Plan, ResultMark } from '@cadre/contracts';
import type { Claim } from '@cadre/engine';

export interface FinalReply {
  answer: string;
  /** Left out: not known. */
  confidence?: number;
  mark?: ResultMark;
  /** What was asked for and is not in the answer. */
  missing?: string[];
  /** Of the answer: where the parts of the goal are done. */
  claims?: Claim[];
  plan?: { plan: Plan; note?: string };
}

/** `malformed`: not what was asked for. `invalid-plan`: the object asked for, but its plan cannot be carried out. */
export type FinalReading = { ok: true; reply: FinalReply } | { ok: false; fault: 'malformed' | 'invalid-plan'; why: string };

/**
 * What an agent is asked for: `markdown`, its answer as it is to be read, with a last line on its confidence; `json`, one object that holds
 * it, as where the server is asked to keep to a form. `any`: it was asked for an object in vain, and its words are taken as they are.
 */
export type ReplyForm = AskedForm | 'any';
export type AskedForm = 'markdown' | 'json';
