/**
 * Reads a chat request as a conversation of the agent loop: the task (the user's JSON), the tool results so far, and repairs. Nothing here
 * trusts its input: tool results may be errors, cut off, or missing, and a request may come from someone who never heard of Cadre.
 */
import { ResultSchema } from '@cadre/contracts';
import { z } from 'zod';
import type { ChatRequest } from './wire/request.js';

const Result = z.object({
  taskId: z.string(),
  title: z.string().default(''),
  status: z.string().default('completed'),
  agent: z.string().optional(),
  answer: z.string().optional(),
  confidence: z.number().optional(),
  artifacts: z.array(z.string()).default([]),
  error: z.string().optional(),
  missing: z.array(z.string()).default([]),
});
export type Result = z.infer<typeof Result>;

const CatalogueEntry = z.object({ name: z.string(), description: z.string().default(''), skills: z.array(z.string()).default([]) });

/** The first user message of an agent's conversation. */
export const Brief = z.object({
  kind: z.enum(['plan', 'work', 'answer']),
  agent: z.string().default('generalist'),
  goal: z.string().default(''),
  task: z
    .object({
      id: z.string().default('task'),
      title: z.string().default(''),
      instructions: z.string().default(''),
      resultSchema: ResultSchema.optional().catch(undefined),
    })
    .default({ id: 'task', title: '', instructions: '' }),
  inputs: z.array(z.object({ name: z.string(), size: z.number().default(0), mediaType: z.string().default('') })).default([]),
  results: z.array(Result).default([]),
  account: z.object({ parts: z.array(z.object({ part: z.number(), text: z.string() })) }).optional(),
  previousError: z.string().optional(),
  catalogue: z.array(CatalogueEntry).optional(),
});
export type Brief = z.infer<typeof Brief>;

/** What an agent remembers, told before its task; or what is to be summed up. */
const Memory = z.object({
  summary: z.string().optional(),
  messages: z.array(z.object({ task: z.string(), asked: z.string().optional(), answered: z.string().optional() })),
});

/** One tool call that has its result. */
export interface ToolTurn {
  name: string;
  /** Arguments as canonical JSON; see `canonical`. */
  args: string;
  result: unknown;
}

export interface Conversation {
  /** Undefined if the request is not an agent's. */
  brief: Brief | undefined;
  /** What the agent remembers. */
  memory?: z.infer<typeof Memory> | undefined;
  /** What of a memory is to be summed up: no agent asks then, but its worker. */
  summarise?: z.infer<typeof Memory> | undefined;
  granted: ReadonlySet<string>;
  turns: ToolTurn[];
  repairs: string[];
  /** Text of the last user message. */
  lastUserText: string;
}

/** JSON with sorted keys, so that equal arguments are equal text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Parses JSON; undefined where the text is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The text of a message's content, which may be a string, a list of parts or nothing. */
export function contentText(content: ChatRequest['messages'][number]['content']): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join('\n');
}

export function readConversation(request: ChatRequest): Conversation {
  const users = request.messages.filter((message) => message.role === 'user').map((message) => contentText(message.content));
  const briefs = users.map((text) => Brief.safeParse(parseJson(text))).filter((parsed) => parsed.success);
  const granted = request.tool_choice === 'none' ? [] : (request.tools ?? []).map((tool) => tool.function.name);
  return {
    brief: briefs[0]?.data,
    memory: memoryOf(users, 'memory'),
    summarise: memoryOf(users, 'summarise'),
    granted: new Set(granted),
    turns: readTurns(request),
    repairs: users.map(repairOf).filter((repair) => repair !== undefined),
    lastUserText: users.at(-1) ?? '',
  };
}

function memoryOf(users: readonly string[], field: 'memory' | 'summarise'): z.infer<typeof Memory> | undefined {
  const found = users.map((text) => z.object({ [field]: Memory }).safeParse(parseJson(text))).find((parsed) => parsed.success);
  return found?.data?.[field];
}

function repairOf(text: string): string | undefined {
  const parsed = z.object({ repair: z.string() }).safeParse(parseJson(text));
  return parsed.success ? parsed.data.repair : undefined;
}

function readTurns(request: ChatRequest): ToolTurn[] {
  const results = new Map<string, string>();
  for (const message of request.messages) {
    if (message.role === 'tool' && message.tool_call_id !== undefined) results.set(message.tool_call_id, contentText(message.content));
  }
  const turns: ToolTurn[] = [];
  for (const call of request.messages.flatMap((message) => message.tool_calls ?? [])) {
    const text = results.get(call.id);
    if (text === undefined) continue;
    const args = canonical(parseJson(call.function.arguments) ?? null);
    turns.push({ name: call.function.name, args, result: parseJson(text) ?? { error: 'the tool did not answer with JSON' } });
  }
  return turns;
}
