/**
 * An attempt's part in the cache of results: it looks for an earlier result before the work begins, and leaves its own for later ones.
 * Nothing of this may cost an attempt more than a moment: a cache that does not answer has nothing.
 */
import type { AgentDefinition, Assignment, BlobRef, KeptResult, TaskResult } from '@cadre/contracts';
import { whyUnsure } from '@cadre/engine';
import type { ResultCache } from '@cadre/engine';
import { cacheKey } from './cache-key.js';
import { inTime } from './in-time.js';
import type { WorkerPorts } from './worker-ports.js';

/** Longest time of a look. */
const LOOK_MS = 1000;

export interface CacheMeans {
  results: ResultCache;
  /** What of this worker decides on results beside the definitions of its agents: its model server, and what it asks when none is named. */
  setting: string;
}

/** `failed`: nobody knows whether there is one. */
export type CacheLook = 'hit' | 'miss' | 'failed';

interface ReuseParts {
  ports: Pick<WorkerPorts, 'clock' | 'blobs' | 'digest'>;
  means: CacheMeans;
  /** Must not throw. */
  looked?: ((look: CacheLook) => void) | undefined;
  /** Must not throw. */
  trouble(what: string, error: unknown): void;
}

export class ResultReuse {
  private readonly key: string;

  constructor(
    private readonly assignment: Assignment,
    private readonly wish: NonNullable<Assignment['cache']>,
    agent: AgentDefinition,
    private readonly parts: ReuseParts,
  ) {
    this.key = cacheKey(assignment, agent, parts.means.setting, (text) => parts.ports.digest(text));
  }

  /** An earlier result that stands for this one, marked as such. Never rejects. */
  async find(): Promise<TaskResult | undefined> {
    const { looked, trouble } = this.parts;
    try {
      const kept = await inTime(this.parts.ports.clock, LOOK_MS, 'The cache of results', this.look());
      looked?.(kept ? 'hit' : 'miss');
      return kept && { ...kept.result, cachedFrom: kept.from };
    } catch (error) {
      looked?.('failed');
      trouble('the cache of results could not be asked', error);
      return undefined;
    }
  }

  /**
   * Leaves a result that has counted, unless it is less than what the agent could do. Nobody waits for it.
   * @param reusable of the calls: what has happened in the world for one task has not happened for another
   */
  keep({ answer, confidence, artifacts, mark, degradedTo, reducedTo, partial, missing }: TaskResult, reusable: boolean): void {
    if (!reusable || degradedTo !== undefined || reducedTo || partial || missing || mark || this.isTooUnsure(confidence)) return;
    const { ports, means, trouble } = this.parts;
    const { tenant, runId, taskId } = this.assignment;
    const keptAt = ports.clock.now();
    const result = { answer, ...(confidence !== undefined && { confidence }), artifacts };
    const kept = { result, from: { runId, taskId }, keptAt, until: keptAt + this.wish.ttlMs };
    means.results.put(tenant, this.key, kept).catch((error: unknown) => trouble('a result could not be kept for later tasks', error));
  }

  private async look(): Promise<KeptResult | undefined> {
    const { ports, means } = this.parts;
    const kept = await means.results.get(this.assignment.tenant, this.key);
    if (!kept || ports.clock.now() - kept.keptAt >= this.wish.ttlMs || this.isTooUnsure(kept.result.confidence)) return undefined;
    const there = await Promise.all(bodiesOf(kept).map((ref) => ports.blobs.has(ref)));
    return there.every((is) => is) ? kept : undefined;
  }

  private isTooUnsure(confidence: number | undefined): boolean {
    return whyUnsure(confidence, this.wish) !== undefined;
  }
}

function bodiesOf({ result: { answer, artifacts } }: KeptResult): BlobRef[] {
  return 'ref' in answer ? [answer.ref, ...artifacts] : artifacts;
}
