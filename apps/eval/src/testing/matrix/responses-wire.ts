/** OpenAI's Responses API: items, and their events. */
import { ChatRequest } from '../../../../model-sim/src/wire/request.js';
import type { Body, Counts, Turn, Wire } from './profile.js';

export interface Item {
  type?: string;
  id?: string;
  role?: string;
  content?: unknown;
  call_id?: string;
  name?: string;
  arguments?: string;
  output?: string;
  encrypted_content?: string;
  summary?: unknown[];
}
export const itemsOf = (body: Body): Item[] => body['input'] as Item[];

export const responsesWire = (model: string): Wire => ({
  path: '/responses',
  callId: (n) => `call_${String(n).padStart(24, '0')}`,
  read: (body) => {
    const tools = (body['tools'] ?? []) as { name: string; description?: string; parameters?: unknown }[];
    const format = (body['text'] as { format?: { type: string; name: string; schema: unknown } } | undefined)?.format;
    return ChatRequest.parse({
      ...{ model: 'cadre-sim-1', max_tokens: body['max_output_tokens'] },
      messages: [{ role: 'system', content: String(body['instructions'] ?? '') }, ...itemsOf(body).flatMap(messageOf)],
      ...(tools.length > 0 && {
        tools: tools.map(({ name, description, parameters }) => ({ type: 'function', function: { name, description, parameters } })),
      }),
      ...(format?.type === 'json_schema' && {
        response_format: { type: 'json_schema', json_schema: { name: format.name, schema: format.schema } },
      }),
    });
  },
  answer: (turn, counts, body) => {
    const status = turn.cut ? 'incomplete' : 'completed';
    const output = outputOf(turn);
    const response = {
      ...{ id: 'resp_1', object: 'response', created_at: 1_796_000_000, model, status, error: null },
      ...{ incomplete_details: turn.cut ? { reason: 'max_output_tokens' } : null, output, usage: usageOf(counts), service_tier: 'default' },
    };
    if (body['stream'] !== true) return { body: response };
    const opened = { ...response, status: 'in_progress', output: [], usage: null };
    return {
      events: [
        event('response.created', { response: opened }),
        event('response.in_progress', { response: opened }),
        ...output.flatMap(itemEvents),
        event(`response.${status}`, { response }),
      ],
    };
  },
});

function messageOf(item: Item): object[] {
  if (item.type === 'reasoning') return [];
  if (item.type === 'function_call_output') return [{ role: 'tool', tool_call_id: item.call_id, content: item.output }];
  if (item.type === 'function_call') {
    const call = { id: item.call_id, type: 'function', function: { name: item.name, arguments: item.arguments } };
    return [{ role: 'assistant', content: null, tool_calls: [call] }];
  }
  return [{ role: item.role, content: item.content }];
}

function outputOf({ thought, text, calls }: Turn): Item[] {
  return [
    ...(thought
      ? [
          {
            ...{ type: 'reasoning', id: `rs_${thought.seal.slice(-12)}`, encrypted_content: thought.seal },
            summary: [{ type: 'summary_text', text: thought.text }],
          },
        ]
      : []),
    ...(text === ''
      ? []
      : [{ type: 'message', id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] }]),
    ...calls.map(({ id, name, arguments: args }) => ({ type: 'function_call', id: `fc_${id}`, call_id: id, name, arguments: args })),
  ];
}

/** Cached input within the input, thoughts within the output. */
function usageOf({ prompt, cached, output, reasoning }: Counts): object {
  return {
    ...{ input_tokens: prompt, input_tokens_details: { cached_tokens: cached } },
    ...{ output_tokens: output, output_tokens_details: { reasoning_tokens: reasoning }, total_tokens: prompt + output },
  };
}

const event = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

function itemEvents(item: Item, index: number): string[] {
  const text = item.type === 'message' ? (item.content as { text: string }[])[0]!.text : '';
  const pieces = (text.match(/[\s\S]{1,300}/gu) ?? []).map((delta) => event('response.output_text.delta', { output_index: index, delta }));
  const opened = event('response.output_item.added', { output_index: index, item: { ...item, status: 'in_progress' } });
  return [opened, ...pieces, event('response.output_item.done', { output_index: index, item: { ...item, status: 'completed' } })];
}
