/** Our requests in the form of OpenAI's chat completions, in a dialect. */
import type { ModelMessage, ModelRequest } from '@cadre/agents';
import type { ChatCompletionCreateParams, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { Dialect } from '../dialect.js';
import { plainSchema } from '../plain-schema.js';
import { withSoundCalls } from '../reading/call-places.js';
import { withOpaque } from '../reading/opaque.js';
import { spoken } from '../reading/spoken.js';
import type { WireRequest } from '../wire-api.js';

type Body = Record<string, unknown> & Pick<ChatCompletionCreateParams, 'messages'>;
type Assistant = Extract<ModelMessage, { role: 'assistant' }>;

export function chatBody({ request, model, from, dialect, maxOutputTokens }: WireRequest): Body {
  const messages = withSoundCalls(told(request.messages, dialect), dialect.ids === 'own' ? from : undefined);
  const format = responseFormat(request, dialect);
  return {
    model,
    messages: messages.map((message) => chatMessage(message, from, dialect, dialect.toolNames ? toolOf(messages) : undefined)),
    [dialect.maxTokens]: maxOutputTokens,
    ...(dialect.temperature && { temperature: request.temperature }),
    ...(request.effort !== undefined && dialect.effort && { reasoning_effort: request.effort }),
    ...(request.tools.length > 0 && { tools: request.tools.map((tool) => functionOf(tool, dialect)) }),
    ...(format && { response_format: format }),
    ...(dialect.stream !== 'none' && { stream: true }),
    ...(dialect.stream === 'usage' && { stream_options: { include_usage: true } }),
  };
}

function functionOf({ name, description, parameters }: ModelRequest['tools'][number], { schemas }: Dialect): object {
  const plain = plainSchema(parameters, schemas);
  // OpenAI's API lets them be left out where there are none; Gemini refuses an object without properties ("should be non-empty for OBJECT
  // type").
  const isBare = schemas === 'plainest' && Object.keys(plain['properties'] ?? {}).length === 0;
  return { type: 'function', function: { name, description, ...(!isBare && { parameters: plain }) } };
}

function responseFormat({ responseSchema }: ModelRequest, { format, schemas }: Dialect): object | undefined {
  if (!responseSchema || format === 'none') return undefined;
  if (format === 'object') return { type: 'json_object' };
  // Not strict: strict schemas allow no optional fields.
  return {
    type: 'json_schema',
    json_schema: { name: responseSchema.name, schema: plainSchema(responseSchema.schema, schemas), strict: false },
  };
}

/** The messages as the dialect has them: none that is empty, instructions where they are taken, neighbours of one role as one. */
export function told(messages: readonly ModelMessage[], { system, turns }: Pick<Dialect, 'system' | 'turns'>): ModelMessage[] {
  const said = spoken(messages);
  const named = system === 'system' ? said : said.map((each): ModelMessage => (each.role === 'system' ? { ...each, role: 'user' } : each));
  if (turns === 'as-they-are' && system === 'system') return named;
  return named.reduce<ModelMessage[]>((all, message) => {
    const last = all.at(-1);
    const joins = message.role === 'user' && last?.role === 'user';
    return joins ? [...all.slice(0, -1), { role: 'user', text: `${last.text}\n\n${message.text}` }] : [...all, message];
  }, []);
}

function chatMessage(
  message: ModelMessage,
  from: string,
  dialect: Dialect,
  tools?: ReadonlyMap<string, string>,
): ChatCompletionMessageParam {
  if (message.role === 'tool') {
    const name = tools?.get(message.toolCallId);
    return { role: 'tool', tool_call_id: message.toolCallId, content: message.text, ...(name !== undefined && { name }) };
  }
  if (message.role !== 'assistant') return { role: message.role, content: message.text };
  return assistantMessage(message, message.from === from && dialect.opaque, dialect);
}

/** By the id of the call. */
function toolOf(messages: readonly ModelMessage[]): ReadonlyMap<string, string> {
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? message.toolCalls : []));
  return new Map(calls.map(({ id, name }) => [id, name]));
}

/** What Gemini takes for a call that it has not signed itself (ai.google.dev/gemini-api/docs/thought-signatures). */
const UNSIGNED = { extra_content: { google: { thought_signature: 'skip_thought_signature_validator' } } };

/** An empty text beside calls is refused by some (Claude: "text content blocks must be non-empty"), so there is none. */
function assistantMessage({ text, toolCalls, extra }: Assistant, isOwn: boolean, dialect: Dialect): ChatCompletionMessageParam {
  const { bare, noThoughts } = dialect;
  const { content: parts, ...given } = (isOwn && extra) || {};
  const fields = noThoughts === 'empty' && toolCalls.length > 0 ? { reasoning_content: '', ...given } : given;
  const content = parts ?? (text.trim() === '' ? (bare === 'text' ? '' : null) : text);
  const isSigned = isOwn && toolCalls.some((call) => call.extra);
  const calls = toolCalls.map((call, index) => {
    const ours = { id: call.id, type: 'function' as const, function: { name: call.name, arguments: call.arguments } };
    const marked = noThoughts === 'unsigned' && index === 0 && !isSigned ? { ...ours, ...UNSIGNED } : ours;
    return isOwn ? withOpaque(marked, call.extra) : marked;
  });
  return withOpaque(
    { role: 'assistant' as const, content, ...(calls.length > 0 && { tool_calls: calls }) },
    fields,
  ) as ChatCompletionMessageParam;
}
