/**
 * What went wrong at the model server, in our codes: whether the same call may succeed later, when, and whether this one may have cost
 * something. Retries belong to the loop and to the engine; only the flags are decided here. The table of all cases is in
 * `failures.int.spec.ts`.
 *
 * `billed: 'no'` needs certainty, since the call is then settled at nothing. Azure's documentation of costs says that one may be charged for
 * a 400 by the content filter or by the input limit and for a 408, and not for a 401 or a 429. Gateways answer 500, 502, 503 and 504 for
 * requests that a model is still working on. These are `unknown`, except for a 503 or 529 by which the server itself turns the request away.
 */
import { CadreError, type CadreErrorOptions } from '@cadre/contracts';
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { isFiltered, isTooLong } from './dialect.js';
import { retryAfterMs } from './retry-after.js';

/** @param server base URL, for people */
export function modelError(error: unknown, server: string, timeoutMs: number): CadreError {
  if (error instanceof CadreError) return error;
  if (error instanceof APIConnectionTimeoutError) return timeoutError(server, timeoutMs, error);
  if (error instanceof APIError && typeof error.status === 'number') return statusError(error as APIError<number, Headers>, server);
  const detail = deepestMessage(error);
  const what = error instanceof APIConnectionError ? 'could not be reached' : 'broke off or sent an answer that cannot be read';
  return new CadreError('model-unavailable', `The model server at ${server} ${what}: ${detail}.`, {
    retriable: true,
    billed: wasNeverSent(error) ? 'no' : 'unknown',
    remedy: 'Check that it runs and that OPENAI_BASE_URL is right.',
    cause: error,
  });
}

export function timeoutError(server: string, timeoutMs: number, cause?: unknown): CadreError {
  return new CadreError('model-timeout', `The model server at ${server} gave no whole answer within ${timeoutMs} ms.`, {
    retriable: true,
    billed: 'unknown',
    cause,
  });
}

/** The signal's reason when it is a `CadreError`, else `aborted`. @param sent whether the request may have left */
export function abortError(signal: AbortSignal, sent: boolean): CadreError {
  const billed = sent ? 'unknown' : 'no';
  const { reason } = signal as { reason: unknown };
  if (!(reason instanceof CadreError)) return new CadreError('aborted', 'The work was stopped from outside.', { retriable: true, billed });
  const { code, message, retriable, remedy } = reason;
  return new CadreError(code, message, { retriable, billed, cause: reason, ...(remedy !== undefined && { remedy }) });
}

function statusError(error: APIError<number, Headers>, server: string): CadreError {
  const said = error.message.replace(/^\d+ /, '').slice(0, 1000);
  const { code, ...options } = verdictOn(error);
  const wait = options.retriable ? retryAfterMs(error.headers, Date.now()) : undefined;
  return new CadreError(code, `The model server at ${server} answered ${error.status}: ${said}`, {
    ...options,
    cause: error,
    ...(wait !== undefined && { retryAfterMs: wait }),
  });
}

type Verdict = { code: string } & Required<Pick<CadreErrorOptions, 'retriable' | 'billed'>> & Pick<CadreErrorOptions, 'remedy'>;

const WRONG_MODEL = 'Check the model name (CADRE_MODEL) and OPENAI_BASE_URL.';

function verdictOn(error: APIError<number, Headers>): Verdict {
  const { status } = error;
  if (status === 404 || error.code === 'model_not_found') return fatal('model-not-found', WRONG_MODEL);
  if (status === 401 || status === 403) return fatal('model-unauthorized', 'Check OPENAI_API_KEY and what it may use.');
  if (status === 402 || isOutOfQuota(error)) return fatal('model-quota-exhausted', 'The account has no quota left; check its billing.');
  if (status === 429) return { code: 'model-rate-limited', retriable: true, billed: 'no' };
  if (status === 408) return { code: 'model-timeout', retriable: true, billed: 'unknown' };
  if (status === 409 || status === 425) return { code: 'model-unavailable', retriable: true, billed: 'no' };
  if (status >= 500) return { code: 'model-unavailable', retriable: true, billed: turnsAway(error) ? 'no' : 'unknown' };
  if (isFiltered(error)) return { code: 'model-refused', retriable: false, billed: 'unknown' };
  if (isTooLong(error)) return { code: 'model-context-exceeded', retriable: false, billed: 'unknown' };
  if (status === 413) return fatal('model-context-exceeded');
  return fatal('model-rejected');
}

/** The same call will fail again, and costs nothing. */
function fatal(code: string, remedy?: string): Verdict {
  return { code, retriable: false, billed: 'no', ...(remedy !== undefined && { remedy }) };
}

/** Status 429 too, but waiting does not help. */
function isOutOfQuota({ status, code, type }: APIError): boolean {
  return status === 429 && [code, type].some((word) => word === 'insufficient_quota' || word === 'billing_not_active');
}

/** The server itself says that it did not take the request, in its own form or with a time to come back. */
function turnsAway({ status, error, headers }: APIError<number, Headers>): boolean {
  if (status === 529) return true;
  return status === 503 && (Boolean(headers?.get('retry-after')) || (typeof error === 'object' && error !== null && 'message' in error));
}

/** Before a connection stood nothing was asked for. */
const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
]);

function wasNeverSent(error: unknown): boolean {
  return causesOf(error).some((cause) => {
    const { code, syscall, message } = cause as NodeJS.ErrnoException;
    if ((code !== undefined && NO_CONNECTION.has(code)) || syscall === 'connect' || syscall === 'getaddrinfo') return true;
    if (/before secure TLS connection was established/.test(message)) return true;
    const { socket } = cause as { socket?: { bytesWritten?: number } };
    return socket?.bytesWritten === 0;
  });
}

/** The SDK wraps what the socket said; people need the innermost words. */
function deepestMessage(error: unknown): string {
  const innermost = causesOf(error).at(-1);
  if (innermost === undefined) return String(error);
  const { code, message } = innermost as NodeJS.ErrnoException;
  const words = code && !message.includes(code) ? `${message} (${code})` : message;
  return (words || String(error)).replace(/\.$/, '');
}

/** By shape, not by class: what the runtime throws may come from another realm. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let at = error; isError(at) && causes.length < 5; at = at.cause) causes.push(at);
  return causes;
}

function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string';
}
