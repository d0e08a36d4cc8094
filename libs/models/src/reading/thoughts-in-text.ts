/**
 * Parts the thoughts of a model from its answer, where the server leaves both in one text.
 *
 * The forms, and who writes them (as of November 2026): `<think>` DeepSeek R1, Qwen 3, GLM, Nemotron (vLLM's reasoning parsers,
 * docs.vllm.ai/en/latest/features/reasoning_outputs); only its closing tag where the chat template has opened it (vllm-project/vllm#13125,
 * seen with llama-server and a template that ends in `<think>`); `[THINK]` Mistral's Magistral
 * (huggingface.co/mistralai/Magistral-Small-2509); `◁think▷` Kimi-VL; `<seed:think>` Seed-OSS; `<|START_THINKING|>` Cohere Command A
 * Reasoning; channels of gpt-oss (developers.openai.com/cookbook/articles/openai-harmony), also with the special tokens lost
 * (`analysis…assistantfinal…`).
 */
import { JsonSpans } from './json-spans.js';

/** A text in two parts. */
export interface Parted {
  thoughts: string;
  text: string;
}

const WORDS = ['think', 'thinking', 'thought', 'thoughts', 'reasoning', 'reflection', 'seed:think'];
const KINDS: readonly (readonly [open: string, close: string])[] = [
  ...WORDS.map((word) => [`<${word}>`, `</${word}>`] as const),
  ['[think]', '[/think]'],
  ['◁think▷', '◁/think▷'],
  ['<|start_thinking|>', '<|end_thinking|>'],
  ['<|begin_of_thought|>', '<|end_of_thought|>'],
];
const SIGNS = new RegExp(KINDS.flat().map(escaped).join('|'), 'iy');
const ANY_SIGN = new RegExp(SIGNS.source, 'i');
const CLOSES = new Map(KINDS.map(([open, close]) => [open, close]));

/** Everything before the last closing tag that has no opening one is thought; so is what follows an opening tag that is never closed. */
export function partThoughts(content: string): Parted {
  const channels = partChannels(content);
  if (channels) return channels;
  return ANY_SIGN.test(content) ? partTags(content) : { thoughts: '', text: content };
}

function partTags(content: string): Parted {
  const spans = new JsonSpans(content);
  const thoughts: string[] = [];
  let text = '';
  for (let at = 0; at < content.length;) {
    const sign = signAt(content, at);
    if (sign === undefined) {
      // What stands inside of an object is part of the object, whatever it looks like.
      const end = opensObject(content, at) ? (spans.endOf(at) ?? at + 1) : at + 1;
      text += content.slice(at, end);
      at = end;
      continue;
    }
    at += sign.length;
    const close = CLOSES.get(sign);
    if (close === undefined) {
      thoughts.push(text);
      text = '';
      continue;
    }
    const end = indexOfSign(content, close, at);
    thoughts.push(content.slice(at, end ?? content.length));
    at = end === undefined ? content.length : end + close.length;
  }
  const kept = thoughts.map((part) => part.trim()).filter((part) => part !== '');
  return { thoughts: kept.join('\n\n'), text: text.trim() };
}

function signAt(content: string, at: number): string | undefined {
  const first = content[at];
  if (first !== '<' && first !== '[' && first !== '◁') return undefined;
  SIGNS.lastIndex = at;
  return SIGNS.exec(content)?.[0].toLowerCase();
}

function indexOfSign(content: string, sign: string, from: number): number | undefined {
  const pattern = new RegExp(escaped(sign), 'ig');
  pattern.lastIndex = from;
  return pattern.exec(content)?.index;
}

function opensObject(content: string, at: number): boolean {
  return content[at] === '{' && /^\{\s*["}]/.test(content.slice(at, at + 50));
}

const CHANNEL = /<\|channel\|>\s*(\w+)[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>([\s\S]*?)(?=<\|(?:end|return|call|start|channel)\|>|$)/g;
const BARE_CHANNELS = /^\s*analysis([\s\S]*?)assistant(?:commentary[\s\S]*?assistant)?final([\s\S]*)$/;

/** gpt-oss writes into channels: `final` is the answer, all others are not. */
function partChannels(content: string): Parted | undefined {
  if (content.includes('<|channel|>')) {
    const parts = [...content.matchAll(CHANNEL)].map((match) => ({ channel: match[1], words: (match[2] ?? '').trim() }));
    if (parts.length === 0) return undefined;
    const of = (isFinal: boolean) => parts.filter(({ channel }) => (channel === 'final') === isFinal).map(({ words }) => words);
    return { thoughts: of(false).join('\n\n'), text: of(true).join('\n\n') };
  }
  const bare = BARE_CHANNELS.exec(content);
  return bare ? { thoughts: (bare[1] ?? '').trim(), text: (bare[2] ?? '').trim() } : undefined;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
