/** What models are told of the form of things: of their last message, and of the arguments of tools. */
import { AgentReply, ThoughtReply } from '@cadre/contracts';
import type { Assignment, Json } from '@cadre/contracts';
import { z } from 'zod';
import { PartClaim } from './part-claim.js';
import { PlanReply } from './planned/planned-task.js';

const thoughtful = <T extends z.ZodRawShape>(shape: T) => z.object({ thinking: ThoughtReply.optional(), ...shape });
const AnswerReply = AgentReply.extend({ parts: z.array(PartClaim) });
const REPLIES = { plan: PlanReply, reply: AgentReply, answer: AnswerReply };
const THINKING_REPLIES = {
  plan: thoughtful(PlanReply.shape),
  reply: thoughtful(AgentReply.shape),
  answer: thoughtful(AnswerReply.shape),
};

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
