/** A request for several tasks at once, taken apart into one for each: it is answered as each of them would have been alone. */
import { z } from 'zod';
import { contentText, parseJson } from './conversation.js';
import type { ChatRequest } from './wire/request.js';

const Several = z.looseObject({ tasks: z.array(z.looseObject({ number: z.int() })).min(1) });
const Schema = z.looseObject({ properties: z.looseObject({ answers: z.looseObject({ items: z.record(z.string(), z.unknown()) }) }) });

type Fields = Record<string, unknown>;

/** The single requests by the numbers of their tasks; undefined where the request is for one. */
export function severalTasks(request: ChatRequest): { number: number; request: ChatRequest }[] | undefined {
  const last = request.messages.at(-1);
  const parsed = last?.role === 'user' ? Several.safeParse(parseJson(contentText(last.content))) : undefined;
  if (!parsed?.success) return undefined;
  const { tasks, ...shared } = parsed.data;
  const format = singleFormat(request.response_format);
  return tasks.map(({ number, ...own }) => {
    const messages = [...request.messages.slice(0, -1), { role: 'user' as const, content: JSON.stringify(laidOver(shared, own)) }];
    return { number, request: { ...request, messages, response_format: format } };
  });
}

/** What a task has of its own adds to what it has in common, also within fields that are objects. */
function laidOver(shared: Fields, own: Fields): Fields {
  const fields = Object.entries(own).map(([name, value]) => {
    const common = shared[name];
    return [name, isFields(common) && isFields(value) ? laidOver(common, value) : value] as const;
  });
  return { ...shared, ...Object.fromEntries(fields) };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function singleFormat(format: ChatRequest['response_format']): ChatRequest['response_format'] {
  const schema = format?.type === 'json_schema' ? Schema.safeParse(format.json_schema.schema) : undefined;
  return schema?.success ? { type: 'json_schema', json_schema: { name: 'reply', schema: schema.data.properties.answers.items } } : format;
}
