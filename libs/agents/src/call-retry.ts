/** What to do after a model call that failed: try it again at once, move on to another model, or let the attempt fail. */
import type { Billed } from '@cadre/contracts';

/** The part of a `CadreError` that decides. */
export interface CallFailure {
  code: string;
  retriable: boolean;
  retryAfterMs?: number | undefined;
  billed?: Billed | undefined;
}

/** Longer waits are the engine's: durable timers hold no slot and outlive the worker. */
export const CALL_RETRY = { retries: 2, maxWaitMs: 2000, firstWaitMs: 250, factor: 3, spreadMs: 250 } as const;

/**
 * The server's trouble, which passes by itself: it limits, loads, or cannot be reached. No fault of the task, whose attempts it does not
 * use up. A timeout is not among them: it has cost its time already, and a second one would cost it again.
 */
const SERVER_TROUBLE: ReadonlySet<string> = new Set(['model-unavailable', 'model-rate-limited', 'model-loading', 'model-breaker-open']);

export function isServerTrouble({ code, retriable }: Pick<CallFailure, 'code' | 'retriable'>): boolean {
  return retriable && SERVER_TROUBLE.has(code);
}

/**
 * Says of one model, not of the task, that it is of no use now. A refusal is missing on purpose: it is the model's answer, and asking
 * around until some model agrees would undo it. So are a bad request and a bad key, which the next model would meet as well.
 */
const NEXT_MODEL: ReadonlySet<string> = new Set([
  'model-unavailable',
  'model-timeout',
  'model-rate-limited',
  'model-loading',
  'model-call-unread',
  'model-garbled',
  'model-breaker-open',
  'model-quota-exhausted',
  'model-not-found',
  'model-untrusted',
  'model-context-exceeded',
]);

/** May be better in a moment. A server that says that it limits or loads, and not for how long, is not asked again at once. */
const AT_ONCE: ReadonlySet<string> = new Set(['model-unavailable', 'model-call-unread']);

/**
 * So often is waited for a server that may have billed the call it failed at: a gateway whose server starts anew, rather than one that
 * never answers well.
 */
const UNSURE_WAITS = 8;

/** Whether the task waits for the server, which uses up none of its attempts. @param waited attempts in a row that have done so */
export function isWaitedFor(error: CallFailure, waited: number): boolean {
  return isServerTrouble(error) && (error.code !== 'model-unavailable' || error.billed === 'no' || waited < UNSURE_WAITS);
}

/**
 * How long to wait before the same call is tried again within the attempt, in milliseconds; undefined: not again here.
 * @param tries tries made so far, 1 after the first failure
 * @param random a number from 0 up to 1
 */
export function callRetryDelayMs(error: CallFailure, tries: number, random: () => number): number | undefined {
  if (tries > CALL_RETRY.retries || !error.retriable || !(SERVER_TROUBLE.has(error.code) || AT_ONCE.has(error.code))) return undefined;
  const askedMs = error.retryAfterMs ?? 0;
  if (askedMs === 0 && !AT_ONCE.has(error.code)) return undefined;
  if (askedMs > CALL_RETRY.maxWaitMs) return undefined;
  // Never before the time the server named, and not all at once after it.
  if (askedMs > 0) return Math.ceil(askedMs + random() * CALL_RETRY.spreadMs);
  const waitMs = CALL_RETRY.firstWaitMs * CALL_RETRY.factor ** (Math.max(1, tries) - 1);
  return Math.ceil(waitMs / 2 + (random() * waitMs) / 2);
}

/**
 * The model to ask instead, once quick retries are spent; undefined: none, the attempt fails with the error.
 * @param chain the agent's model and its fallbacks, in order
 * @param failed the models that this call was tried with
 */
export function nextModel(chain: readonly string[], failed: readonly string[], error: CallFailure): string | undefined {
  return NEXT_MODEL.has(error.code) ? chain.find((model) => !failed.includes(model)) : undefined;
}

/**
 * Which of the errors of a call is the attempt's, once no model is left: of those that pass by themselves the one that passes first, else
 * the last.
 */
export function attemptError<E extends CallFailure>(errors: readonly E[]): E | undefined {
  const passing = errors.filter(isServerTrouble);
  const first = Math.min(...passing.map(({ retryAfterMs = 0 }) => retryAfterMs));
  return passing.findLast(({ retryAfterMs = 0 }) => retryAfterMs === first) ?? errors.at(-1);
}

/** Whether a failed call may have cost something. What does not say so for sure is billed at its reservation. */
export function billedOf(error: unknown): Billed {
  return typeof error === 'object' && error !== null && 'billed' in error && error.billed === 'no' ? 'no' : 'unknown';
}
