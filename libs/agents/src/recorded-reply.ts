/** A model's reply as its record holds it: what the loop uses of it, in the same form when it comes fresh from the model. */
import { CadreError, Json } from '@cadre/contracts';
import { z } from 'zod';
import type { Extra, ModelReply } from './ports.js';
import { whole } from './settlement.js';

const RecordedExtra = z.record(z.string(), Json);

const RecordedReply = z.object({
  model: z.string(),
  text: z.string().default(''),
  toolCalls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string(), extra: RecordedExtra.optional() })).default([]),
  finish: z.enum(['stop', 'tool-calls', 'length', 'refusal']).default('stop'),
  inputTokens: z.int().nonnegative(),
  cachedInputTokens: z.int().nonnegative().optional(),
  cacheWriteTokens: z.int().nonnegative().optional(),
  outputTokens: z.int().nonnegative(),
  from: z.string().optional(),
  extra: RecordedExtra.optional(),
  reasoning: z.string().optional(),
  reasoningTokens: z.int().nonnegative().optional(),
  tasks: z.int().min(2).optional(),
  estimated: z.literal(true).optional(),
  costMicros: z.int().nonnegative(),
  priced: z.boolean().default(true),
});

/** Longest reasoning of one reply that is kept, in characters. */
const MAX_REASONING = 50_000;
/** What only the server understands is kept whole or not at all; as JSON, in characters. */
const MAX_EXTRA = 2_000_000;

/** The reply with counts that are counts. @param thinks whether the reasoning of the model server is kept */
export function soundReply(raw: ModelReply, thinks: boolean): ModelReply {
  const { model, text, toolCalls, finish, from, tasks, estimated, priced, warning } = raw;
  const used = { inputTokens: whole(raw.inputTokens), outputTokens: whole(raw.outputTokens), costMicros: whole(raw.costMicros) };
  return {
    model,
    text,
    toolCalls: toolCalls.map(({ id, name, arguments: args, extra }) => ({ id, name, arguments: args, ...extraOf(extra) })),
    finish,
    ...used,
    ...cachedOf(raw),
    ...(from !== undefined && { from }),
    ...extraOf(raw.extra),
    ...(thinks && reasoningOf(raw)),
    ...(tasks !== undefined && { tasks }),
    ...(estimated && { estimated: true as const }),
    priced,
    ...(warning !== undefined && { warning }),
  };
}

function extraOf(extra: Extra | undefined): { extra?: Extra } {
  return extra && JSON.stringify(extra).length <= MAX_EXTRA ? { extra } : {};
}

function cachedOf({ cachedInputTokens, cacheWriteTokens }: ModelReply): Pick<ModelReply, 'cachedInputTokens' | 'cacheWriteTokens'> {
  return {
    ...(cachedInputTokens !== undefined && { cachedInputTokens: whole(cachedInputTokens) }),
    ...(cacheWriteTokens !== undefined && { cacheWriteTokens: whole(cacheWriteTokens) }),
  };
}

function reasoningOf({ reasoning, reasoningTokens }: ModelReply): Pick<ModelReply, 'reasoning' | 'reasoningTokens'> {
  return {
    ...(reasoning !== undefined && { reasoning: reasoning.slice(0, MAX_REASONING).toWellFormed() }),
    ...(reasoningTokens !== undefined && { reasoningTokens: whole(reasoningTokens) }),
  };
}

/** What is the default is left out: most replies then fit into the log itself. */
export function writeReply({ text, toolCalls, finish, priced, warning: _, ...rest }: ModelReply): string {
  return JSON.stringify({
    ...rest,
    ...(text !== '' && { text }),
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(finish !== 'stop' && { finish }),
    ...(!priced && { priced }),
  });
}

/** Error `record-unreadable`. */
export function readReply(text: string): ModelReply {
  try {
    return withoutGaps(RecordedReply.parse(JSON.parse(text)));
  } catch (cause) {
    throw new CadreError('record-unreadable', 'The record of a model call is not as this worker knows it.', { cause });
  }
}

/** A field that is not there and one that is undefined are not the same in a message. */
function withoutGaps({ toolCalls, ...reply }: z.infer<typeof RecordedReply>): ModelReply {
  const calls = toolCalls.map((call) => withoutUndefined(call) as ModelReply['toolCalls'][number]);
  return { ...withoutUndefined(reply), toolCalls: calls } as ModelReply;
}

function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}

/** One line for people. */
export function describeReply(reply: ModelReply): string {
  const line = reply.estimated ? `${describeFinish(reply)} (tokens estimated)` : describeFinish(reply);
  return reply.warning === undefined ? line : `${line}. ${reply.warning}`;
}

function describeFinish(reply: ModelReply): string {
  if (reply.tasks !== undefined) return `${reply.text === '' ? 'no answer' : 'final message'}, one of ${reply.tasks} tasks in a call`;
  if (reply.finish === 'refusal') return 'refused';
  if (reply.toolCalls.length > 0) return `calls ${reply.toolCalls.map((call) => call.name).join(', ')}`;
  return reply.finish === 'length' ? 'cut off at the output limit' : 'final message';
}
