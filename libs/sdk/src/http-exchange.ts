/** One HTTP exchange with the gateway: errors translated once, answers checked against their schema. */
import type { Problem } from '@cadre/contracts';
import type { z } from 'zod';
import { badAnswer, CadreApiError, unreachable } from './errors.js';

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  headers?: Record<string, string>;
  body?: FormData | string;
  signal?: AbortSignal;
}

export class HttpExchange {
  constructor(
    readonly baseUrl: string,
    private readonly send: typeof fetch,
    private readonly headers: Record<string, string>,
  ) {}

  /**
   * @returns the response, its status at least 200 and below 300
   * @throws CadreApiError for problem answers, CadreError `gateway-unreachable`; an abort is passed on as it is
   */
  async request(path: string, options: RequestOptions = {}): Promise<Response> {
    const response = await this.raw(path, options);
    if (response.ok) return response;
    throw new CadreApiError(await readProblem(response));
  }

  /** Like `request`, but every status is an answer. */
  async raw(path: string, options: RequestOptions = {}): Promise<Response> {
    const { method = 'GET', headers = {}, body, signal } = options;
    try {
      return await this.send(`${this.baseUrl}${path}`, {
        method,
        headers: { ...this.headers, ...headers },
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw unreachable(this.baseUrl, error);
    }
  }

  /** The JSON answer of a request, checked. */
  async json<T>(path: string, schema: z.ZodType<T>, options: RequestOptions = {}): Promise<T> {
    const response = await this.request(path, options);
    // Parsed here: what `response.json()` gives may be of another realm, and then no object of its counts as plain.
    const body: unknown = await response.text().then(parsed, () => undefined);
    return check(schema, body, `${this.baseUrl}${path}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Fields that this release does not know are let through, so that an older client works with a newer gateway. */
export function check<T>(schema: z.ZodType<T>, body: unknown, url: string): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.find((issue) => issue.code !== 'unrecognized_keys');
  if (wrong === undefined) return body as T;
  throw badAnswer(url, `${wrong.path.join('.') || 'body'}: ${wrong.message}`);
}

async function readProblem(response: Response): Promise<Partial<Problem> & { status: number }> {
  const body: unknown = await response.json().catch(() => undefined);
  return { ...(typeof body === 'object' && body !== null ? body : {}), status: response.status };
}
