/**
 * Puts the events of a streamed response together; the last one holds the whole (developers.openai.com/api/docs/guides/streaming-responses,
 * read in November 2026).
 */
import { isObject, parsedJson } from '../reading/json-spans.js';
import { ServerRefusal, refusalInside } from '../server-words.js';
import type { Collector, ServerEvent, Told } from '../wire-api.js';

type Fields = Record<string, unknown>;

export class ResponseEvents implements Collector {
  complete = false;
  written = '';
  private response: Fields = {};
  private readonly items: unknown[] = [];

  constructor(private readonly told: Told) {}

  add({ name, data }: ServerEvent): boolean {
    const event = parsedJson(data);
    if (!isObject(event)) return false;
    const type = typeof event['type'] === 'string' ? event['type'] : name;
    if (type === 'error') throw this.refusal({ error: isObject(event['error']) ? event['error'] : event });
    if (isObject(event['response'])) this.response = { ...this.response, ...event['response'] };
    if (type === 'response.failed') throw this.refusal(this.response);
    if (type === 'response.output_item.done') this.items.push(event['item']);
    this.tell(type, event['delta']);
    this.complete ||= type === 'response.completed' || type === 'response.incomplete';
    return this.complete;
  }

  /** Some servers leave the output out of the last event: then it is what came before. */
  whole(): unknown {
    const { output } = this.response;
    return { ...this.response, output: Array.isArray(output) && output.length > 0 ? output : this.items };
  }

  private tell(type: string, delta: unknown): void {
    if (typeof delta !== 'string' || delta === '') return;
    if (type === 'response.output_text.delta') {
      this.written += delta;
      this.told({ text: delta });
    }
    if (/^response\.reasoning(_summary)?_text\.delta$/.test(type)) this.told({ reasoning: delta });
  }

  private refusal(body: Fields): ServerRefusal {
    const late = this.written !== '' || this.items.length > 0;
    return refusalInside(body, {}, late) ?? new ServerRefusal(500, 'The server says that the response failed.', {}, late);
  }
}
