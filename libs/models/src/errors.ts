/**
 * What went wrong at the model server, in our codes: whether the same call may succeed later, when, and whether this one may have cost
 * something. Retries belong to the loop and to the engine; only the flags are decided here. The table of all cases is in
 * `failures.int.spec.ts`.
 *
 * `billed: 'no'` needs certainty, since the call is then settled at nothing. What a server refuses before the model has begun costs
 * nothing, be it by status or by an error in place of an answer; Azure's documentation of costs says that one may be charged for a 400 by
 * the content filter and for a 408. Gateways answer 500, 502, 503 and 504 for requests that a model is still working on: these are
 * `unknown`, except for a 503 or 529 by which the server itself turns the request away.
 */
import { CadreError, type CadreErrorOptions } from '@cadre/contracts';
import { namedTimeMs } from './refusals/named-time.js';
import { isFiltered, isWithoutTools } from './refusals/refused-part.js';
import { tokenFault } from './refusals/token-limits.js';
import { ServerRefusal } from './server-words.js';
import { CutAnswer, UnreadableAnswer } from './wire-api.js';

/** As far as a `Failure` can say it. A server that wants to be left alone for longer has no quota left. */
const LONGEST_MS = 3_600_000;
const MAX_QUOTE = 160;

/** @param server base URL, for people @param cap what the model was allowed to write */
export function modelError(error: unknown, server: string, cap = 0): CadreError {
  if (error instanceof CadreError) return error;
  if (error instanceof ServerRefusal) return refusalError(error, server, cap);
  const unsure = { retriable: true, billed: 'unknown' as const, cause: error };
  if (error instanceof UnreadableAnswer) {
    return new CadreError(
      'model-garbled',
      `The model server at ${server} sent something else than an answer of its API: ${error.message}.`,
      { ...unsure, remedy: WRONG_BASE },
    );
  }
  if (error instanceof CutAnswer)
    return new CadreError(
      error.cause === undefined ? 'model-garbled' : 'model-unavailable',
      `The model server at ${server} broke off: ${error.message}.${quoted(error.written)}`,
      unsure,
    );
  if (isDistrusted(error)) {
    return new CadreError('model-untrusted', `The model server at ${server} is not trusted: ${deepestMessage(error)}.`, {
      ...{ retriable: false, billed: 'no', cause: error },
      remedy: 'NODE_EXTRA_CA_CERTS names a file with the certificate of its authority; or correct the URL (https, the name of the host).',
    });
  }
  const billed = wasNeverSent(error) ? 'no' : 'unknown';
  const what = billed === 'no' ? 'could not be reached' : 'broke off or sent an answer that cannot be read';
  return new CadreError('model-unavailable', `The model server at ${server} ${what}: ${deepestMessage(error)}.`, {
    retriable: true,
    billed,
    remedy: 'Check that it runs and that OPENAI_BASE_URL is right.',
    cause: error,
  });
}

/** @param written what had come of the answer */
export function silenceError(server: string, limit: { name: string; ms: number }, written?: string): CadreError {
  const what = written === undefined ? 'gave no sign of an answer' : 'fell silent in the middle of its answer';
  return new CadreError(
    'model-timeout',
    `The model server at ${server} ${what} for ${limit.ms} ms (${limit.name}).${quoted(written ?? '')}`,
    {
      retriable: true,
      billed: 'unknown',
      remedy: `If the model needs longer, set ${limit.name} to more milliseconds.`,
    },
  );
}

function quoted(written: string): string {
  const flat = written.replace(/\s+/g, ' ').trim();
  if (flat === '') return '';
  return ` It had written ${flat.length} characters, at the end: "${flat.slice(-MAX_QUOTE).toWellFormed()}"`;
}

/** The signal's reason when it is a `CadreError`, else `aborted`. @param sent whether the request may have left */
export function abortError(signal: AbortSignal, sent: boolean): CadreError {
  const billed = sent ? 'unknown' : 'no';
  const { reason } = signal as { reason: unknown };
  if (!(reason instanceof CadreError)) return new CadreError('aborted', 'The work was stopped from outside.', { retriable: true, billed });
  const { code, message, retriable, remedy } = reason;
  return new CadreError(code, message, { retriable, billed, cause: reason, ...(remedy !== undefined && { remedy }) });
}

function refusalError(refusal: ServerRefusal, server: string, cap: number): CadreError {
  const named = namedTimeMs(refusal, Date.now());
  const { code, ...options } = verdictOn(refusal, server, cap, named);
  const words = refusal.words || '(it gave no reason)';
  return new CadreError(code, `The model server at ${server} answered ${refusal.status}: ${words}`, {
    ...options,
    cause: refusal,
    ...(options.retriable && named !== undefined && { retryAfterMs: Math.min(named, LONGEST_MS) }),
    ...(refusal.late && { billed: 'unknown' }),
  });
}

type Verdict = { code: string } & Required<Pick<CadreErrorOptions, 'retriable' | 'billed'>> & Pick<CadreErrorOptions, 'remedy'>;

const WRONG_MODEL = 'Check the model name (CADRE_MODEL) and OPENAI_BASE_URL.';
const WRONG_BASE = 'Check that OPENAI_BASE_URL is the base of an OpenAI-compatible API; it often ends in /v1.';
const WITHOUT_TOOLS = 'The model cannot call tools: choose one that can (CADRE_MODEL), or turn the tool calls of its server on';

function verdictOn(refusal: ServerRefusal, server: string, cap: number, namedMs: number | undefined): Verdict {
  const { status, kinds } = refusal;
  if (kinds.includes('model_not_found')) return fatal('model-not-found', WRONG_MODEL);
  if (status === 404) return fatal('model-not-found', /model|deployment|engine/i.test(refusal.words) ? WRONG_MODEL : WRONG_BASE);
  if (isOutOfCredit(refusal, namedMs)) return fatal('model-quota-exhausted', 'The account has no quota or credit left; check its billing.');
  if (status === 429 && isOfTheDay(refusal, namedMs))
    return fatal('model-quota-exhausted', 'The quota of the day is used up; wait until it begins anew, or raise it.');
  if (status === 401 || status === 403) return fatal('model-unauthorized', 'Check OPENAI_API_KEY and what it may use.');
  if (status === 429) return passing('model-rate-limited', 'no');
  if (isLoading(refusal)) return passing('model-loading', 'no');
  if (status === 408) return passing('model-timeout', 'unknown');
  if (status === 409 || status === 425) return passing('model-unavailable', 'no');
  if (isFailedCall(refusal)) return passing('model-call-unread', 'no');
  if (status >= 500) return passing('model-unavailable', turnsAway(refusal) ? 'no' : 'unknown');
  if (status >= 300 && status < 400) return fatal('model-rejected', `Set OPENAI_BASE_URL to where it is${movedTo(refusal, server)}.`);
  if (isFiltered(refusal)) return { code: 'model-refused', retriable: false, billed: 'unknown' };
  return ofRequest(refusal, cap);
}

function ofRequest(refusal: ServerRefusal, cap: number): Verdict {
  const tokens = tokenFault(refusal, cap);
  if (tokens?.kind === 'cap' || tokens?.kind === 'cap-unnamed')
    return fatal('model-rejected', 'Set CADRE_MAX_OUTPUT_TOKENS to what the model may write at most.');
  if (refusal.status === 413 && !tokens && !/token|context|prompt/i.test(refusal.words)) {
    return fatal(
      'model-context-exceeded',
      'The request has too many bytes for the server or a proxy before it: raise the limit there, or give the agent less to read.',
    );
  }
  if (tokens || refusal.status === 413 || refusal.kinds.includes('context_length_exceeded')) {
    return fatal(
      'model-context-exceeded',
      'Use a model with a larger window, raise the window of the server, or give the agent less to read.',
    );
  }
  if (isWithoutTools(refusal)) {
    const isOff = refusal.words.includes('--enable-auto-tool-choice');
    return fatal(
      'model-rejected',
      `${WITHOUT_TOOLS}${isOff ? ' (vLLM: --enable-auto-tool-choice, and --tool-call-parser for the model)' : ''}.`,
    );
  }
  return fatal('model-rejected');
}

/** The base of the place that a redirect names: it tells where the endpoint is. */
function movedTo({ headers: { location } }: ServerRefusal, server: string): string {
  if (location === undefined) return '';
  const to = URL.canParse(location, server) ? new URL(location, server).href : location;
  return `: ${to.replace(/\/(chat\/completions|responses|messages)\/?$/, '')}`;
}

function passing(code: string, billed: 'no' | 'unknown'): Verdict {
  return { code, retriable: true, billed };
}

/** The same call will fail again, and costs nothing. */
function fatal(code: string, remedy?: string): Verdict {
  return { code, retriable: false, billed: 'no', ...(remedy !== undefined && { remedy }) };
}

const NO_CREDIT =
  /insufficient[_ ](?:credit|balance|quota|funds)|credit balance is too low|out of credits?|billing.{0,20}(?:limit|not active)|payment required|in arrears|can only afford/i;

/**
 * Waiting does not help. Google says "exceeded your current quota, please check your plan and billing" of a minute's quota, too, but then
 * it names a time.
 */
function isOutOfCredit({ status, kinds, words }: ServerRefusal, namedMs: number | undefined): boolean {
  if (status === 402 || kinds.some((kind) => kind === 'insufficient_quota' || kind === 'billing_not_active')) return true;
  if (status >= 500) return false;
  return (
    NO_CREDIT.test(words) ||
    (status === 429 && namedMs === undefined && /exceeded your current quota|check your plan and billing/i.test(words))
  );
}

/**
 * Google names a delay of seconds for quotas of a day, too: there the name of the quota counts. Groq's go by within minutes, as it says.
 */
function isOfTheDay({ body, words }: ServerRefusal, namedMs: number | undefined): boolean {
  if (namedMs !== undefined && namedMs > LONGEST_MS) return true;
  if (/PerDay/.test(typeof body === 'object' ? JSON.stringify(body) : '')) return true;
  return namedMs === undefined && /per[ -]?(day|month)|daily|monthly|\b(RPD|TPD)\b/i.test(words);
}

function isLoading({ status, words }: ServerRefusal): boolean {
  const says =
    /loading (the )?model|model\b.{0,80}\b(is|still)\b.{0,20}\b(loading|starting|being loaded)|currently loading|warming up|cold start/i;
  return (status === 503 || status === 500 || status === 425) && says.test(words);
}

/**
 * Ollama: 500 "error parsing tool call"; Groq: 400 `tool_use_failed`, `json_validate_failed`. The model has miswritten, and may do better.
 */
function isFailedCall({ kinds, words }: ServerRefusal): boolean {
  return (
    kinds.some((kind) => kind === 'tool_use_failed' || kind === 'json_validate_failed') ||
    /error parsing tool call|failed to (call a function|parse tool call)/i.test(words)
  );
}

/** The server itself says that it did not take the request, in its own form or with a time to come back. */
function turnsAway(refusal: ServerRefusal): boolean {
  if (refusal.status === 529) return true;
  return refusal.status === 503 && (refusal.headers['retry-after'] !== undefined || (refusal.isOwn && refusal.words !== ''));
}

/** Before a connection stood nothing was asked for. */
const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
]);

/** Somebody has to change something before that connection can stand. A certificate that has expired may be renewed meanwhile. */
const DISTRUST = new Set([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
]);

const isDistrusted = (error: unknown): boolean =>
  causesOf(error).some((cause) => DISTRUST.has((cause as NodeJS.ErrnoException).code ?? ''));

function wasNeverSent(error: unknown): boolean {
  return causesOf(error).some((cause) => {
    const { code, syscall, message } = cause as NodeJS.ErrnoException;
    if ((code !== undefined && NO_CONNECTION.has(code)) || syscall === 'connect' || syscall === 'getaddrinfo') return true;
    if (/before secure TLS connection was established|Proxy response \(\d+\)/.test(message)) return true;
    const { socket } = cause as { socket?: { bytesWritten?: number } };
    return socket?.bytesWritten === 0;
  });
}

/** Libraries wrap what the socket said; people need the innermost words. */
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
