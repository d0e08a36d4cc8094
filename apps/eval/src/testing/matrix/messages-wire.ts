/** Anthropic's messages: blocks, and their events. */
import { ChatRequest } from '../../../../model-sim/src/wire/request.js';
import type { Body, Counts, Turn, Wire } from './profile.js';

export interface Block {
  type: string;
  text?: string;
  id?: string;
  name?: string;
  input?: unknown;
  tool_use_id?: string;
  content?: string | { text?: string }[];
  thinking?: string;
  signature?: string;
}
export interface MessageTurn {
  role: 'user' | 'assistant';
  content: string | Block[];
}
export const turnsOf = (body: Body): MessageTurn[] => body['messages'] as MessageTurn[];
export const blocksOf = ({ content }: MessageTurn): Block[] => (typeof content === 'string' ? [{ type: 'text', text: content }] : content);

export const messagesWire = (model: string): Wire => ({
  path: '/messages',
  callId: (n) => `toolu_${String(n).padStart(24, '0')}`,
  read: (body) =>
    ChatRequest.parse({
      ...{ model: 'cadre-sim-1', max_tokens: body['max_tokens'] },
      messages: [{ role: 'system', content: typeof body['system'] === 'string' ? body['system'] : '' }, ...turnsOf(body).flatMap(chatOf)],
      ...(Array.isArray(body['tools']) && { tools: (body['tools'] as ToolOfIt[]).map(toolOf) }),
      ...formatOf(body),
    }),
  answer: (turn, counts, body) => {
    const blocks = blocksIn(turn);
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model, stop_sequence: null };
    const stop = turn.cut ? 'max_tokens' : turn.calls.length > 0 ? 'tool_use' : 'end_turn';
    if (body['stream'] !== true) return { body: { ...message, content: blocks, stop_reason: stop, usage: usageOf(counts) } };
    const start = { ...message, content: [], stop_reason: null, usage: { ...usageOf(counts), output_tokens: 1 } };
    const end = { delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: counts.output } };
    return {
      events: [
        event('message_start', { message: start }),
        event('ping', {}),
        ...blocks.flatMap(blockEvents),
        event('message_delta', end),
        event('message_stop', {}),
      ],
    };
  },
});

interface ToolOfIt {
  name: string;
  description?: string;
  input_schema: unknown;
}
const toolOf = ({ name, description, input_schema: parameters }: ToolOfIt): object => ({
  type: 'function',
  function: { name, description, parameters },
});

function formatOf(body: Body): object {
  const config = body['output_config'] as { format?: { schema: unknown } } | undefined;
  return config?.format ? { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: config.format.schema } } } : {};
}

function chatOf(turn: MessageTurn): object[] {
  const blocks = blocksOf(turn);
  const text = blocks.flatMap(({ type, text: words }) => (type === 'text' ? [words ?? ''] : [])).join('\n');
  const calls = blocks.filter(({ type }) => type === 'tool_use');
  const results = blocks.filter(({ type }) => type === 'tool_result');
  const told = results.map(({ tool_use_id: id, content }) => ({
    role: 'tool',
    tool_call_id: id,
    content: typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join(''),
  }));
  if (turn.role === 'user')
    return [...told, ...blocks.filter(({ type }) => type === 'text').map((each) => ({ role: 'user', content: each.text }))];
  const made = calls.map(({ id, name, input }) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(input) } }));
  return [{ role: 'assistant', content: text, ...(made.length > 0 && { tool_calls: made }) }];
}

function blocksIn({ thought, text, calls }: Turn): Block[] {
  return [
    ...(thought ? [{ type: 'thinking', thinking: thought.text, signature: thought.seal }] : []),
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...calls.map(({ id, name, arguments: args }) => ({ type: 'tool_use', id, name, input: JSON.parse(args) as unknown })),
  ];
}

/** What was read from the cache and written to it is counted apart from the rest of the input. */
function usageOf({ prompt, cached, written, output }: Counts): object {
  return {
    ...{ input_tokens: prompt - cached - written, cache_read_input_tokens: cached, cache_creation_input_tokens: written },
    ...{ output_tokens: output, service_tier: 'standard' },
  };
}

const event = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

function blockEvents(block: Block, index: number): string[] {
  const { type } = block;
  const delta = (piece: object): string => event('content_block_delta', { index, delta: piece });
  const opened =
    type === 'thinking'
      ? { type, thinking: '', signature: '' }
      : type === 'text'
        ? { type, text: '' }
        : { type, id: block.id, name: block.name, input: {} };
  const text = type === 'text' ? block.text! : type === 'thinking' ? block.thinking! : JSON.stringify(block.input);
  const pieces = (text.match(/[\s\S]{1,300}/gu) ?? []).map((piece) =>
    type === 'text'
      ? delta({ type: 'text_delta', text: piece })
      : type === 'thinking'
        ? delta({ type: 'thinking_delta', thinking: piece })
        : delta({ type: 'input_json_delta', partial_json: piece }),
  );
  const signed = type === 'thinking' ? [delta({ type: 'signature_delta', signature: block.signature })] : [];
  return [event('content_block_start', { index, content_block: opened }), ...pieces, ...signed, event('content_block_stop', { index })];
}
