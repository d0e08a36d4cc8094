/**
 * The read model: a fold of the shards' logs in SQL. A batch of blocks and the position after it are written in one transaction, so each
 * block counts exactly once, whatever dies when. One process folds at a time (a lease outside sees to it); should two, the position's row
 * lock lets one through and the other one finds out.
 */
import { CadreError, isTerminal, type HistoryAnswer, type HistoryQuery, type WorkerView } from '@cadre/contracts';
import type { RunState, ShardState, StoredBlock } from '@cadre/engine';
import type { Kysely } from 'kysely';
import { foldBatch, type FoldedBatch, type FoldedCommit, type SkippedCommit } from './fold-batch.js';
import { answerQuery, positionOf, type AnswerLimits } from './history-queries.js';
import { loadRuns } from './run-rows.js';
import type { HistoryDatabase } from './schema.js';
import { writeBatch, writeSnapshot } from './write-batch.js';
import { writeRows } from './write-rows.js';

export interface ApplyOutcome {
  /** The last block folded. */
  position: number;
  folded: FoldedCommit[];
  skipped: SkippedCommit[];
}

/** Called with what a batch brings before anything of it is written; a failure leaves the batch unapplied. */
export type BeforeCommit = (folded: readonly FoldedCommit[]) => Promise<void>;

/** Runs whose state is kept between batches; others are read from their rows when they are needed again. */
const KEPT_RUNS = 2000;

/**
 * Errors of all methods: `history-unavailable` (retriable) when the database does not answer.
 */
export class HistoryStore {
  readonly #db: Kysely<HistoryDatabase>;
  readonly #close: () => Promise<void>;
  /** Open runs as they were after `#positions`; dropped whenever that is in doubt. */
  readonly #kept = new Map<number, Map<string, RunState>>();
  readonly #positions = new Map<number, number>();

  /** @param close releases whatever the database rests on */
  constructor(db: Kysely<HistoryDatabase>, close: () => Promise<void>) {
    this.#db = db;
    this.#close = close;
  }

  /** Number of the shard's last block folded; 0 when there is none. */
  async position(shard: number): Promise<number> {
    return await guarded(() => positionOf(this.#db, shard));
  }

  /**
   * Folds blocks of one shard, in order. Blocks at or before the position are passed over; a missing one is the error `history-gap`.
   * Error `history-moved` (retriable) when another process has folded the shard meanwhile; nothing is written then.
   */
  async apply(shard: number, blocks: readonly StoredBlock[], beforeCommit?: BeforeCommit): Promise<ApplyOutcome> {
    return await guarded(async () => {
      const from = this.#positions.get(shard) ?? (await this.position(shard));
      const fresh = blocks.filter((block) => block.seq > from);
      refuseGap(shard, from, fresh);
      const last = fresh.at(-1);
      if (last === undefined) return { position: from, folded: [], skipped: [] };
      try {
        const batch = foldBatch(fresh, await this.#states(shard, fresh));
        if (beforeCommit && batch.folded.length > 0) await beforeCommit(batch.folded);
        await this.#write(shard, from, last.seq, batch);
        this.#keep(shard, last.seq, batch.runs);
        return { position: last.seq, folded: batch.folded, skipped: batch.skipped };
      } catch (error) {
        this.#forget(shard);
        throw error;
      }
    });
  }

  /**
   * Starts over from a snapshot when the log no longer reaches back to the position. What was lost: commits between the position and the
   * snapshot (archive, ends of calls, answers), and runs that both started and ended in between. Runs known as open that the snapshot
   * knows as ended get their end, without answer.
   */
  async rebuild(shard: number, seq: number, state: ShardState): Promise<void> {
    await guarded(async () => {
      this.#forget(shard);
      await this.#db.transaction().execute(async (tx) => {
        await setPosition(tx, shard, undefined, seq);
        await writeSnapshot(tx, shard, state);
      });
    });
  }

  /** Answers for one tenant; what is not there, or another tenant's, is `NotFound`. */
  async query(query: HistoryQuery, limits?: Partial<AnswerLimits>): Promise<HistoryAnswer> {
    return await guarded(() => answerQuery(this.#db, query, limits));
  }

  /** How many runs are open, by status. */
  async openRuns(): Promise<Record<string, number>> {
    return await guarded(async () => {
      const rows = await this.#db
        .selectFrom('runs')
        .select(['status', (eb) => eb.fn.countAll<number>().as('count')])
        .where('ended_at', 'is', null)
        .groupBy('status')
        .execute();
      return Object.fromEntries(rows.map((row) => [row.status, Number(row.count)]));
    });
  }

  /** Notes lives of workers: who they are, when they were first and last heard of. */
  async seeWorkers(workers: readonly WorkerView[]): Promise<void> {
    const rows = workers.map((worker) => ({
      worker_id: worker.workerId,
      epoch: worker.epoch,
      specialty: worker.specialty,
      state: worker.lost ? 'lost' : worker.state,
      slots: worker.slots,
      agents: JSON.stringify(worker.agents),
      started_at: worker.startedAt,
      first_seen_at: worker.lastSeenAt,
      last_seen_at: worker.lastSeenAt,
    }));
    await guarded(() => writeRows(this.#db, 'agents', rows));
  }

  async close(): Promise<void> {
    await this.#db.destroy();
    await this.#close();
  }

  async #states(shard: number, blocks: readonly StoredBlock[]): Promise<Map<string, RunState>> {
    const kept = this.#kept.get(shard);
    const wanted = new Set(blocks.flatMap(({ block }) => block.commits.map((commit) => commit.runId)));
    const states = new Map<string, RunState>();
    const missing: string[] = [];
    for (const runId of wanted) {
      const state = kept?.get(runId);
      if (state) states.set(runId, state);
      else missing.push(runId);
    }
    for (const [runId, state] of await loadRuns(this.#db, missing)) states.set(runId, state);
    return states;
  }

  async #write(shard: number, from: number, to: number, batch: FoldedBatch): Promise<void> {
    await this.#db.transaction().execute(async (tx) => {
      await setPosition(tx, shard, from, to);
      await writeBatch(tx, shard, batch);
    });
  }

  #keep(shard: number, position: number, runs: ReadonlyMap<string, RunState | undefined>): void {
    const kept = this.#kept.get(shard) ?? new Map<string, RunState>();
    for (const [runId, state] of runs) {
      kept.delete(runId);
      if (state && !isTerminal(state.status)) kept.set(runId, state);
    }
    for (const runId of kept.keys()) {
      if (kept.size <= KEPT_RUNS) break;
      kept.delete(runId);
    }
    this.#kept.set(shard, kept);
    this.#positions.set(shard, position);
  }

  #forget(shard: number): void {
    this.#kept.delete(shard);
    this.#positions.delete(shard);
  }
}

function refuseGap(shard: number, from: number, fresh: readonly StoredBlock[]): void {
  fresh.forEach((block, index) => {
    if (block.seq === from + 1 + index) return;
    throw new CadreError('history-gap', `shard ${shard}: block ${from + 1 + index} is missing; got block ${block.seq}`, {
      remedy: 'read the log from the stored position again',
    });
  });
}

/** Locks the shard's position for the transaction and moves it. @param from undefined: from wherever it is */
async function setPosition(tx: Kysely<HistoryDatabase>, shard: number, from: number | undefined, to: number): Promise<void> {
  await tx
    .insertInto('positions')
    .values({ shard, seq: 0 })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await tx.selectFrom('positions').select('seq').where('shard', '=', shard).forUpdate().executeTakeFirstOrThrow();
  if (from !== undefined && row.seq !== from) {
    throw new CadreError('history-moved', `shard ${shard}: another process has folded up to block ${row.seq}, this one up to ${from}`, {
      retriable: true,
      remedy: 'run one folding monitor per database',
    });
  }
  await tx.updateTable('positions').set({ seq: to }).where('shard', '=', shard).execute();
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CadreError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CadreError('history-unavailable', `the history database failed: ${reason}`, {
      retriable: true,
      remedy: 'check that the database runs and that DATABASE_URL or the history folder is right',
      cause: error,
    });
  }
}
