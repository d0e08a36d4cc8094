/**
 * How the attempts of each agent have ended, and what they have cost: a fold of the logs of all shards since this scheduler began to read.
 * It is told with offers of bids, and the engine keeps it in the log, so nothing is decided by what another scheduler would know.
 */
import type { AgentName, Block, Commit, RunEvent } from '@cadre/contracts';
import { attemptKey } from './attempts.js';
import { isItsFault } from './agent-breakers.js';

interface AgentRecord {
  succeeded: number;
  failed: number;
  costMicros: number;
}

/** Of older attempts half is forgotten whenever so many have ended. */
const MOST = 200;

export class AgentRecords {
  readonly #records = new Map<AgentName, AgentRecord>();
  /** Running attempts by run, then by `attemptKey`. */
  readonly #running = new Map<string, Map<string, { agent: AgentName; costMicros: number }>>();

  apply({ commits }: Block): void {
    for (const commit of commits) for (const event of commit.events) this.#applyEvent(commit, event);
  }

  /** How many runs have attempts at work. */
  get runs(): number {
    return this.#running.size;
  }

  of(agent: AgentName): { succeeded: number; failed: number; costMicros?: number } {
    const { succeeded, failed, costMicros } = this.#records.get(agent) ?? { succeeded: 0, failed: 0, costMicros: 0 };
    const ended = succeeded + failed;
    return { succeeded, failed, ...(ended > 0 && { costMicros: Math.round(costMicros / ended) }) };
  }

  #applyEvent({ runId }: Commit, event: RunEvent): void {
    switch (event.type) {
      case 'AttemptStarted': {
        const ofRun = this.#running.get(runId) ?? new Map<string, { agent: AgentName; costMicros: number }>();
        this.#running.set(
          runId,
          ofRun.set(attemptKey({ runId, taskId: event.taskId, attempt: event.attempt }), { agent: event.agent, costMicros: 0 }),
        );
        return;
      }
      case 'CallsSettled': {
        const work = this.#running.get(runId)?.get(attemptKey({ runId, taskId: event.taskId, attempt: event.attempt }));
        for (const { costMicros } of event.calls) if (work) work.costMicros += costMicros;
        return;
      }
      case 'TaskCompleted':
        return this.#end(runId, attemptKey({ runId, taskId: event.taskId, attempt: event.attempt }), 'succeeded');
      case 'AttemptFailed': {
        const counts = event.counted && isItsFault(event.error.code);
        return this.#end(runId, attemptKey({ runId, taskId: event.taskId, attempt: event.attempt }), counts ? 'failed' : undefined);
      }
      // A run may end with attempts open, of which nothing more is told.
      case 'RunCompleted':
      case 'RunFailed':
      case 'RunCancelled':
        this.#running.delete(runId);
    }
  }

  #end(runId: string, key: string, how: 'succeeded' | 'failed' | undefined): void {
    const ofRun = this.#running.get(runId);
    const work = ofRun?.get(key);
    ofRun?.delete(key);
    if (ofRun?.size === 0) this.#running.delete(runId);
    if (!work || how === undefined) return;
    const { succeeded, failed, costMicros } = this.#records.get(work.agent) ?? { succeeded: 0, failed: 0, costMicros: 0 };
    const kept = succeeded + failed >= MOST ? 0.5 : 1;
    const record = {
      succeeded: Math.round(succeeded * kept),
      failed: Math.round(failed * kept),
      costMicros: costMicros * kept + work.costMicros,
    };
    record[how] += 1;
    this.#records.set(work.agent, record);
  }
}
