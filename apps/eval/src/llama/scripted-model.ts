/**
 * A model with a will of its own, made without training: one layer whose attention does nothing, one-hot embeddings, and an output matrix
 * that is a table of "after this token, that one". Whole phrases are single tokens, and the last token of the chat template says which
 * turn it is. So the server's own template, grammar, sampler, parser of tool calls and stream do their work on a model whose answers are
 * known.
 *
 * What a grammar forbids is passed over: a turn names what the model would rather say, in order. Where a grammar allows none of it, the
 * model writes the plainest text, letter by letter.
 */
import { chatTemplate } from './chat-template.js';
import { ggufFile, type GgufValue, type Tensor } from './gguf-file.js';
import type { Script } from './script.js';

/** A call in the form that the template names. */
export const callText = (name: string, args: object): string => `<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`;

const WIDTH = 1024;
const HEADS = 4;
const HEAD_WIDTH = 16;
const FEED_FORWARD = 32;
const WINDOW = 131_072;
const NORMAL = 1;
const CONTROL = 3;
const USER_DEFINED = 4;
/** What is written where a grammar leaves none of the phrases: it ends, closes, else takes the plainest. */
const PLAINEST = new Map(
  Object.entries({ '}': 8, ']': 7.9, '"': 7, '0': 6, ':': 5, '{': 4, '[': 3.9, ',': 3, t: 2, a: 1.9, ' ': -1, '\n': -2 }),
);

/** The model's file. The same script gives the same bytes. */
export function scriptedModel(script: Script): Buffer {
  const vocabulary = new Vocabulary();
  const end = vocabulary.add('<|im_end|>', CONTROL);
  vocabulary.add('<|im_start|>', CONTROL);
  const wanted: [last: number, next: number, weight: number][] = [];
  for (const [index, turn] of script.turns.entries()) {
    const state = vocabulary.add(`<|turn${index}|>`, CONTROL);
    for (const [rank, said] of turn.say.entries()) {
      let last = state;
      for (const piece of typeof said === 'string' ? [said] : said) {
        const next = vocabulary.phrase(piece);
        wanted.push([last, next, 30 - rank]);
        last = next;
      }
      wanted.push([last, end, 30 - rank]);
    }
  }
  const names = vocabulary.tokens;
  if (names.length > WIDTH) throw new Error(`A script may have at most ${WIDTH} tokens; this one has ${names.length}.`);
  const rows = table(names.length, end);
  for (const [last, next, weight] of wanted) rows[next]![last] = Math.max(rows[next]![last]!, weight);
  return ggufFile({ ...metadata(script, names.length, end), ...vocabulary.metadata() }, tensors(rows));
}

/** `[next][last]`: how much the model wants `next` after `last`. */
function table(size: number, end: number): Float32Array[] {
  return Array.from({ length: size }, (_, next) => {
    const other = next < 256 ? -3 - next * 1e-4 : -20;
    const weight = next === end ? 9 : (PLAINEST.get(String.fromCharCode(next)) ?? other);
    return new Float32Array(size).fill(weight);
  });
}

class Vocabulary {
  readonly tokens: string[] = [];
  readonly types: number[] = [];
  readonly #ids = new Map<string, number>();

  constructor() {
    for (const symbol of byteSymbols()) this.add(symbol, NORMAL);
    this.add('th', NORMAL);
  }

  add(token: string, type: number): number {
    this.types.push(type);
    this.#ids.set(token, this.tokens.length);
    return this.tokens.push(token) - 1;
  }

  /** Each text is one token, however often it is said. */
  phrase(text: string): number {
    return this.#ids.get(text) ?? this.add(text, USER_DEFINED);
  }

  metadata(): Record<string, GgufValue> {
    return {
      'tokenizer.ggml.model': { kind: 'text', value: 'gpt2' },
      'tokenizer.ggml.pre': { kind: 'text', value: 'qwen2' },
      'tokenizer.ggml.tokens': { kind: 'texts', value: this.tokens },
      'tokenizer.ggml.token_type': { kind: 'int32s', value: this.types },
      'tokenizer.ggml.merges': { kind: 'texts', value: ['t h'] },
    };
  }
}

/** GPT-2's names of the 256 bytes: printable ones stand for themselves. */
function byteSymbols(): string[] {
  let next = 256;
  const isPlain = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPlain(byte) ? byte : next++));
}

function metadata(script: Script, size: number, end: number): Record<string, GgufValue> {
  const numbers = {
    'general.file_type': 0,
    'llama.context_length': script.window ?? WINDOW,
    'llama.embedding_length': WIDTH,
    'llama.block_count': 1,
    'llama.feed_forward_length': FEED_FORWARD,
    'llama.attention.head_count': HEADS,
    'llama.attention.head_count_kv': 1,
    'llama.attention.key_length': HEAD_WIDTH,
    'llama.attention.value_length': HEAD_WIDTH,
    'llama.rope.dimension_count': HEAD_WIDTH,
    'llama.vocab_size': size,
    'tokenizer.ggml.bos_token_id': end,
    'tokenizer.ggml.eos_token_id': end,
    'tokenizer.ggml.padding_token_id': end,
  };
  return {
    'general.architecture': { kind: 'text', value: 'llama' },
    'general.name': { kind: 'text', value: 'scripted' },
    ...Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, { kind: 'uint32', value } as const])),
    'llama.attention.layer_norm_rms_epsilon': { kind: 'float32', value: 1e-6 },
    'tokenizer.ggml.add_bos_token': { kind: 'flag', value: false },
    'tokenizer.chat_template': { kind: 'text', value: chatTemplate(script) },
  };
}

function tensors(rows: readonly Float32Array[]): Tensor[] {
  const embeddings = new Float32Array(rows.length * WIDTH);
  const output = new Float32Array(rows.length * WIDTH);
  // The norm before the output makes a one-hot row this many times as large.
  const scale = 1 / Math.sqrt(WIDTH);
  for (const [next, weights] of rows.entries()) {
    embeddings[next * WIDTH + next] = 1;
    for (const [last, weight] of weights.entries()) output[next * WIDTH + last] = weight * scale;
  }
  const ones = (name: string): Tensor => ({ name, dims: [WIDTH], data: new Float32Array(WIDTH).fill(1) });
  const zeros = (name: string, from: number, to: number): Tensor => ({ name, dims: [from, to], data: new Float32Array(from * to) });
  return [
    { name: 'token_embd.weight', dims: [WIDTH, rows.length], data: embeddings },
    { name: 'output.weight', dims: [WIDTH, rows.length], data: output },
    ...['output_norm.weight', 'blk.0.attn_norm.weight', 'blk.0.ffn_norm.weight'].map(ones),
    zeros('blk.0.attn_q.weight', WIDTH, HEADS * HEAD_WIDTH),
    zeros('blk.0.attn_k.weight', WIDTH, HEAD_WIDTH),
    zeros('blk.0.attn_v.weight', WIDTH, HEAD_WIDTH),
    zeros('blk.0.attn_output.weight', HEADS * HEAD_WIDTH, WIDTH),
    zeros('blk.0.ffn_gate.weight', WIDTH, FEED_FORWARD),
    zeros('blk.0.ffn_up.weight', WIDTH, FEED_FORWARD),
    zeros('blk.0.ffn_down.weight', FEED_FORWARD, WIDTH),
  ];
}
