/** Puts the chunks of a streamed chat completion together to the completion that a server would have sent in one piece. */
import { contentParts } from '../reading/content-parts.js';
import { isObject, parsedJson } from '../reading/json-spans.js';
import { refusalInside } from '../server-words.js';
import type { Collector, ServerEvent, Told } from '../wire-api.js';
import { ThoughtFilter } from './thought-filter.js';

type Fields = Record<string, unknown>;

/** Fields that come in pieces; of all others the last one counts. */
const IN_PIECES = new Set(['content', 'reasoning_content', 'reasoning', 'thinking', 'refusal']);

export class ChatChunks implements Collector {
  complete = false;
  private head: Fields = {};
  private usage: unknown;
  /** A chunk held the count alone. */
  private counted = false;
  private finish: unknown;
  private message: Fields = {};
  private readonly calls: Fields[] = [];
  private readonly filter: ThoughtFilter;

  constructor(told: Told) {
    this.filter = new ThoughtFilter(told);
  }

  get written(): string {
    const { content, reasoning_content: thought, reasoning } = this.message;
    return [contentParts(content).text, contentParts(thought ?? reasoning).text].find((text) => text !== '') ?? '';
  }

  add({ data }: ServerEvent): boolean {
    if (data.trim() === '[DONE]') {
      this.complete = true;
      return true;
    }
    const chunk = parsedJson(data);
    if (!isObject(chunk)) return false;
    const refusal = refusalInside(chunk, {}, this.written !== '' || this.calls.length > 0);
    if (refusal) throw refusal;
    const { choices, usage, ...head } = chunk;
    this.head = { ...head, ...this.head };
    // In each chunk, in the last, or in one of its own behind it: the last one counts.
    if (isObject(usage)) this.usage = usage;
    const choice: unknown = Array.isArray(choices) ? choices.find((each) => isObject(each) && (each['index'] ?? 0) === 0) : undefined;
    if (isObject(choice)) this.addChoice(choice);
    else if (isObject(usage)) this.counted = true;
    return false;
  }

  /**
   * Some servers leave out both the finish and `[DONE]`: a chunk with nothing but the count is the last one, and whole JSON does not go on.
   */
  isWhole(): boolean {
    if (this.counted) return true;
    if (this.calls.length > 0) return this.calls.every((call) => isObject(parsedJson(String((call['function'] as Fields)['arguments']))));
    return isObject(parsedJson(contentParts(this.message['content']).text));
  }

  whole(): unknown {
    const { finish, message, calls, usage } = this;
    const choice = {
      index: 0,
      finish_reason: finish ?? null,
      message: { role: 'assistant', ...message, ...(calls.length > 0 && { tool_calls: calls }) },
    };
    return { ...this.head, choices: [choice], ...(usage !== undefined && { usage }) };
  }

  private addChoice(choice: Fields): void {
    const refusal = isObject(choice['error']) ? refusalInside(choice, {}, true) : undefined;
    if (refusal) throw refusal;
    const said = choice['delta'] ?? choice['message'] ?? (typeof choice['text'] === 'string' ? { content: choice['text'] } : undefined);
    if (isObject(said)) this.addDelta(said);
    const { finish_reason: finish } = choice;
    if (typeof finish !== 'string' || finish === '') return;
    this.finish = finish;
    this.complete = true;
  }

  private addDelta({ tool_calls: calls, ...fields }: Fields): void {
    for (const [field, value] of Object.entries(fields)) {
      if (value === null || value === undefined) continue;
      this.message[field] = joined(field, this.message[field], value);
    }
    const { text, thoughts } = contentParts(fields['content']);
    const thought = [fields['reasoning_content'], fields['reasoning'], fields['thinking']].find(
      (each) => typeof each === 'string' && each !== '',
    );
    this.filter.add({ text, reasoning: typeof thought === 'string' ? thought : thoughts });
    if (Array.isArray(calls)) for (const call of calls) if (isObject(call)) this.addCall(call);
  }

  /** By index, where there is one. Without, a new id or name opens a call, and what has neither goes on with the last. */
  private addCall(piece: Fields): void {
    const { index, id, function: named, ...more } = piece;
    const open = typeof index === 'number' ? this.calls.find((call) => call['index'] === index) : this.continued(piece);
    if (!open || isAnother(open, piece)) {
      this.calls.push({
        ...(index !== undefined && { index }),
        ...(typeof id === 'string' && id !== '' && { id }),
        ...more,
        function: functionOf(piece),
      });
      return;
    }
    if (typeof id === 'string' && id !== '') open['id'] ??= id;
    for (const [field, value] of Object.entries(more)) open[field] = joined(field, open[field], value);
    if (!isObject(named)) return;
    const held = open['function'] as Fields;
    if (typeof named['name'] === 'string' && named['name'] !== '') held['name'] = held['name'] ? held['name'] : named['name'];
    held['arguments'] = joinedArguments(held['arguments'], named['arguments']);
  }

  private continued({ id, function: named }: Fields): Fields | undefined {
    const last = this.calls.at(-1);
    if (typeof id === 'string' && id !== '') return this.calls.find((call) => call['id'] === id);
    return isObject(named) && typeof named['name'] === 'string' && named['name'] !== '' ? undefined : last;
  }
}

/** Some servers give each call of a turn the index 0 (Gemini's compatible endpoint did): another id with another name is another call. */
function isAnother(open: Fields, { id, function: named }: Fields): boolean {
  const hasName = isObject(named) && typeof named['name'] === 'string' && named['name'] !== '';
  return hasName && typeof id === 'string' && id !== '' && open['id'] !== undefined && open['id'] !== id;
}

function functionOf({ function: named, name, arguments: args }: Fields): Fields {
  return isObject(named) ? { ...named } : { name, arguments: args };
}

function joinedArguments(held: unknown, piece: unknown): unknown {
  if (piece === undefined || piece === null) return held;
  return typeof held === 'string' && typeof piece === 'string' ? held + piece : piece;
}

function joined(field: string, held: unknown, piece: unknown): unknown {
  if (held === undefined || held === null) return piece;
  if (typeof held === 'string' && typeof piece === 'string') return IN_PIECES.has(field) ? held + piece : piece;
  if (Array.isArray(held) && Array.isArray(piece)) return piece.reduce(addPart, [...held] as unknown[]) as unknown[];
  if (Array.isArray(held) && field === 'content' && typeof piece === 'string')
    return [...(held as unknown[]), { type: 'text', text: piece }];
  if (typeof held === 'string' && field === 'content' && Array.isArray(piece))
    return held === '' ? piece : [{ type: 'text', text: held }, ...(piece as unknown[])];
  return isObject(held) && isObject(piece) ? { ...held, ...piece } : piece;
}

/** OpenRouter sends `reasoning_details` in pieces of one index and type, Mistral parts of content in the same way. */
function addPart(parts: unknown[], piece: unknown): unknown[] {
  const last = parts.at(-1);
  const goesOn =
    isObject(last) && isObject(piece) && last['type'] === piece['type'] && last['index'] === piece['index'] && last['id'] === piece['id'];
  if (!goesOn || last['type'] === 'reasoning.encrypted') return [...parts, piece];
  const whole: Fields = { ...last };
  for (const [field, value] of Object.entries(piece)) {
    const held = whole[field];
    const isText = typeof held === 'string' && typeof value === 'string' && /^(text|summary|thinking)$/.test(field);
    if (Array.isArray(held) && Array.isArray(value)) whole[field] = [...(held as unknown[]), ...(value as unknown[])];
    else if (value !== null && value !== undefined) whole[field] = isText ? held + value : value;
  }
  return [...parts.slice(0, -1), whole];
}
