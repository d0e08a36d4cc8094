import { CadreApiError } from './errors.js';

/** Tries again, after a growing pause, while the gateway says that it cannot answer for the moment. */
export async function repeated<T>(times: number, ask: () => Promise<T>): Promise<T> {
  for (let again = 0; ; again += 1) {
    try {
      return await ask();
    } catch (error) {
      if (again >= times || !(error instanceof CadreApiError) || error.status !== 503) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** again));
    }
  }
}
