/**
 * Keeps one shard owned: waits for its lease, takes the shard (folds its log, writes the claim), serves its commands, and starts over when
 * it is lost. While another process holds the lease this one is the standby.
 */
import { AccountCommand, Command, isPlainCommand } from '@cadre/contracts';
import type { CommandReply } from '@cadre/contracts';
import { AllowanceKeeper } from './account/allowance-keeper.js';
import { fitReplies } from './fit-replies.js';
import { aborted, pause } from './pause.js';
import type { Chance, Clock, CommandSender, Lease, Leases, ShardLog } from './ports.js';
import type { DecideInShard } from './shard-desk.js';
import { ShardOwner } from './shard-owner.js';

/** What a keeper tells about itself; the service turns it into logs and metrics. */
export interface KeeperReports {
  state(shard: number, state: KeeperState): void;
  took(shard: number, facts: { epoch: number; foldMs: number; openRuns: number; endedRuns: number; seq: number }): void;
  lost(shard: number, reason: string, cause: unknown): void;
  snapshot(shard: number, facts: { seq: number; ms: number }): void;
  failed(shard: number, what: string, cause: unknown): void;
  /** The engine failed on a command, and refused it. */
  bug(shard: number, command: Command, cause: unknown): void;
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
  clock: Clock;
  chance: Chance;
  /** How many shards there are, and how the owners of the others are reached. */
  shards: number;
  sender: CommandSender;
  /** Sequence up to which the shard's blocks are archived; 0 while that is not known. The log is not trimmed past it. */
  archivedSeq(shard: number): Promise<number>;
  decide?: DecideInShard;
}

/** Takes command batches for a shard and returns what stops it. */
export type ServeCommands = (shard: number, handle: (commands: unknown[]) => Promise<CommandReply[]>) => Promise<{ stop(): Promise<void> }>;

const RETRY_MS = 500;
const SNAPSHOT_CHECK_MS = 1000;

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
        await pause(this.around.clock, RETRY_MS, this.#stopping.signal);
      }
    }
  }

  async #ownOnce(): Promise<void> {
    this.#enter('standby');
    const ownerId = `orchestrator-${this.around.chance.newId()}`;
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
    const { log, clock, chance } = this.around;
    const began = clock.now();
    const over = new AbortController();
    const end = AbortSignal.any([lease.lost, over.signal, this.#stopping.signal]);
    const owner = await ShardOwner.take({
      log,
      ownerId,
      now: () => clock.now(),
      random: () => chance.random(),
      newId: () => chance.newId(),
      defer: (run) => clock.soon(run),
      isHeld: () => lease.isHeld(),
      onLost: (reason, cause) => {
        this.reports.lost(this.shard, reason, cause);
        over.abort();
      },
      retentionMs: this.settings.retentionMs,
      shards: this.around.shards,
      allowances: this.#allowances(end),
      decide: this.around.decide,
      onBug: (command, cause) => this.reports.bug(this.shard, command, cause),
    });
    if (owner === undefined) return;
    const counts = { openRuns: Object.keys(owner.state.open).length, endedRuns: Object.keys(owner.state.ended).length };
    this.reports.took(this.shard, { epoch: lease.epoch, foldMs: clock.now() - began, seq: owner.lastSeq, ...counts });
    this.#owner = owner;
    const serving = await this.around.serve(this.shard, (commands) => answerBatch(owner, commands));
    this.#enter('owner');
    const snapshots = this.#keepSnapshots(owner, end);
    await aborted(end);
    await serving.stop();
    await owner.close();
    await snapshots;
  }

  #allowances(signal: AbortSignal): AllowanceKeeper {
    const { shards, sender, clock, chance } = this.around;
    return new AllowanceKeeper({
      shard: this.shard,
      shards,
      sender,
      now: () => clock.now(),
      newId: () => chance.newId(),
      onFault: (tenant, cause) => {
        if (!signal.aborted) this.reports.failed(this.shard, `permission to spend for tenant ${tenant} could not be drawn`, cause);
      },
      signal,
    });
  }

  /** Saves a snapshot whenever enough blocks have come, and trims what lies well before it and is archived. */
  async #keepSnapshots(owner: ShardOwner, end: AbortSignal): Promise<void> {
    let savedSeq: number | undefined;
    while (!end.aborted) {
      await pause(this.around.clock, SNAPSHOT_CHECK_MS, end);
      try {
        savedSeq ??= (await this.around.log.loadSnapshot())?.seq ?? 0;
        if (owner.lastSeq - savedSeq < this.settings.snapshotBlocks) continue;
        savedSeq = (await this.#saveSnapshot(owner)) ?? savedSeq;
      } catch (cause) {
        this.reports.failed(this.shard, 'the snapshot could not be saved; trying again', cause);
      }
    }
  }

  async #saveSnapshot(owner: ShardOwner): Promise<number | undefined> {
    const { clock } = this.around;
    const began = clock.now();
    const taken = await owner.snapshot();
    if (taken === undefined) return undefined;
    await this.around.log.saveSnapshot({ seq: taken.seq, state: taken.state as never });
    owner.forget(taken.expired);
    this.reports.snapshot(this.shard, { seq: taken.seq, ms: clock.now() - began });
    const upto = Math.min(taken.seq - this.settings.keepBlocks, await this.around.archivedSeq(this.shard));
    if (upto > 0) await this.around.log.trim(upto);
    return taken.seq;
  }

  #enter(state: KeeperState): void {
    this.state = state;
    this.reports.state(this.shard, state);
  }
}

/** Validates each command by itself and submits the good ones; replies in order, as many as fit into a message. */
export async function answerBatch(owner: ShardOwner, commands: unknown[]): Promise<CommandReply[]> {
  const replies = await Promise.all(
    commands.map((raw): CommandReply | Promise<CommandReply> => {
      if (isPlainCommand(raw)) return owner.submit(raw);
      const parsed = (isAboutAccount(raw) ? AccountCommand : Command).safeParse(raw);
      if (parsed.success) return owner.submit(parsed.data);
      const fault = parsed.error.issues[0];
      const message = `${fault?.path.join('.') || 'command'}: ${fault?.message ?? 'not valid'}`;
      return { id: idOf(raw), outcome: 'rejected', code: 'invalid-command', message };
    }),
  );
  return fitReplies(replies);
}

const ACCOUNT_TYPES = new Set<unknown>(AccountCommand.options.map((option) => option.shape.type.value));

function isAboutAccount(raw: unknown): boolean {
  return ACCOUNT_TYPES.has((raw as { type?: unknown } | null)?.type);
}

function idOf(raw: unknown): string {
  const id = (raw as { id?: unknown } | null)?.id;
  return typeof id === 'string' ? id : '';
}
