/** Puts the events of a streamed message together (platform.claude.com/docs/en/build-with-claude/streaming, read in November 2026). */
import { isObject, parsedJson } from '../reading/json-spans.js';
import { refusalInside } from '../server-words.js';
import type { Collector, ServerEvent, Told } from '../wire-api.js';

type Fields = Record<string, unknown>;

export class MessageEvents implements Collector {
  complete = false;
  private message: Fields = {};
  private readonly blocks: Fields[] = [];

  constructor(private readonly told: Told) {}

  get written(): string {
    return this.blocks.map((block) => (typeof block['text'] === 'string' ? block['text'] : '')).join('');
  }

  add({ data }: ServerEvent): boolean {
    const event = parsedJson(data);
    if (!isObject(event)) return false;
    const refusal = refusalInside(event, {}, this.blocks.length > 0);
    if (refusal) throw refusal;
    switch (event['type']) {
      case 'message_start':
        if (isObject(event['message'])) this.message = { ...event['message'] };
        return false;
      case 'content_block_start':
        this.blocks[placeOf(event, this.blocks.length)] = isObject(event['content_block']) ? { ...event['content_block'] } : {};
        return false;
      case 'content_block_delta':
        if (isObject(event['delta'])) this.addDelta(event, event['delta']);
        return false;
      case 'message_delta':
        this.addEnd(event);
        return false;
      case 'message_stop':
        this.complete = true;
        return true;
      default:
        return false;
    }
  }

  whole(): unknown {
    return { ...this.message, content: this.blocks.filter((block) => block !== undefined) };
  }

  private addDelta(event: Fields, delta: Fields): void {
    const block = (this.blocks[placeOf(event, Math.max(0, this.blocks.length - 1))] ??= {});
    const add = (field: string, piece: unknown) => {
      if (typeof piece === 'string') block[field] = `${typeof block[field] === 'string' ? block[field] : ''}${piece}`;
    };
    add('text', delta['text']);
    add('thinking', delta['thinking']);
    add('signature', delta['signature']);
    add('written', delta['partial_json']);
    block['type'] ??= typeof delta['text'] === 'string' ? 'text' : 'thinking';
    if (typeof delta['text'] === 'string' && delta['text'] !== '') this.told({ text: delta['text'] });
    if (typeof delta['thinking'] === 'string' && delta['thinking'] !== '') this.told({ reasoning: delta['thinking'] });
  }

  /** Counts are totals; those of the input may be told at the start alone. */
  private addEnd({ delta, usage }: Fields): void {
    if (isObject(delta)) this.message = { ...this.message, ...delta };
    if (isObject(delta) && typeof delta['stop_reason'] === 'string') this.complete = true;
    if (!isObject(usage)) return;
    const before = isObject(this.message['usage']) ? this.message['usage'] : {};
    const told = Object.entries(usage).filter(([, value]) => value !== null && value !== undefined);
    this.message['usage'] = { ...before, ...Object.fromEntries(told) };
  }
}

/** A place that is none, or far beyond the others, is the next one. */
function placeOf({ index }: Fields, next: number): number {
  return typeof index === 'number' && Number.isInteger(index) && index >= 0 && index <= next + 100 ? index : next;
}
