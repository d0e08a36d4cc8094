import { CadreError } from '@cadre/contracts';
import type { Clock } from '@cadre/engine';

/** Settles like the work, or rejects with `store-unavailable` after so long. @param what does not answer then */
export function inTime<T>(clock: Pick<Clock, 'after'>, ms: number, what: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new CadreError('store-unavailable', `${what} does not answer within ${ms} ms.`, { retriable: true }));
    const cancel = clock.after(ms, late);
    work.then(resolve, reject).finally(cancel);
  });
}
