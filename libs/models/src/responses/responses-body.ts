/**
 * Our requests in the form of OpenAI's Responses API (developers.openai.com/api/docs/guides/migrate-to-responses, read in November 2026).
 * Nothing is stored at the server: thoughts come back encrypted, and go to it again with the calls that they led to.
 */
import type { ModelMessage } from '@cadre/agents';
import type { ResponseCreateParams, ResponseInputItem } from 'openai/resources/responses/responses';
import { plainSchema } from '../plain-schema.js';
import { withSoundCalls } from '../reading/call-places.js';
import { isObject } from '../reading/json-spans.js';
import { spoken } from '../reading/spoken.js';
import type { WireRequest } from '../wire-api.js';

type Assistant = Extract<ModelMessage, { role: 'assistant' }>;
type Body = Record<string, unknown> & Pick<ResponseCreateParams, 'input'>;

export function responsesBody({ request, model, from, dialect, maxOutputTokens }: WireRequest): Body {
  const messages = withSoundCalls(spoken(request.messages), dialect.ids === 'own' ? from : undefined);
  const instructions = messages.flatMap((each) => (each.role === 'system' ? [each.text] : [])).join('\n\n');
  const format = formatOf(request.responseSchema, dialect);
  return {
    model,
    ...(instructions !== '' && { instructions }),
    input: messages.flatMap((each) => itemsOf(each, each.role === 'assistant' && each.from === from && dialect.opaque)),
    max_output_tokens: maxOutputTokens,
    ...(dialect.temperature && { temperature: request.temperature }),
    ...(request.effort !== undefined && dialect.effort && { reasoning: { effort: request.effort } }),
    ...(request.tools.length > 0 && {
      tools: request.tools.map(({ name, description, parameters }) => ({
        ...{ type: 'function', name, description, parameters: plainSchema(parameters, dialect.schemas), strict: false },
      })),
    }),
    ...(format && { text: { format } }),
    store: false,
    ...(dialect.opaque && { include: ['reasoning.encrypted_content'] }),
    ...(dialect.stream !== 'none' && { stream: true }),
  };
}

function formatOf(schema: WireRequest['request']['responseSchema'], { format, schemas }: WireRequest['dialect']): object | undefined {
  if (!schema || format === 'none') return undefined;
  if (format === 'object') return { type: 'json_object' };
  return { type: 'json_schema', name: schema.name, schema: plainSchema(schema.schema, schemas), strict: false };
}

function itemsOf(message: ModelMessage, isOwn: boolean): ResponseInputItem[] {
  if (message.role === 'system') return [];
  if (message.role === 'tool') return [{ type: 'function_call_output', call_id: message.toolCallId, output: message.text }];
  if (message.role !== 'assistant') return [{ role: 'user', content: message.text }];
  const sealed = isOwn ? message.extra?.['output'] : undefined;
  return Array.isArray(sealed) ? sealedItems(message, sealed) : plainItems(message);
}

function plainItems({ text, toolCalls }: Assistant): ResponseInputItem[] {
  const words: ResponseInputItem[] = text.trim() === '' ? [] : [{ role: 'assistant', content: text }];
  return [...words, ...toolCalls.map(callItem)];
}

function callItem({ id, name, arguments: args }: Assistant['toolCalls'][number]): ResponseInputItem {
  return { type: 'function_call', call_id: id, name, arguments: args };
}

/** Thoughts as they came, in their order; words and calls as the conversation has them. */
function sealedItems(message: Assistant, output: unknown[]): ResponseInputItem[] {
  const calls = [...message.toolCalls];
  let words = message.text.trim() === '' ? undefined : message.text;
  return output.filter(isObject).flatMap((item): ResponseInputItem[] => {
    if (item['type'] === 'function_call') return calls.splice(0, 1).map(callItem);
    if (item['type'] !== 'message') return [item as unknown as ResponseInputItem];
    const said = words;
    words = undefined;
    return said === undefined ? [] : [{ role: 'assistant', content: said }];
  });
}
