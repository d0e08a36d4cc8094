/** Many runs at once, each to its end. */
import { CadreError, type RunAccepted, type RunView } from '@cadre/contracts';
import type { RunRequestInput, StartRunOptions } from './request-parts.js';

/** A goal, a whole request, or a request with files. */
export type Submission = string | RunRequestInput | { request: RunRequestInput; files: NonNullable<StartRunOptions['files']> };

/**
 * What became of one of them. `run`: it has ended, well or not, as its status says. `error`: it was refused, or could not be followed to
 * its end.
 */
export type ParallelOutcome = { ok: true; run: RunView } | { ok: false; error: CadreError; runId?: string };

export interface ExecuteParallelOptions {
  /** Requests on their way, or runs followed, at once. How many runs are at work is the system's own matter. Default 20. */
  atOnce?: number;
  /** With the place of the run among the submissions. */
  onStarted?: (runId: string, index: number) => void;
  /** Each run gets a key of its own made from it: the same submissions again are the same runs. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** What starts a run, and waits for its end. */
export interface RunStarter {
  startRun(request: RunRequestInput, options: StartRunOptions): Promise<RunAccepted>;
  waitForEnd(runId: string, options: { signal?: AbortSignal }): Promise<RunView>;
}

/** Starts all before it follows any, so that they are all at work as soon as may be. @returns in the order of the submissions */
export async function executeAll(
  client: RunStarter,
  submissions: readonly Submission[],
  { atOnce = 20, onStarted, idempotencyKey = crypto.randomUUID(), signal }: ExecuteParallelOptions,
): Promise<ParallelOutcome[]> {
  const abortable = signal === undefined ? {} : { signal };
  const started = await eachAtOnce(submissions, atOnce, async (submission, index) => {
    const { request, files } = partsOf(submission);
    const { runId } = await client.startRun(request, { files, idempotencyKey: `${idempotencyKey}-${index}`, ...abortable });
    onStarted?.(runId, index);
    return runId;
  });
  const ended = await eachAtOnce(started, atOnce, (start) => {
    return start.ok ? client.waitForEnd(start.value, abortable) : Promise.reject(start.error);
  });
  return ended.map((end, index): ParallelOutcome => {
    if (end.ok) return { ok: true, run: end.value };
    const start = started[index];
    return { ok: false, error: end.error, ...(start?.ok ? { runId: start.value } : {}) };
  });
}

function partsOf(submission: Submission): { request: RunRequestInput; files: NonNullable<StartRunOptions['files']> } {
  if (typeof submission === 'string') return { request: { goal: submission }, files: [] };
  return 'request' in submission ? submission : { request: submission, files: [] };
}

type Settled<T> = { ok: true; value: T } | { ok: false; error: CadreError };

/** One that is refused holds up no other. @throws what is no answer of the gateway, such as an abort */
async function eachAtOnce<In, Out>(
  items: readonly In[],
  atOnce: number,
  work: (item: In, index: number) => Promise<Out>,
): Promise<Settled<Out>[]> {
  const results = new Array<Settled<Out>>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      try {
        results[index] = { ok: true, value: await work(items[index] as In, index) };
      } catch (error) {
        if (!(error instanceof CadreError)) throw error;
        results[index] = { ok: false, error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return results;
}
