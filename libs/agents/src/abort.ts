/** How an attempt that is stopped from outside ends. */
import { CadreError } from '@cadre/contracts';
import type { Failure } from '@cadre/contracts';

const MAX_MESSAGE = 4000;

/** Settles like the work, or rejects as soon as the signal aborts, even if the work ignores the signal. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(abortError(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** The signal's reason when it is a `CadreError` (a passed deadline, for one), else `aborted`. */
export function abortError(signal: AbortSignal): CadreError {
  if (signal.reason instanceof CadreError) return signal.reason;
  return new CadreError('aborted', 'The work was stopped from outside.', { retriable: true });
}

/** @param fallbackCode for errors that are not ours */
export function failureOf(error: unknown, fallbackCode: string): Failure {
  if (error instanceof CadreError) {
    const message = error.remedy === undefined ? error.message : `${error.message} ${error.remedy}`;
    return { code: error.code, message: message.slice(0, MAX_MESSAGE), retriable: error.retriable };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: fallbackCode, message: message.slice(0, MAX_MESSAGE), retriable: true };
}
