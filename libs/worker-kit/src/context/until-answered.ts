import { setTimeout as sleep } from 'node:timers/promises';
import { CadreError } from '@cadre/contracts';

const AGAIN_MS = 500;

/**
 * Asks again while the store does not answer, as long as the attempt goes on. Told of an error the agent would ask by itself, under another
 * key: what was stored although its answer got lost would then be there twice.
 */
export async function untilAnswered<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || !(error instanceof CadreError) || !error.retriable) throw error;
      await sleep(AGAIN_MS, undefined, { signal });
    }
  }
}
