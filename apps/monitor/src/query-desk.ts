/**
 * Answers queries. What has just been stored may not be in the history yet: nothing is called unknown before the history has caught up with
 * the log.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HistoryQuery, shardOf, type HistoryAnswer } from '@cadre/contracts';
import type { ShardLog } from '@cadre/engine';
import type { HistoryStore } from '@cadre/history';

const LOOK_EVERY_MS = 20;

export interface QueryDeskOptions {
  store: Pick<HistoryStore, 'query' | 'position'>;
  /** By shard. */
  logs: readonly Pick<ShardLog, 'lastSeq'>[];
  catchUpMs: number;
  /** Longest answer, in bytes. */
  answerBytes: () => number;
}

export class QueryDesk {
  constructor(private readonly options: QueryDeskOptions) {}

  /** @param request whatever came; what is not a query is answered with `Invalid` */
  async answer(request: unknown): Promise<HistoryAnswer> {
    const parsed = HistoryQuery.safeParse(request);
    if (!parsed.success) return { type: 'Invalid', message: faults(parsed.error.issues) };
    const query = parsed.data;
    const limits = { bytes: this.options.answerBytes() };
    // An event must not miss a task that began to wait a moment before it.
    if (query.type === 'GetWaits') {
      const caughtUp = await Promise.all(this.options.logs.map((log, shard) => this.#caughtUp(log, shard)));
      if (caughtUp.includes(false)) return { type: 'Behind' };
    }
    const answer = await this.options.store.query(query, limits);
    if (answer.type !== 'NotFound' || !('runId' in query) || query.runId === undefined) return answer;
    const shard = shardOf(query.runId);
    const log = this.options.logs[shard];
    if (log === undefined) return answer;
    return (await this.#caughtUp(log, shard)) ? this.options.store.query(query, limits) : { type: 'Behind' };
  }

  /** @returns false when the time was not enough */
  async #caughtUp(log: Pick<ShardLog, 'lastSeq'>, shard: number): Promise<boolean> {
    const until = Date.now() + this.options.catchUpMs;
    const end = await log.lastSeq().catch(() => undefined);
    if (end === undefined) return false;
    for (;;) {
      if ((await this.options.store.position(shard)) >= end) return true;
      if (Date.now() >= until) return false;
      await sleep(LOOK_EVERY_MS);
    }
  }
}

function faults(issues: readonly { path: PropertyKey[]; message: string }[]): string {
  return issues.map((issue) => [issue.path.map(String).join('.'), issue.message].filter((part) => part !== '').join(': ')).join('; ');
}
