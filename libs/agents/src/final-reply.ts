/** Reads an agent's last message: one JSON object, bare, in a code fence, or with words around it. */
import { AgentReply, ThoughtReply } from '@cadre/contracts';
import type { AgentSummary, Assignment, Json, Plan } from '@cadre/contracts';
import { z } from 'zod';
import type { Claim } from '@cadre/engine';
import { PartClaim, claimsOf } from './answer-account.js';
import { describeFaults } from './describe-faults.js';
import { PlanReply } from './planned/planned-task.js';
import { readPlan } from './planned/read-plan.js';
import { namedMissing } from './named-missing.js';

const thoughtful = <T extends z.ZodRawShape>(shape: T) => z.object({ thinking: ThoughtReply.optional(), ...shape });
const AnswerReply = AgentReply.extend({ parts: z.array(PartClaim) });
const REPLIES = { plan: PlanReply, reply: AgentReply, answer: AnswerReply };
const THINKING_REPLIES = {
  plan: thoughtful(PlanReply.shape),
  reply: thoughtful(AgentReply.shape),
  answer: thoughtful(AnswerReply.shape),
};

export interface FinalReply {
  answer: string;
  confidence: number;
  /** What was asked for and is not in the answer. */
  missing?: string[];
  /** Of the answer: where the parts of the goal are done. */
  claims?: Claim[];
  plan?: { plan: Plan; note?: string };
}

/** `malformed`: not the object asked for. `invalid-plan`: the object asked for, but its plan cannot be carried out. */
export type FinalReading = { ok: true; reply: FinalReply } | { ok: false; fault: 'malformed' | 'invalid-plan'; why: string };

/**
 * What the model server is asked to keep to.
 * @param thinks whether the object may carry thoughts; these come first, so that they lead to the rest
 * @param accounts whether it says where the parts of the goal are done
 */
export function responseSchemaFor(
  kind: Assignment['kind'],
  thinks = false,
  accounts = false,
): { name: string; schema: { readonly [key: string]: Json } } {
  const name = kind === 'plan' ? 'plan' : accounts ? 'answer' : 'reply';
  return { name, schema: jsonSchemaOf(thinks ? THINKING_REPLIES[name] : REPLIES[name]) };
}

/** Each is made once: an attempt has a dozen of them, and they take longer than all else that it prepares. */
const made = new WeakMap<z.ZodType, { readonly [key: string]: Json }>();

/** The JSON Schema of what a model may send, where defaults may be left out. The same schema is given the same object. */
export function jsonSchemaOf(schema: z.ZodType): { readonly [key: string]: Json } {
  let known = made.get(schema);
  if (known === undefined) {
    const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    made.set(schema, (known = rest as { [key: string]: Json }));
  }
  return known;
}

/** @param catalogue for plans: the agents that may be counted on; without it skills and names are not checked */
export function readFinal(text: string, kind: Assignment['kind'], catalogue?: AgentSummary[]): FinalReading {
  const found = finalObject(text);
  if (found === undefined) {
    const shape = kind === 'plan' ? '{"plan": {"tasks": [...]}}' : '{"answer": "...", "confidence": 0.0}';
    return { ok: false, fault: 'malformed', why: `Your message was not one JSON object. Send only ${shape}.` };
  }
  return kind === 'plan' ? planned(found, catalogue) : readReply(found);
}

function readReply(found: object): FinalReading {
  const parsed = AgentReply.safeParse(found);
  if (parsed.success) {
    const { answer, confidence } = parsed.data;
    const missing = namedMissing(parsed.data.missing ?? []);
    const claims = claimsOf(found);
    return { ok: true, reply: { answer, confidence, ...(missing && { missing }), ...(claims.length > 0 && { claims }) } };
  }
  return { ok: false, fault: 'malformed', why: `Your JSON object is not as asked for. ${describeFaults(parsed.error)}` };
}

function planned(found: object, catalogue: AgentSummary[] | undefined): FinalReading {
  const reading = readPlan(found, catalogue);
  if (!reading.ok) return { ok: false, fault: 'invalid-plan', why: reading.why };
  const { plan, note, confidence } = reading.read;
  const answer =
    note ??
    `A plan of ${plan.tasks.length} ${plan.tasks.length === 1 ? 'task' : 'tasks'}: ${plan.tasks.map((task) => task.title).join(', ')}.`;
  return { ok: true, reply: { answer, confidence: confidence ?? 1, plan: { plan, ...(note !== undefined && { note }) } } };
}

/** The JSON object of a final message, if it has one. */
export function finalObject(text: string): object | undefined {
  return candidates(text).flatMap(parseObject)[0];
}

function candidates(text: string): string[] {
  const fenced = [...text.matchAll(/```[A-Za-z]*[ \t]*\r?\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  const [open, close] = [text.indexOf('{'), text.lastIndexOf('}')];
  return [text, ...fenced.reverse(), ...(open >= 0 && close > open ? [text.slice(open, close + 1)] : [])];
}

function parseObject(text: string): object[] {
  try {
    const value: unknown = JSON.parse(text.trim());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? [value] : [];
  } catch {
    return [];
  }
}
