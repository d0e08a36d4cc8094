/**
 * Calls of tools that a model has written into its text because the server does not parse them: each family of models has a form of its
 * own, which the server's tool parser is to know. Read only where tools were offered, and only calls that name one of them.
 *
 * The forms (as of November 2026): `<tool_call>{…}</tool_call>` Hermes and Qwen, `<tool_call>name<arg_key>…` GLM 4.5, `<function=name>`
 * Llama 3 and Qwen3-Coder, `[TOOL_CALLS]` Mistral, `<|python_tag|>` Llama 3.1, `<|tool_call_begin|>` Kimi K2, `<｜tool▁call▁begin｜>`
 * DeepSeek, `commentary to=functions.name` gpt-oss, `<invoke name=…>` Claude and MiniMax, `[name(key="value")]` Llama 4 and Gemma, bare
 * objects of small models (docs.vllm.ai/en/latest/features/tool_calling lists the parsers and their models).
 */
import { pythonicCalls } from './pythonic-calls.js';
import { JsonSpans, isObject, parsedJson } from './json-spans.js';

export interface WrittenCall {
  name: string;
  /** JSON text, or what the model wrote in its place. */
  arguments: string;
}

export interface WrittenCalls {
  calls: WrittenCall[];
  /** What stands before the first of them. */
  text: string;
}

type Reader = (text: string, offered: ReadonlySet<string>) => WrittenCall[];

/** One of these opens a call in a form other than a bare object. */
const MARKS =
  /<tool_calls?>|<\|tool_calls?\|>|<function=|\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_calls?_(?:section_)?begin\|>|<｜tool▁calls?▁begin｜>|<\|channel\|>\s*commentary\s+to=|<(?:[\w-]+:)?(?:function_calls|tool_call|invoke)\b[^>]*>\s*(?:<(?:[\w-]+:)?invoke\b|<(?:[\w-]+:)?parameter\b)/;

/** Undefined: none is written. @param offered names of the tools that the model may call */
export function writtenCalls(content: string, offered: readonly string[]): WrittenCalls | undefined {
  const names = new Set(offered);
  if (names.size === 0) return undefined;
  const at = MARKS.exec(content)?.index;
  if (at === undefined) return bareCalls(content, names);
  const [text, marked] = [content.slice(0, at), content.slice(at)];
  for (const reader of READERS) {
    const calls = reader(marked, names);
    if (calls.length > 0) return { calls, text: text.trim() };
  }
  return undefined;
}

/** The name of an offered tool that is meant by what a model wrote: `functions.name`, `name:0`, and what gpt-oss puts behind a name. */
export function meantTool(written: string, offered: ReadonlySet<string>): string | undefined {
  const name = written.trim();
  const forms = [name, name.replace(/<\|[\s\S]*$/, ''), name.replace(/^functions?[.:]/, '').replace(/(:\d+|<\|[\s\S]*)$/, '')];
  return forms.map((form) => form.trim()).find((form) => offered.has(form));
}

/** The whole text is a call or a list of calls, or it ends in a fence that holds nothing else. */
function bareCalls(content: string, offered: ReadonlySet<string>): WrittenCalls | undefined {
  const { 1: before = '', 2: fenced } = /^([\s\S]*?)```[a-z_]*\s*\n([^`]*)```\s*$/i.exec(content) ?? [];
  const inner = fenced ?? content;
  const calls = /^\s*[[{]/.test(inner) ? callsOf(parsedJson(inner), offered) : [];
  const found = calls.length > 0 ? calls : pythonCalls(inner, offered);
  return found.length > 0 ? { calls: found, text: fenced === undefined ? '' : before.trim() } : undefined;
}

/** All of them, or none: what is not known as a tool is no call. */
function pythonCalls(text: string, offered: ReadonlySet<string>): WrittenCall[] {
  const calls = (pythonicCalls(text) ?? []).map(({ name, args }) => callOf(name, JSON.stringify(args), offered));
  return calls.every((each) => each.length > 0) ? calls.flat() : [];
}

const READERS: readonly Reader[] = [
  kimiCalls,
  deepSeekCalls,
  harmonyCalls,
  invokeCalls,
  functionCalls,
  argKeyCalls,
  namedCalls,
  objectCalls,
];

/** `<|tool_call_begin|>functions.name:0<|tool_call_argument_begin|>{…}<|tool_call_end|>` */
function kimiCalls(text: string, offered: ReadonlySet<string>): WrittenCall[] {
  return pairs(text, /<\|tool_call_begin\|>([^<]+)<\|tool_call_argument_begin\|>([\s\S]*?)(?:<\|tool_call_end\|>|$)/g, offered);
}

/** `<｜tool▁call▁begin｜>function<｜tool▁sep｜>name`, then the arguments, in a fence or without. */
function deepSeekCalls(text: string, offered: ReadonlySet<string>): WrittenCall[] {
  const pattern =
    /<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>)?([\w.-]+)(?:<｜tool▁sep｜>|\s)\s*(?:```json\s*)?([\s\S]*?)(?:```\s*)?(?:<｜tool▁call▁end｜>|$)/g;
  return pairs(text, pattern, offered);
}

/** `<|channel|>commentary to=functions.name <|constrain|>json<|message|>{…}<|call|>` */
function harmonyCalls(text: string, offered: ReadonlySet<string>): WrittenCall[] {
  return pairs(
    text,
    /<\|channel\|>\s*commentary\s+to=([\w.-]+)[\s\S]*?<\|message\|>([\s\S]*?)(?:<\|(?:call|end|return|start)\|>|$)/g,
    offered,
  );
}

/** `<function=name>{…}</function>`, or with `<parameter=key>value</parameter>`. */
function functionCalls(text: string, offered: ReadonlySet<string>): WrittenCall[] {
  const written = [...text.matchAll(/<function=([^>\s]+)>([\s\S]*?)(?:<\/function>|$)/g)];
  return written.flatMap(([, name = '', body = '']) => {
    const values = [...body.matchAll(/<parameter=([^>\s]+)>\n?([\s\S]*?)\n?<\/parameter>/g)];
    return callOf(name, values.length > 0 ? keyed(values) : body, offered);
  });
}

/** `<function_calls><invoke name="name"><parameter name="key">value</parameter></invoke></function_calls>`, with or without a prefix. */
function invokeCalls(text: string, offered: ReadonlySet<string>): WrittenCall[] {
  const written = [...text.matchAll(/<(?:[\w-]+:)?invoke\s+name="([^"]+)"\s*>([\s\S]*?)(?:<\/(?:[\w-]+:)?invoke>|$)/g)];
  return written.flatMap(([, name = '', body = '']) => {
    const values = [...body.matchAll(/<(?:[\w-]+:)?parameter\s+name="([^"]+)"[^>]*>([\s\S]*?)<\/(?:[\w-]+:)?parameter>/g)];
    return callOf(name, keyed(values), offered);
  });
}

/** `<tool_call>name<arg_key>key</arg_key><arg_value>value</arg_value></tool_call>` */
function argKeyCalls(text: string, offered: ReadonlySet<string>): WrittenCall[] {
  const written = [...text.matchAll(/<tool_call>\s*([\w.-]+)\s*((?:<arg_key>[\s\S]*?)?)(?:<\/tool_call>|$)/g)];
  return written.flatMap(([, name = '', body = '']) => {
    const values = [...body.matchAll(/<arg_key>([\s\S]*?)<\/arg_key>\s*<arg_value>([\s\S]*?)<\/arg_value>/g)];
    return callOf(name, keyed(values), offered);
  });
}

/** `[TOOL_CALLS]name{…}`, `[TOOL_CALLS]name[ARGS]{…}` */
function namedCalls(text: string, offered: ReadonlySet<string>): WrittenCall[] {
  const spans = new JsonSpans(text);
  return [...text.matchAll(/\[TOOL_CALLS\]\s*([\w.-]+)\s*(?:\[CALL_ID\]\w+)?(?:\[ARGS\])?\s*(?=\{)/g)].flatMap((match) => {
    const at = match.index + match[0].length;
    return callOf(match[1] ?? '', text.slice(at, spans.endOf(at)), offered);
  });
}

/** Objects `{"name": …, "arguments": …}`, or lists of them, behind a mark. */
function objectCalls(text: string, offered: ReadonlySet<string>): WrittenCall[] {
  const spans = new JsonSpans(text);
  const calls: WrittenCall[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== '{' && !/^\[\s*\{/.test(text.slice(at, at + 20))) continue;
    const end = spans.endOf(at);
    if (end === undefined) continue;
    const written = text.slice(at, end);
    const value = parsedJson(written);
    calls.push(...(value === undefined ? brokenCall(written, offered) : callsOf(value, offered)));
    at = end - 1;
  }
  return calls;
}

/** Whoever runs the tool may be able to mend its arguments. */
function brokenCall(written: string, offered: ReadonlySet<string>): WrittenCall[] {
  const name = /"name"\s*:\s*"([^"]+)"/.exec(written)?.[1];
  const args = /"(?:arguments|parameters)"\s*:\s*(?=\{)/.exec(written);
  if (name === undefined || !args) return [];
  const at = args.index + args[0].length;
  return callOf(name, written.slice(at, new JsonSpans(written).endOf(at)), offered);
}

function callsOf(value: unknown, offered: ReadonlySet<string>): WrittenCall[] {
  if (Array.isArray(value)) {
    const calls = value.map((each) => callsOf(each, offered));
    return calls.every((each) => each.length > 0) ? calls.flat() : [];
  }
  if (!isObject(value)) return [];
  if (Array.isArray(value['tool_calls'])) return callsOf(value['tool_calls'], offered);
  const inner = isObject(value['function']) ? value['function'] : value;
  const args = inner['arguments'] ?? inner['parameters'];
  const isCall = typeof inner['name'] === 'string' && ('arguments' in inner || 'parameters' in inner);
  return isCall ? callOf(String(inner['name']), typeof args === 'string' ? args : JSON.stringify(args ?? {}), offered) : [];
}

function pairs(text: string, pattern: RegExp, offered: ReadonlySet<string>): WrittenCall[] {
  return [...text.matchAll(pattern)].flatMap(([, name = '', args = '']) => callOf(name, args, offered));
}

function callOf(written: string, args: string, offered: ReadonlySet<string>): WrittenCall[] {
  const name = meantTool(written, offered);
  return name === undefined ? [] : [{ name, arguments: args.trim() || '{}' }];
}

/** Values that are JSON are taken as such, all others as text. */
function keyed(values: RegExpExecArray[]): string {
  const entries = values.map(([, key = '', value = '']) => [key.trim(), parsedJson(value) ?? value] as const);
  return JSON.stringify(Object.fromEntries(entries));
}
