/**
 * Reads an answer of OpenAI's chat completions as the many servers that speak it write it. Generous in form; what is in it is checked by
 * whoever uses it.
 */
import type { Extra, ToolCall } from '@cadre/agents';
import { soundIds } from '../reading/call-places.js';
import { contentParts } from '../reading/content-parts.js';
import { isObject, parsedJson } from '../reading/json-spans.js';
import { opaque } from '../reading/opaque.js';
import { partThoughts } from '../reading/thoughts-in-text.js';
import { readUsage } from '../reading/usage.js';
import { meantTool, writtenCalls } from '../reading/written-calls.js';
import type { WrittenCall } from '../reading/written-calls.js';
import { ServerRefusal, refusalInside } from '../server-words.js';
import { UnreadableAnswer } from '../wire-api.js';
import type { WireReply, WireRequest } from '../wire-api.js';

const KNOWN_OF_MESSAGE = new Set([
  'role',
  'content',
  'refusal',
  'tool_calls',
  'function_call',
  'audio',
  'annotations',
  'name',
  'token_ids',
  'logprobs',
]);
const REASONING = ['reasoning_content', 'reasoning', 'reasoning_details', 'thinking', 'thinking_blocks'];
const KNOWN_OF_CALL = new Set(['id', 'type', 'function', 'index', 'name', 'arguments']);
const FILTERED = 'The content filter of the model server stopped the answer.';

/** Errors: `ServerRefusal`, `UnreadableAnswer`. */
export function readChat(answer: unknown, { request }: WireRequest): WireReply {
  const { body, choice, message } = openChoice(answer);
  const finishReason = typeof choice['finish_reason'] === 'string' ? choice['finish_reason'].toLowerCase() : '';
  const usage = readUsage(body['usage']);
  const head = { ...named('model', body['model']), ...named('serviceTier', body['service_tier']), ...(usage && { usage }) };
  const refusal = typeof message['refusal'] === 'string' ? message['refusal'] : '';
  if (refusal !== '' || finishReason === 'content_filter') return { ...head, text: refusal || FILTERED, toolCalls: [], finish: 'refusal' };
  const cut = /^(length|max_?tokens|model_length)$/.test(finishReason);
  const offered = request.tools.map(({ name }) => name);
  const said = saidIn(message, offered, cut);
  const toolCalls = soundIds(said.calls, request.messages);
  const extra = extraOf(message, toolCalls.length > 0);
  const answered = { text: said.text, reasoning: said.reasoning };
  const final = toolCalls.length > 0 || cut ? answered : answerFromThoughts(answered);
  return {
    ...head,
    text: final.text,
    toolCalls,
    finish: cut ? 'length' : toolCalls.length > 0 ? 'tool-calls' : 'stop',
    ...(final.reasoning !== '' && { reasoning: final.reasoning }),
    ...(extra && { extra }),
    ...(said.written && { warnings: [PARSER_OFF] }),
  };
}

function named<K extends string>(field: K, value: unknown): { [key in K]?: string } {
  return typeof value === 'string' && value !== '' ? ({ [field]: value } as { [key in K]?: string }) : {};
}

const PARSER_OFF =
  'The model wrote its calls of tools into its text: the tool parser of the model server is off, or is one for another model. They were read all the same; set the parser for reliable calls (vLLM: --enable-auto-tool-choice --tool-call-parser, llama.cpp: --jinja).';

interface Opened {
  body: Record<string, unknown>;
  choice: Record<string, unknown>;
  message: Record<string, unknown>;
}

function openChoice(answer: unknown): Opened {
  const body: unknown = Array.isArray(answer) && answer.length === 1 ? answer[0] : answer;
  const choices = isObject(body) && Array.isArray(body['choices']) ? body['choices'].filter(isObject) : [];
  const choice = choices[0];
  const inside = choice && isObject(choice['error']) ? refusalInside(choice, {}, true) : undefined;
  if (inside) throw inside;
  if (choice?.['finish_reason'] === 'error')
    throw refusalInside(body, {}, true) ?? new ServerRefusal(500, 'The server stopped the answer with an error.', {}, true);
  const message = choice?.['message'] ?? (typeof choice?.['text'] === 'string' ? { content: choice['text'] } : undefined);
  if (isObject(body) && choice && isObject(message)) return { body, choice, message };
  const refusal = refusalInside(answer);
  if (refusal) throw refusal;
  throw new UnreadableAnswer(whyUnreadable(body, choices.length));
}

function whyUnreadable(body: unknown, choices: number): string {
  if (!isObject(body)) return `it is no JSON object`;
  if (choices === 0) return 'it has no choices';
  return 'its choice has no message';
}

interface Said {
  text: string;
  reasoning: string;
  calls: ToolCall[];
  /** The calls stood in the text. */
  written: boolean;
}

function saidIn(message: Record<string, unknown>, offered: string[], cut: boolean): Said {
  const content = contentParts(message['content']);
  const told = REASONING.map((field) => thoughtsOf(message[field]));
  const calls = callsOf(message, offered);
  // gpt-oss writes its calls into a channel, which is no thought then.
  const isChannelCall = /<\|channel\|>\s*commentary\s+to=/.test(content.text);
  const parted = isChannelCall ? { text: content.text, thoughts: '' } : partThoughts(content.text);
  const inFields = told.find((each) => each !== '') ?? content.thoughts;
  const reasoning = [inFields, parted.thoughts].filter((each) => each !== '').join('\n\n');
  const found = calls.length > 0 || cut ? undefined : writtenCalls(parted.text.trim() === '' ? reasoning : parted.text, offered);
  if (!found) return { text: parted.text, reasoning, calls, written: false };
  const before = partThoughts(found.text);
  return {
    text: parted.text.trim() === '' ? '' : before.text,
    reasoning: reasoning || before.thoughts,
    calls: found.calls.map(ofWritten),
    written: true,
  };
}

function thoughtsOf(given: unknown): string {
  if (isObject(given)) return '';
  const { text, thoughts } = contentParts(given);
  return text || thoughts;
}

function ofWritten({ name, arguments: args }: WrittenCall): ToolCall {
  return { id: '', name, arguments: args };
}

function callsOf(message: Record<string, unknown>, offered: string[]): ToolCall[] {
  const given: unknown[] = Array.isArray(message['tool_calls']) ? message['tool_calls'] : [];
  // Before tools there were functions, one call at a time.
  const all = given.length === 0 && isObject(message['function_call']) ? [{ function: message['function_call'] }] : given;
  const names = new Set(offered);
  return all.filter(isObject).flatMap((call) => {
    const named = isObject(call['function']) ? call['function'] : call;
    const written = named['name'];
    if (typeof written !== 'string') return [];
    const extra = opaque(call, KNOWN_OF_CALL);
    const id = typeof call['id'] === 'string' ? call['id'] : typeof call['id'] === 'number' ? String(call['id']) : '';
    return [{ id, name: meantTool(written, names) ?? written, arguments: argumentsOf(named['arguments']), ...(extra && { extra }) }];
  });
}

/** As JSON text: servers send an object, nothing, or a text that holds the text. */
function argumentsOf(given: unknown): string {
  if (given === undefined || given === null) return '{}';
  if (typeof given !== 'string') return JSON.stringify(given);
  const text = given.trim();
  if (text === '' || text === 'null') return '{}';
  const inner = text.startsWith('"') ? parsedJson(text) : undefined;
  return typeof inner === 'string' && /^\s*\{/.test(inner) ? inner : given;
}

/** Thoughts go back with a turn that calls tools only: servers of thinking models demand them there, and some refuse them elsewhere. */
function extraOf(message: Record<string, unknown>, calls: boolean): Extra | undefined {
  const known = calls ? KNOWN_OF_MESSAGE : new Set([...KNOWN_OF_MESSAGE, ...REASONING]);
  const extra = withEmptyThoughts(opaque(message, known), message, calls);
  const hasParts = calls && Array.isArray(message['content']) && contentParts(message['content']).thoughts !== '';
  return hasParts ? { ...extra, ...opaque({ content: message['content'] }, new Set()) } : extra;
}

/** DeepSeek demands the field back also where the model had no thoughts before a call. */
function withEmptyThoughts(extra: Extra | undefined, message: Record<string, unknown>, calls: boolean): Extra | undefined {
  return calls && message['reasoning_content'] === '' ? { ...extra, reasoning_content: '' } : extra;
}

/** Some servers take all that a model writes for thought: the answer is then the object in it, or all of it. */
function answerFromThoughts({ text, reasoning }: { text: string; reasoning: string }): { text: string; reasoning: string } {
  if (text.trim() !== '' || reasoning === '') return { text, reasoning };
  return { text: reasoning, reasoning: '' };
}
