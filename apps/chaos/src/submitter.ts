/** Starts runs as a careful client does: with a key, again and again until it is answered; and remembers what was acknowledged. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTerminal, type RunView } from '@cadre/contracts';
import type { CadreClient, InputFile, RunRequestInput } from '@cadre/sdk';

export interface EndedRun {
  view: RunView;
  /** When its end was seen through the HTTP interface. */
  seenAt: number;
}

const PAUSE_MS = 60;

export class Submitter {
  /** Runs whose start was answered. */
  readonly acknowledged: { runId: string }[] = [];
  /** Requests that were not answered at the first try. */
  repeated = 0;

  constructor(private readonly client: CadreClient) {}

  /** @returns the run's id, once the start is acknowledged */
  async start(request: RunRequestInput, files: InputFile[] = [], withinMs = 40_000): Promise<string> {
    const idempotencyKey = randomUUID();
    const until = Date.now() + withinMs;
    for (let tries = 0; ; tries += 1) {
      try {
        const { runId } = await this.client.startRun(request, { files, idempotencyKey, signal: AbortSignal.timeout(15_000) });
        this.acknowledged.push({ runId });
        if (tries > 0) this.repeated += 1;
        return runId;
      } catch (error) {
        if (Date.now() > until || !mayBeRepeated(error)) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }

  /** Waits for the end of a run, whatever the gateway and the monitor go through meanwhile. */
  async ended(runId: string, withinMs = 60_000): Promise<EndedRun> {
    const until = Date.now() + withinMs;
    for (;;) {
      const view = await this.client.getRun(runId, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
      if (view !== undefined && isTerminal(view.status)) return { view, seenAt: Date.now() };
      if (Date.now() > until) throw new Error(`run ${runId} has not ended within ${withinMs} ms: ${JSON.stringify(view)?.slice(0, 2000)}`);
      await sleep(PAUSE_MS);
    }
  }
}

function mayBeRepeated(error: unknown): boolean {
  const { status, code } = error as { status?: number; code?: string };
  return status === undefined || status >= 500 || code === 'gateway-unreachable';
}
