/**
 * Keeps one shard owned: waits for its lease, takes the shard (folds its log, writes the claim), serves its commands, and starts over when it is
 * lost. While another process holds the lease this one is the standby.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from '@cadre/contracts';
import type { CommandReply } from '@cadre/contracts';
import { ShardOwner } from '@cadre/engine';
import type { Lease, Leases, ShardLog } from '@cadre/engine';

/** What a keeper tells about itself; the service turns it into logs and metrics. */
export interface KeeperReports {
  state(shard: number, state: KeeperState): void;
  took(shard: number, facts: { epoch: number; foldMs: number; openRuns: number; endedRuns: number; seq: number }): void;
  lost(shard: number, reason: string, cause: unknown): void;
  snapshot(shard: number, facts: { seq: number; ms: number }): void;
  failed(shard: number, what: string, cause: unknown): void;
}

export type KeeperState = 'standby' | 'folding' | 'owner' | 'stopped';

export interface KeeperSettings {
  snapshotBlocks: number;
  keepBlocks: number;
  retentionMs: number;
}

/** What surrounds a keeper. */
export interface KeeperSurroundings {
  log: ShardLog;
  leases: Leases;
  serve: ServeCommands;
  /** Sequence up to which the shard's blocks are archived; 0 while that is not known. The log is not trimmed past it. */
  archivedSeq(shard: number): Promise<number>;
}

/** Takes command batches for a shard and returns what stops it. */
export type ServeCommands = (shard: number, handle: (commands: unknown[]) => Promise<CommandReply[]>) => Promise<{ stop(): Promise<void> }>;

export class ShardKeeper {
  state: KeeperState = 'standby';
  #owner: ShardOwner | undefined;
  #running: Promise<void> = Promise.resolve();
  readonly #stopping = new AbortController();

  constructor(
    private readonly around: KeeperSurroundings,
    private readonly settings: KeeperSettings,
    private readonly reports: KeeperReports,
  ) {}

  get shard(): number {
    return this.around.log.shard;
  }

  /** The owner while this process has the shard. */
  get owner(): ShardOwner | undefined {
    return this.#owner;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Answers what was taken and hands the lease over. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#enter('stopped');
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#ownOnce();
      } catch (cause) {
        if (this.#stopping.signal.aborted) return;
        this.reports.failed(this.shard, 'the shard could not be taken; trying again', cause);
        await sleep(500);
      }
    }
  }

  async #ownOnce(): Promise<void> {
    this.#enter('standby');
    const ownerId = `orchestrator-${randomUUID()}`;
    const lease = await this.around.leases.acquire(`shard-${this.shard}`, ownerId, this.#stopping.signal);
    try {
      await this.#ownWith(lease, ownerId);
    } finally {
      this.#owner = undefined;
      await lease
        .release()
        .catch((cause: unknown) => this.reports.failed(this.shard, 'the lease could not be released; it runs out by itself', cause));
    }
  }

  async #ownWith(lease: Lease, ownerId: string): Promise<void> {
    this.#enter('folding');
    const began = performance.now();
    const over = new AbortController();
    const owner = await ShardOwner.take({
      log: this.around.log,
      ownerId,
      now: Date.now,
      random: Math.random,
      newId: randomUUID,
      defer: setImmediate,
      isHeld: () => lease.isHeld(),
      onLost: (reason, cause) => {
        this.reports.lost(this.shard, reason, cause);
        over.abort();
      },
      retentionMs: this.settings.retentionMs,
    });
    if (owner === undefined) return;
    const counts = { openRuns: Object.keys(owner.state.open).length, endedRuns: Object.keys(owner.state.ended).length };
    this.reports.took(this.shard, { epoch: lease.epoch, foldMs: performance.now() - began, seq: owner.lastSeq, ...counts });
    this.#owner = owner;
    const serving = await this.around.serve(this.shard, (commands) => answerBatch(owner, commands));
    this.#enter('owner');
    const end = AbortSignal.any([lease.lost, over.signal, this.#stopping.signal]);
    const snapshots = this.#keepSnapshots(owner, end);
    await aborted(end);
    await serving.stop();
    await owner.close();
    await snapshots;
  }

  /** Saves a snapshot whenever enough blocks have come, and trims what lies well before it and is archived. */
  async #keepSnapshots(owner: ShardOwner, end: AbortSignal): Promise<void> {
    let savedSeq = (await this.around.log.loadSnapshot())?.seq ?? 0;
    while (!end.aborted) {
      await sleep(1000, undefined, { signal: end }).catch(() => undefined);
      if (owner.lastSeq - savedSeq < this.settings.snapshotBlocks) continue;
      try {
        savedSeq = (await this.#saveSnapshot(owner)) ?? savedSeq;
      } catch (cause) {
        this.reports.failed(this.shard, 'the snapshot could not be saved; trying again', cause);
      }
    }
  }

  async #saveSnapshot(owner: ShardOwner): Promise<number | undefined> {
    const began = performance.now();
    const taken = await owner.snapshot();
    if (taken === undefined) return undefined;
    await this.around.log.saveSnapshot({ seq: taken.seq, state: taken.state as never });
    this.reports.snapshot(this.shard, { seq: taken.seq, ms: performance.now() - began });
    const upto = Math.min(taken.seq - this.settings.keepBlocks, await this.around.archivedSeq(this.shard));
    if (upto > 0) await this.around.log.trim(upto);
    return taken.seq;
  }

  #enter(state: KeeperState): void {
    this.state = state;
    this.reports.state(this.shard, state);
  }
}

/** Validates each command by itself and submits the good ones; replies in order. */
export async function answerBatch(owner: ShardOwner, commands: unknown[]): Promise<CommandReply[]> {
  return Promise.all(
    commands.map((raw): CommandReply | Promise<CommandReply> => {
      const parsed = Command.safeParse(raw);
      if (parsed.success) return owner.submit(parsed.data);
      const fault = parsed.error.issues[0];
      const message = `${fault?.path.join('.') || 'command'}: ${fault?.message ?? 'not valid'}`;
      return { id: idOf(raw), outcome: 'rejected', code: 'invalid-command', message };
    }),
  );
}

function idOf(raw: unknown): string {
  const id = (raw as { id?: unknown } | null)?.id;
  return typeof id === 'string' ? id : '';
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
