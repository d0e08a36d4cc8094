/**
 * What a server says when it does not answer: its words, legible, and the fields that classify it. Servers put them into `error`, `message`
 * or `detail`, as text, object or list, in JSON or HTML; gateways wrap what the server behind them said.
 */
import { isObject, parsedJson } from './reading/json-spans.js';

const MAX_WORDS = 1000;

/** A server's refusal, by status or inside of an answer. */
export class ServerRefusal extends Error {
  readonly words: string;
  /** Code and type in the server's own words, lower case. */
  readonly kinds: readonly string[];
  /** Names the parameter that is at fault, if the server does. */
  readonly param: string | undefined;

  /**
   * @param status of HTTP, or as the answer says it
   * @param body parsed, or text
   * @param late the refusal came when the model had begun to write
   */
  constructor(
    readonly status: number,
    readonly body: unknown,
    readonly headers: Record<string, string> = {},
    readonly late = false,
  ) {
    const words = wordsOf(body);
    super(words || `status ${status}`);
    this.words = words;
    const inner = errorOf(body);
    const fields = [inner['code'], inner['type'], inner['status'], inner['reason']];
    this.kinds = fields.flatMap((field) => (typeof field === 'string' && field !== '' ? [field.toLowerCase()] : []));
    this.param = typeof inner['param'] === 'string' && inner['param'] !== '' ? inner['param'] : undefined;
  }

  /** Whether the server itself speaks, and not a page of a gateway. */
  get isOwn(): boolean {
    return isObject(this.body) || Array.isArray(this.body);
  }

  /** The fields of the error itself. */
  get fields(): Record<string, unknown> {
    return errorOf(this.body);
  }
}

/** The refusal that an answer with status 200 holds in place of an answer; undefined: it holds none. */
export function refusalInside(answer: unknown, headers: Record<string, string> = {}, late = false): ServerRefusal | undefined {
  const body: unknown = Array.isArray(answer) ? answer[0] : answer;
  if (!isObject(body) || body['error'] === undefined || body['error'] === null || body['error'] === '') return undefined;
  return new ServerRefusal(statusInside(body), body, headers, late);
}

const STATUS_BY_KIND: readonly (readonly [pattern: RegExp, status: number])[] = [
  [/insufficient[_ ](quota|credit|balance|funds)|billing|payment.required|out of credit/, 402],
  [/rate.?limit|too.many.requests|resource.?exhausted|throttl|quota/, 429],
  [/overloaded|over.?capacity|unavailable|loading/, 503],
  [/unauthenticated|authentication|invalid.api.?key|no auth/, 401],
  [/permission/, 403],
  [/model.?not.?found|model .* (does not exist|not found)|not.?found/, 404],
  [/invalid.?(request|argument|parameter)|bad.?request|context.?length|validation/, 400],
];

/** A number where the server gives one, else by its words; 500 where nothing says more. */
function statusInside(body: Record<string, unknown>): number {
  const inner = errorOf(body);
  for (const value of [inner['code'], inner['status'], inner['status_code'], inner['http_code'], body['code'], body['status']]) {
    const number = typeof value === 'string' ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= 400 && number < 600) return number;
  }
  const kinds = [inner['code'], inner['type'], inner['status'], wordsOf(body)].filter((each) => typeof each === 'string');
  const said = kinds.join(' ').toLowerCase();
  return STATUS_BY_KIND.find(([pattern]) => pattern.test(said))?.[1] ?? 500;
}

/** The object that describes the error, wherever it is. */
function errorOf(body: unknown): Record<string, unknown> {
  const first: unknown = Array.isArray(body) ? body[0] : body;
  if (!isObject(first)) return {};
  const { error } = first;
  if (isObject(error)) return isObject(error['error']) ? error['error'] : error;
  return first;
}

/** Legible words; empty where nothing is said. */
export function wordsOf(body: unknown): string {
  const text = typeof body === 'string' ? ofText(body) : ofValue(body, 0);
  return text.replace(/\s+/g, ' ').trim().slice(0, MAX_WORDS).toWellFormed();
}

function ofText(text: string): string {
  const value = parsedJson(text);
  if (typeof value === 'object' && value !== null) return ofValue(value, 0);
  if (!/^\s*<(!doctype|html|head|body|\?xml)/i.test(text)) return text;
  const title = /<(?:title|h1)[^>]*>([\s\S]*?)<\//i.exec(text)?.[1] ?? '';
  return title || text.replace(/<(style|script)[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, ' ');
}

/** In this order: what a person is told, then what was said further behind. */
function ofValue(value: unknown, depth: number): string {
  if (typeof value === 'string') return depth > 0 && /^\s*[[{]/.test(value) ? ofText(value) || value : value;
  if (depth > 5) return '';
  if (Array.isArray(value)) return listed(value, depth);
  if (!isObject(value)) return '';
  const place = Array.isArray(value['loc']) ? `${value['loc'].filter((each) => each !== 'body').join('.')}: ` : '';
  for (const key of ['error', 'message', 'msg', 'detail', 'errors', 'error_description', 'title', 'reason']) {
    const words = ofValue(value[key], depth + 1);
    if (words !== '') return `${place}${words}${behind(value, words, depth)}`;
  }
  return '';
}

function listed(values: unknown[], depth: number): string {
  const words = values.slice(0, 5).map((each) => ofValue(each, depth + 1));
  return words.filter((each) => each !== '').join('; ');
}

/** OpenRouter quotes the server behind it in `metadata.raw`. */
function behind(value: Record<string, unknown>, words: string, depth: number): string {
  const metadata = value['metadata'];
  const raw = isObject(metadata) ? ofValue(metadata['raw'], depth + 1) : '';
  return raw === '' || raw === words ? '' : ` (${raw})`;
}
