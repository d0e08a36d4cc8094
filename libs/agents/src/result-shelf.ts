/**
 * The results of an attempt's tool calls, whole. The model is shown what fits; the rest it reads page by page with `read_result`, also what
 * was taken out of the conversation when that came near the model's window. A later attempt comes to the same shelf, since it is filled
 * from the record.
 */
import { utf8Bytes } from '@cadre/contracts';
import type { Json } from '@cadre/contracts';
import { z } from 'zod';
import { jsonSchemaOf } from './model-schemas.js';
import type { ToolSchema } from './ports.js';

/** What a model gets to read of one tool's result at once, in bytes of UTF-8. */
export const TOOL_OUTPUT_BYTES = 60 * 1024;
const MOST_MATCHES = 20;
const MATCH_CHARACTERS = 400;

export const READ_RESULT = 'read_result';

const ReadResultArgs = z.strictObject({
  result: z.int().min(1),
  /** In characters. */
  offset: z.int().min(0).default(0),
  search: z.string().min(1).max(200).optional(),
});

/** What the model is told of it. */
export const READ_RESULT_SCHEMA: ToolSchema = {
  name: READ_RESULT,
  description:
    'Read more of an earlier tool result that was shortened, by its number: from an offset in characters, or what stands around a text (search).',
  parameters: jsonSchemaOf(ReadResultArgs),
};

export class ResultShelf {
  private readonly texts: string[] = [];
  private shortens = false;

  /** @returns what the model is shown: the result, or its beginning and where to find the rest */
  put(text: string): string {
    this.texts.push(text);
    if (utf8Bytes(text) <= TOOL_OUTPUT_BYTES) return text;
    this.shortens = true;
    return shortened(text, this.texts.length);
  }

  /** The number of the result that was put last; 0: none. */
  get last(): number {
    return this.texts.length;
  }

  /** Whether the model was shown any result in short, so that there is more to read. */
  get hasMore(): boolean {
    return this.shortens;
  }

  /** A result in short, for a conversation without room. @param characters of its beginning */
  brief(result: number, characters: number): string {
    this.shortens = true;
    const text = this.texts[result - 1] ?? '';
    return JSON.stringify({ shortened: true, result, characters: text.length, beginning: text.slice(0, characters).toWellFormed() });
  }

  /** Answers a call of `read_result` as JSON text. */
  read(args: string): string {
    const parsed = parsedArguments(args);
    if ('error' in parsed) return JSON.stringify(parsed);
    const { result, offset, search } = parsed;
    const text = this.texts[result - 1];
    if (text === undefined) return JSON.stringify({ error: `There is no result ${result}; there are ${this.texts.length}.` });
    return JSON.stringify(search === undefined ? page(text, result, offset) : found(text, result, offset, search));
  }
}

function shortened(text: string, result: number): string {
  const hint = `${READ_RESULT} with result ${result} gives the rest, or searches it`;
  return JSON.stringify({ shortened: true, hint, ...page(text, result, 0, TOOL_OUTPUT_BYTES - utf8Bytes(hint) - 32) });
}

/** @param bytes that the page takes at most, quoted */
function page(text: string, result: number, offset: number, bytes = TOOL_OUTPUT_BYTES): { [key: string]: Json } {
  const upTo = (end: number) => {
    const part = text.slice(offset, end).toWellFormed();
    return { result, characters: text.length, offset, text: part, ...(end < text.length && { nextOffset: end }) };
  };
  // Quoting makes the text longer again, so the cut is searched for.
  let [fits, fails] = [offset, Math.min(text.length, offset + bytes) + 1];
  while (fails - fits > 1) {
    const middle = Math.floor((fits + fails) / 2);
    if (utf8Bytes(JSON.stringify(upTo(middle))) <= bytes) fits = middle;
    else fails = middle;
  }
  return upTo(Math.max(fits, Math.min(offset, text.length)));
}

function found(text: string, result: number, offset: number, search: string): { [key: string]: Json } {
  const [low, wanted] = [text.toLowerCase(), search.toLowerCase()];
  const matches: Json[] = [];
  for (let at = low.indexOf(wanted, offset); at !== -1; at = low.indexOf(wanted, at + wanted.length)) {
    if (matches.length === MOST_MATCHES) return { result, characters: text.length, matches, nextOffset: at };
    const begin = Math.max(0, at - (MATCH_CHARACTERS - search.length) / 2);
    matches.push({ offset: at, text: text.slice(begin, begin + MATCH_CHARACTERS).toWellFormed() });
  }
  return { result, characters: text.length, matches };
}

function parsedArguments(text: string): z.infer<typeof ReadResultArgs> | { error: string } {
  try {
    return ReadResultArgs.parse(JSON.parse(text));
  } catch {
    return { error: `The arguments of ${READ_RESULT} are not as described: ${JSON.stringify(READ_RESULT_SCHEMA.parameters)}` };
  }
}
