/** OpenAI's chat completions as the servers that speak it write them: whole answers and streams. */
import { ChatRequest } from '../../../../model-sim/src/wire/request.js';
import type { ChatCall, ChatMessage } from '../chat-body.js';
import type { Answer, Body, Counts, Thought, Turn, Wire } from './profile.js';

/** What differs between servers. */
export interface ChatForm {
  callId(n: number): string;
  usage(counts: Counts): object;
  /** Fields of the message that hold thoughts. */
  thoughts?(thought: Thought, turn: Turn): object;
  /** Thoughts that stand in the content. */
  content?(thought: Thought, text: string): unknown;
  /** Fields of the first call that hold a seal. */
  seal?(thought: Thought): object;
  /** Where a stream tells the usage: in a chunk of its own behind the last, in the last, in each. */
  usageIn: 'own-chunk' | 'last-chunk' | 'each-chunk';
  /** Whether the usage of a stream is told without being asked for. */
  tellsAlways?: true;
  argumentsIn: 'pieces' | 'whole';
  /** What stands between events while the model works. */
  comment?: string;
  model: string;
  finishOfCalls?: string;
}

export const messagesOf = (body: Body): ChatMessage[] => body['messages'] as ChatMessage[];
/** Turns that called tools. */
export const toolTurns = (body: Body): (ChatMessage & { tool_calls: ChatCall[] })[] =>
  messagesOf(body).filter((each): each is ChatMessage & { tool_calls: ChatCall[] } => (each.tool_calls?.length ?? 0) > 0);

export function chatWire(form: ChatForm): Wire {
  return {
    path: '/chat/completions',
    callId: form.callId,
    read: ({ messages, tools, response_format, max_tokens, max_completion_tokens }) =>
      ChatRequest.parse({
        ...{ model: 'cadre-sim-1', messages },
        ...(tools !== undefined && { tools }),
        ...(response_format !== undefined && { response_format }),
        max_tokens: max_completion_tokens ?? max_tokens,
      }),
    answer: (turn, counts, body) => (body['stream'] === true ? streamed(form, turn, counts, body) : whole(form, turn, counts)),
  };
}

const head = { id: 'chatcmpl-1', created: 1_796_000_000 };
const finishOf = (form: ChatForm, { cut, calls }: Turn): string =>
  cut ? 'length' : calls.length > 0 ? (form.finishOfCalls ?? 'tool_calls') : 'stop';

function callsOf(form: ChatForm, { calls, thought }: Turn): object[] {
  return calls.map(({ id, name, arguments: args }, index) => ({
    ...{ id, type: 'function', function: { name, arguments: args } },
    ...(index === 0 && thought && form.seal?.(thought)),
  }));
}

function whole(form: ChatForm, turn: Turn, counts: Counts): Answer {
  const { text, calls, thought } = turn;
  const content = thought && form.content ? form.content(thought, text) : text === '' && calls.length > 0 ? null : text;
  const message = {
    ...{ role: 'assistant', content },
    ...(thought && form.thoughts?.(thought, turn)),
    ...(calls.length > 0 && { tool_calls: callsOf(form, turn) }),
  };
  const choices = [{ index: 0, message, finish_reason: finishOf(form, turn) }];
  return { body: { ...head, object: 'chat.completion', model: form.model, choices, usage: form.usage(counts) } };
}

function streamed(form: ChatForm, turn: Turn, counts: Counts, body: Body): Answer {
  const usage = form.usage(counts);
  const options = body['stream_options'] as { include_usage?: boolean } | undefined;
  const tells = form.tellsAlways === true || options?.include_usage === true;
  const chunk = (delta: object | undefined, finish: string | null = null, more: object = {}): string => {
    const choices = delta ? [{ index: 0, delta, finish_reason: finish }] : [];
    const each = tells && form.usageIn === 'each-chunk' ? { usage } : {};
    return `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', model: form.model, choices, ...each, ...more })}\n\n`;
  };
  const last = tells && form.usageIn === 'last-chunk' ? { usage } : {};
  const events = [
    ...(form.comment === undefined ? [] : [`: ${form.comment}\n\n`]),
    chunk({ role: 'assistant', content: '' }),
    ...deltasOf(form, turn).map((delta) => chunk(delta)),
    chunk({}, finishOf(form, turn), last),
    ...(tells && form.usageIn === 'own-chunk' ? [chunk(undefined, null, { usage })] : []),
    'data: [DONE]\n\n',
  ];
  return { events };
}

function deltasOf(form: ChatForm, turn: Turn): object[] {
  const { text, thought } = turn;
  const content = thought && form.content ? form.content(thought, text) : text;
  const pieces = typeof content === 'string' ? piecesOf(content, 200) : (content as unknown[]).map((part) => [part]);
  return [
    ...(thought && form.thoughts ? [form.thoughts(thought, turn)] : []),
    ...pieces.map((piece) => ({ content: piece })),
    ...callsOf(form, turn).flatMap((call, index) => callDeltas(form, call as ChatCall, index)),
  ];
}

function callDeltas({ argumentsIn }: ChatForm, call: ChatCall, index: number): object[] {
  if (argumentsIn === 'whole') return [{ tool_calls: [{ index, ...call }] }];
  const opened = { index, ...call, function: { name: call.function.name, arguments: '' } };
  const pieces = piecesOf(call.function.arguments, 400).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] }));
  return [{ tool_calls: [opened] }, ...pieces];
}

function piecesOf(text: string, size: number): string[] {
  return text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'gu')) ?? [];
}
