/** How an attempt that is stopped from outside ends. */
import { CadreError } from '@cadre/contracts';
import type { Failure } from '@cadre/contracts';
import type { EndSignal } from '@cadre/engine';

const MAX_MESSAGE = 4000;

/** Settles like the work, or rejects as soon as the signal aborts, even if the work ignores the signal. */
export function untilAborted<T>(work: Promise<T>, signal: EndSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(abortError(signal));
    const over = () => signal.removeEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(
      (value) => (over(), resolve(value)),
      (error: unknown) => (over(), reject(error as Error)),
    );
  });
}

/** The signal's reason when it is a `CadreError` (a passed deadline, for one), else `aborted`. */
export function abortError(signal: EndSignal): CadreError {
  if (signal.reason instanceof CadreError) return signal.reason;
  return new CadreError('aborted', 'The work was stopped from outside.', { retriable: true });
}

/** How an attempt learns that nobody waits for it any more. */
export function attemptClosed(): CadreError {
  return new CadreError('attempt-closed', 'The attempt is closed: its run has ended, its time was up, or another attempt took over.');
}

/** What a failure in a message may hold; see `Failure`. */
const CODE = /^[a-z][a-z0-9-]{1,60}$/;
const MAX_RETRY_AFTER_MS = 3_600_000;

/** @param fallbackCode for errors that are not ours */
export function failureOf(error: unknown, fallbackCode: string): Failure {
  if (error instanceof CadreError) {
    const message = error.remedy === undefined ? error.message : `${sentence(error.message)} ${error.remedy}`;
    const { retriable, retryAfterMs } = error;
    const code = CODE.test(error.code) ? error.code : fallbackCode;
    return {
      code,
      message: message.slice(0, MAX_MESSAGE),
      retriable,
      ...(retryAfterMs !== undefined && { retryAfterMs: waitOf(retryAfterMs) }),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: fallbackCode, message: message.slice(0, MAX_MESSAGE), retriable: true };
}

/** With a mark at its end, so that another one can follow. */
const sentence = (text: string): string => (/[.!?:…]$/.test(text) ? text : `${text}.`);

function waitOf(ms: number): number {
  return Number.isNaN(ms) ? 0 : Math.ceil(Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms)));
}
