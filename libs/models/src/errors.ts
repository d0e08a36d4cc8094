/** What went wrong at the model server, in our codes. Retries belong to the engine; only the flag is decided here. */
import { CadreError } from '@cadre/contracts';
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';

/** @param server base URL, for people */
export function modelError(error: unknown, server: string, timeoutMs: number): CadreError {
  if (error instanceof CadreError) return error;
  if (error instanceof APIConnectionTimeoutError) return timeoutError(server, timeoutMs, error);
  if (error instanceof APIError && typeof error.status === 'number') return statusError(error as APIError<number, Headers>, server);
  const detail = deepestMessage(error);
  const what = error instanceof APIConnectionError ? 'could not be reached' : 'broke off or sent an answer that cannot be read';
  return new CadreError('model-unavailable', `The model server at ${server} ${what}: ${detail}.`, {
    retriable: true,
    remedy: 'Check that it runs and that OPENAI_BASE_URL is right.',
    cause: error,
  });
}

export function timeoutError(server: string, timeoutMs: number, cause?: unknown): CadreError {
  return new CadreError('model-timeout', `The model server at ${server} gave no whole answer within ${timeoutMs} ms.`, {
    retriable: true,
    cause,
  });
}

function statusError(error: APIError<number, Headers>, server: string): CadreError {
  const { status } = error;
  const said = `The model server at ${server} answered ${status}: ${error.message.replace(/^\d+ /, '').slice(0, 1000)}`;
  const make = (code: string, retriable: boolean, remedy?: string, message = said) =>
    new CadreError(code, message, { retriable, cause: error, ...(remedy !== undefined && { remedy }) });
  if (status === 401 || status === 403) return make('model-unauthorized', false, 'Check OPENAI_API_KEY and what it may use.');
  if (status === 404) return make('model-rejected', false, 'Check the model name (CADRE_MODEL) and OPENAI_BASE_URL.');
  if (status === 408) return make('model-timeout', true);
  if (status === 429) {
    if (error.code === 'insufficient_quota') return make('model-rate-limited', false, 'The account has no quota left; check its billing.');
    const wait = error.headers?.get('retry-after');
    return make('model-rate-limited', true, undefined, wait ? `${said} (Retry-After: ${wait})` : said);
  }
  if (status === 409 || status === 425 || status >= 500) return make('model-unavailable', true);
  return make('model-rejected', false);
}

/** The SDK wraps what the socket said; people need the innermost words. */
function deepestMessage(error: unknown): string {
  let words = String(error);
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const code = (at as NodeJS.ErrnoException).code;
    words = code && !at.message.includes(code) ? `${at.message} (${code})` : at.message || words;
  }
  return words.replace(/\.$/, '');
}
