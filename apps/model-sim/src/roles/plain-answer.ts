/** What somebody gets who talks to the server without being an agent of Cadre. */
import { z } from 'zod';
import type { ChatRequest } from '../wire/request.js';

const TEXT =
  "This is Cadre's deterministic model server, not a language model. It works as the agents of Cadre by fixed rules and real tool results, and cannot answer free questions. " +
  'Set OPENAI_BASE_URL and OPENAI_API_KEY to use a language model instead.';

/** Plain text, or the smallest JSON that fits the form asked for. */
export function plainAnswer(lastUserText: string, format: ChatRequest['response_format']): string {
  const words = lastUserText.trim().split(/\s+/).filter(Boolean).length;
  const text = words === 0 ? TEXT : `${TEXT} (The last message had ${words} ${words === 1 ? 'word' : 'words'}.)`;
  if (format === undefined || format.type === 'text') return text;
  if (format.type === 'json_object') return JSON.stringify({ answer: text, confidence: 0 });
  return JSON.stringify(instanceOf(format.json_schema.schema ?? {}, text, 0));
}

const Schema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  items: z.unknown().optional(),
  minItems: z.number().optional(),
  minimum: z.number().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
});

/** A small value of a JSON Schema; required properties only. */
function instanceOf(schema: unknown, text: string, depth: number): unknown {
  const parsed = Schema.safeParse(schema);
  if (!parsed.success || depth > 20) return null;
  const { data } = parsed;
  if (data.const !== undefined) return data.const;
  if (data.enum !== undefined) return data.enum[0] ?? null;
  const choice = data.anyOf?.[0] ?? data.oneOf?.[0];
  if (choice !== undefined) return instanceOf(choice, text, depth + 1);
  const type = Array.isArray(data.type) ? data.type[0] : data.type;
  if (type === 'string') return text;
  if (type === 'number' || type === 'integer') return Math.max(0, Math.ceil(data.minimum ?? 0));
  if (type === 'boolean') return false;
  if (type === 'null') return null;
  if (type === 'array') return Array.from({ length: data.minItems ?? 0 }, () => instanceOf(data.items, text, depth + 1));
  const names = data.required ?? Object.keys(data.properties ?? {});
  return Object.fromEntries(names.map((name) => [name, instanceOf(data.properties?.[name], text, depth + 1)]));
}
