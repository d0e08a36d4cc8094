/** The asking side of `serveRequests`. */
import { CadreError, HEADERS } from '@cadre/contracts';
import { headers, NoRespondersError, RequestError, TimeoutError, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { ERROR_HEADERS } from './serve-requests.js';
import { TraceContext } from './trace-context.js';

export interface RequestJsonOptions<T> {
  /** The reply must fit. */
  schema: z.ZodType<T>;
  timeoutMs: number;
  trace?: TraceContext;
}

const ErrorReply = z.object({
  error: z.object({ code: z.string(), message: z.string(), retriable: z.boolean().default(false), remedy: z.string().optional() }),
});

/**
 * Asks once. Errors: `CadreError` `no-responders` and `request-timeout` (both retriable), `bad-reply` when the answer does not fit,
 * and what the other side answered as an error.
 */
export async function requestJson<T>(nats: NatsConnection, subject: string, body: unknown, options: RequestJsonOptions<T>): Promise<T> {
  const out = headers();
  out.set(HEADERS.traceparent, (options.trace ?? TraceContext.start()).format());
  const reply = await ask(nats, subject, JSON.stringify(body), out, options.timeoutMs);
  const value = jsonOf(reply, subject);
  if (reply.headers?.has(ERROR_HEADERS.code)) throw errorOf(value, subject);
  const parsed = options.schema.safeParse(value);
  if (!parsed.success) throw new CadreError('bad-reply', `the answer on ${subject} does not fit: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

async function ask(nats: NatsConnection, subject: string, body: string, out: ReturnType<typeof headers>, timeoutMs: number): Promise<Msg> {
  try {
    return await nats.request(subject, body, { timeout: timeoutMs, headers: out });
  } catch (cause) {
    if (isNoResponders(cause)) throw new CadreError('no-responders', `nobody answers on ${subject}`, { retriable: true, cause });
    if (cause instanceof TimeoutError || (cause instanceof RequestError && cause.cause instanceof TimeoutError)) {
      throw new CadreError('request-timeout', `no answer on ${subject} within ${timeoutMs} ms`, { retriable: true, cause });
    }
    throw new CadreError('request-failed', `the request on ${subject} could not be sent: ${(cause as Error).message}`, {
      retriable: true,
      cause,
    });
  }
}

/** @returns true when the server said that nobody listens on the subject of a request */
export function isNoResponders(error: unknown): boolean {
  return error instanceof NoRespondersError || (error instanceof RequestError && error.isNoResponders());
}

function jsonOf(reply: Msg, subject: string): unknown {
  try {
    return JSON.parse(reply.string()) as unknown;
  } catch (cause) {
    throw new CadreError('bad-reply', `the answer on ${subject} is not JSON`, { cause });
  }
}

function errorOf(value: unknown, subject: string): CadreError {
  const parsed = ErrorReply.safeParse(value);
  if (!parsed.success) return new CadreError('bad-reply', `the error on ${subject} does not fit`);
  const { code, message, retriable, remedy } = parsed.data.error;
  return new CadreError(code, message, { retriable, ...(remedy === undefined ? {} : { remedy }) });
}
