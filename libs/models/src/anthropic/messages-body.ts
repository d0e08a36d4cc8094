/** Our requests in the form of Anthropic's Messages API (platform.claude.com/docs/en/api/messages, read in November 2026). */
import type { ContentBlockParam, MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';
import type { ModelMessage } from '@cadre/agents';
import { plainSchema } from '../plain-schema.js';
import type { Schema } from '../plain-schema.js';
import { withSoundCalls } from '../reading/call-places.js';
import { isObject, parsedJson } from '../reading/json-spans.js';
import { spoken } from '../reading/spoken.js';
import type { WireRequest } from '../wire-api.js';

type Assistant = Extract<ModelMessage, { role: 'assistant' }>;
type Body = Record<string, unknown> & Pick<MessageCreateParams, 'messages'>;

/** With a temperature goes no thinking; an effort turns thinking on where the model has it. */
export function messagesBody({ request, model, from, dialect, maxOutputTokens }: WireRequest): Body {
  const messages = withSoundCalls(spoken(request.messages), dialect.ids === 'own' ? from : undefined);
  const system = messages.flatMap((each) => (each.role === 'system' ? [each.text] : [])).join('\n\n');
  const effort = dialect.effort ? request.effort : undefined;
  const format =
    request.responseSchema && dialect.format === 'schema' ? plainSchema(request.responseSchema.schema, dialect.schemas) : undefined;
  const config = { ...(effort !== undefined && { effort }), ...(format && { format: { type: 'json_schema', schema: closed(format) } }) };
  return {
    model,
    max_tokens: maxOutputTokens,
    ...(system !== '' && { system }),
    messages: inTurns(
      messages
        .filter(({ role }) => role !== 'system')
        .map((each) => turnOf(each, each.role === 'assistant' && each.from === from && dialect.opaque)),
    ),
    ...(dialect.temperature && effort === undefined && { temperature: Math.min(1, request.temperature) }),
    ...(request.tools.length > 0 && {
      tools: request.tools.map(({ name, description, parameters }) => ({
        name,
        description,
        input_schema: plainSchema(parameters, dialect.schemas),
      })),
    }),
    ...(Object.keys(config).length > 0 && { output_config: config }),
    ...(dialect.stream !== 'none' && { stream: true }),
  };
}

interface Turn {
  role: 'user' | 'assistant';
  content: ContentBlockParam[];
}

/** All results of a turn stand in one message, and neighbours of one role are one. */
function inTurns(turns: Turn[]): Turn[] {
  return turns.reduce<Turn[]>((all, turn) => {
    const last = all.at(-1);
    if (last?.role !== turn.role) return [...all, turn];
    return [...all.slice(0, -1), { role: turn.role, content: [...last.content, ...turn.content] }];
  }, []);
}

function turnOf(message: ModelMessage, isOwn: boolean): Turn {
  if (message.role === 'tool') return { role: 'user', content: [resultOf(message)] };
  if (message.role !== 'assistant') return { role: 'user', content: [{ type: 'text', text: message.text || '(nothing)' }] };
  const sealed = isOwn ? message.extra?.['content'] : undefined;
  return { role: 'assistant', content: Array.isArray(sealed) ? sealedBlocks(message, sealed) : plainBlocks(message) };
}

function resultOf({ toolCallId, text }: Extract<ModelMessage, { role: 'tool' }>): ContentBlockParam {
  return { type: 'tool_result', tool_use_id: toolCallId, ...(text !== '' && { content: text }) };
}

/** Text blocks that are empty are refused, and white space at the end of the last one. */
function plainBlocks({ text, toolCalls }: Assistant): ContentBlockParam[] {
  const words = text.trim();
  const calls = toolCalls.map(({ id, name, arguments: args }): ContentBlockParam => ({ type: 'tool_use', id, name, input: inputOf(args) }));
  return [...(words === '' ? [] : [{ type: 'text' as const, text: words }]), ...calls];
}

/** As they came, in their order: thoughts are signed, and count only where they stood. Calls have the ids that the conversation has. */
function sealedBlocks({ toolCalls }: Assistant, blocks: unknown[]): ContentBlockParam[] {
  const calls = [...toolCalls];
  return blocks.filter(isObject).flatMap((block) => {
    if (block['type'] === 'text' && String(block['text'] ?? '').trim() === '') return [];
    const call = block['type'] === 'tool_use' ? calls.shift() : undefined;
    return [(call ? { ...block, id: call.id, name: call.name } : block) as unknown as ContentBlockParam];
  });
}

function inputOf(args: string): Record<string, unknown> {
  const value = parsedJson(args);
  return isObject(value) ? value : {};
}

/** Structured outputs want each object to be closed. */
function closed(schema: Schema): Schema {
  const inner = Object.entries(schema).map(([key, value]) => {
    if (key === 'properties' && isObject(value))
      return [key, Object.fromEntries(Object.entries(value).map(([name, each]) => [name, closed(each as Schema)]))];
    if (key === 'items' && isObject(value)) return [key, closed(value as Schema)];
    if (key === 'anyOf' && Array.isArray(value)) return [key, value.map((each) => closed(each as Schema))];
    return [key, value];
  });
  const whole = Object.fromEntries(inner) as Schema;
  return whole['type'] === 'object' ? { ...whole, additionalProperties: false } : whole;
}
