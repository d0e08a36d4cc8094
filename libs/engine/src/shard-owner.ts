/**
 * The run loop: one owner of one shard. Commands queue up; a tick decides them against the state in memory, gathers their commits into a
 * block and appends it at the next sequence of the shard's log. The state in memory runs ahead of the log by the blocks in flight, so
 * nothing that was decided is said before the block that holds it, or on which it rests, is stored. A refused block means that another
 * owner has written: this one has lost the shard, answers everything with `unavailable` and must be thrown away with its memory.
 *
 * The loop has no clock, no timer and no chance of its own: production and the simulator drive the same code.
 */
import { BLOCK_LIMITS } from '@cadre/contracts';
import type { Block, Command, CommandReply, RunId, ShardCommand } from '@cadre/contracts';
import { BlockDraft } from './block-draft.js';
import { copyOfRun } from './evolve.js';
import { emptyShard, foldBlock, pruneEnded } from './fold-shard.js';
import type { ShardLog } from './ports.js';
import { ShardDesk } from './shard-desk.js';
import type { Allowances, DecideInShard } from './shard-desk.js';
import type { ShardState } from './state.js';

/** What surrounds an owner. */
export interface OwnerSurroundings {
  log: ShardLog;
  ownerId: string;
  /** Milliseconds since 1970 UTC. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  newId(): string;
  /** Runs a function soon, after the commands that arrive together have been submitted. */
  defer(run: () => void): void;
  /** Whether the lease is surely still held; an answer that rests on no stored block needs it. */
  isHeld(): boolean;
  /** Called once, when the shard is lost. */
  onLost(reason: LossReason, cause: unknown): void;
  /** How long an ended run's id is remembered, in milliseconds. */
  retentionMs: number;
  /** How many shards there are; 1 when left out. */
  shards?: number;
  /** Needed with more than one shard. */
  allowances?: Allowances | undefined;
  decide?: DecideInShard | undefined;
  /** See `DeskSurroundings`. */
  onBug?: (command: Command, cause: unknown) => void;
}

export type LossReason = 'fenced' | 'log-unavailable';

export interface OwnerCounts {
  received: number;
  accepted: number;
  duplicate: number;
  rejected: number;
  unavailable: number;
  blocks: number;
  commits: number;
}

interface Waiting {
  command: ShardCommand;
  resolve(reply: CommandReply): void;
}

interface Decided {
  waiting: Waiting;
  reply: CommandReply;
}

export class ShardOwner {
  readonly counts: OwnerCounts = { received: 0, accepted: 0, duplicate: 0, rejected: 0, unavailable: 0, blocks: 0, commits: 0 };
  readonly #around: OwnerSurroundings;
  readonly #desk: ShardDesk;
  /** Sequence of the last block appended, stored or in flight. */
  #lastSeq: number;
  #queue: Waiting[] = [];
  #inFlight = 0;
  /** Settles when the newest block in flight has; resolves to whether it was stored. */
  #newest: Promise<boolean> = Promise.resolve(true);
  #tickDeferred = false;
  #pauses = 0;
  #phase: 'open' | 'closing' | 'lost' = 'open';
  #idle: (() => void)[] = [];

  private constructor(around: OwnerSurroundings, shard: ShardState, lastSeq: number) {
    this.#around = around;
    const { log, shards = 1, allowances, decide, onBug } = around;
    const clockwork = { now: () => around.now(), random: () => around.random() };
    this.#desk = new ShardDesk({ shard: log.shard, shards, allowances, decide, onBug, ...clockwork }, shard);
    this.#lastSeq = lastSeq;
  }

  /**
   * Folds the log and writes the claim that fences every earlier owner. When an earlier owner's last blocks land in between, folds those
   * too.
   * @returns undefined when the lease was lost meanwhile
   */
  static async take(around: OwnerSurroundings): Promise<ShardOwner | undefined> {
    const snapshot = await around.log.loadSnapshot();
    let shard: ShardState = snapshot === undefined ? emptyShard() : (snapshot.state as unknown as ShardState);
    let lastSeq = snapshot?.seq ?? 0;
    while (around.isHeld()) {
      for await (const stored of around.log.read(lastSeq)) {
        shard = foldBlock(shard, stored.block);
        lastSeq = stored.seq;
      }
      const claim: Block = {
        v: 1,
        id: around.newId(),
        shard: around.log.shard,
        owner: around.ownerId,
        kind: 'claim',
        at: around.now(),
        commits: [],
      };
      const outcome = await around.log.append(claim, lastSeq);
      if (outcome.stored) return new ShardOwner(around, shard, outcome.seq);
    }
    return undefined;
  }

  /** The shard's state, ahead of the log by the blocks in flight. Not to be changed. */
  get state(): Readonly<ShardState> {
    return this.#desk.state;
  }

  /** Sequence of the last block appended. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Queues a command. The reply comes once what it says is stored; it never rejects. */
  submit(command: ShardCommand): Promise<CommandReply> {
    this.counts.received += 1;
    return new Promise((resolve) => {
      const waiting = { command, resolve };
      if (this.#phase !== 'open') this.#refuse(waiting);
      else {
        this.#queue.push(waiting);
        this.#deferTick();
      }
    });
  }

  /** Stops taking commands and waits until every queued one is answered. */
  async close(): Promise<void> {
    if (this.#phase === 'open') this.#phase = 'closing';
    await this.#untilIdle(() => this.#queue.length === 0 && this.#inFlight === 0);
    this.#phase = 'lost';
  }

  /**
   * The stored state and its sequence, for a snapshot, without the ended runs that have been kept for long enough (`expired`). Deciding
   * waits for the blocks in flight; the state handed out is not changed later.
   */
  async snapshot(): Promise<{ seq: number; state: ShardState; expired: RunId[] } | undefined> {
    this.#pauses += 1;
    try {
      await this.#untilIdle(() => this.#inFlight === 0);
      if (this.#phase === 'lost') return undefined;
      const state = pruneEnded(copyOf(this.#desk.state), this.#around.now(), this.#around.retentionMs);
      const expired = Object.keys(this.#desk.state.ended).filter((runId) => !Object.hasOwn(state.ended, runId));
      return { seq: this.#lastSeq, state, expired };
    } finally {
      this.#pauses -= 1;
      this.#deferTick();
    }
  }

  /**
   * Forgets ended runs that a saved snapshot does not hold any more, and not before: a successor that folds from an older one still knows
   * them, and would take a new run under such an id for damage of the log.
   */
  forget(expired: readonly RunId[]): void {
    for (const runId of expired) delete this.#desk.state.ended[runId];
  }

  #deferTick(): void {
    if (this.#tickDeferred || this.#pauses > 0) return;
    this.#tickDeferred = true;
    this.#around.defer(() => {
      this.#tickDeferred = false;
      this.#tick();
    });
  }

  #tick(): void {
    while (this.#phase !== 'lost' && this.#pauses === 0 && this.#queue.length > 0 && this.#inFlight < BLOCK_LIMITS.inFlight) {
      const { block, decided } = this.#decideQueued();
      if (!block.isEmpty) this.#append(block, decided);
      else this.#answerWithout(decided);
    }
  }

  /** Decides queued commands until a block is full. */
  #decideQueued(): { block: BlockDraft; decided: Decided[] } {
    const block = new BlockDraft();
    const decided: Decided[] = [];
    const queue = this.#queue;
    let next = 0;
    for (; next < queue.length && !block.isFull; next += 1) {
      const waiting = queue[next] as Waiting;
      const reply = this.#desk.decide(waiting.command, block);
      if (reply === 'later') break;
      decided.push({ waiting, reply });
    }
    this.#queue = queue.slice(next);
    return { block, decided };
  }

  #append(draft: BlockDraft, decided: Decided[]): void {
    const { log, newId, ownerId } = this.#around;
    const block: Block = { v: 1, id: newId(), shard: log.shard, owner: ownerId, kind: 'commits', at: this.#desk.lastAt, ...draft.parts() };
    const expected = this.#lastSeq;
    this.#lastSeq += 1;
    this.#inFlight += 1;
    this.counts.blocks += 1;
    this.counts.commits += block.commits.length;
    this.#newest = log.append(block, expected, draft.jsonOf(block)).then(
      (outcome) => outcome.stored || this.#lose('fenced', undefined),
      (cause: unknown) => this.#lose('log-unavailable', cause),
    );
    void this.#newest.then((stored) => {
      this.#inFlight -= 1;
      this.#answer(decided, stored);
      this.#wakeIdle();
      this.#tick();
    });
  }

  /** Replies that need no commit of their own rest on the blocks in flight or, when there are none, on the lease. */
  #answerWithout(decided: Decided[]): void {
    if (this.#inFlight > 0) void this.#newest.then((stored) => this.#answer(decided, stored));
    else this.#answer(decided, this.#around.isHeld());
    this.#wakeIdle();
  }

  #answer(decided: Decided[], stored: boolean): void {
    for (const { waiting, reply } of decided) {
      if (!stored || this.#phase === 'lost') this.#refuse(waiting);
      else {
        this.counts[reply.outcome] += 1;
        waiting.resolve(reply);
      }
    }
  }

  #refuse(waiting: Waiting): void {
    this.counts.unavailable += 1;
    waiting.resolve({ id: waiting.command.id, outcome: 'unavailable', message: 'this process does not own the shard; ask again' });
  }

  #lose(reason: LossReason, cause: unknown): false {
    if (this.#phase === 'lost') return false;
    this.#phase = 'lost';
    const queued = this.#queue;
    this.#queue = [];
    for (const waiting of queued) this.#refuse(waiting);
    this.#around.onLost(reason, cause);
    return false;
  }

  async #untilIdle(idle: () => boolean): Promise<void> {
    while (this.#phase !== 'lost' && !idle()) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #wakeIdle(): void {
    const wake = this.#idle;
    this.#idle = [];
    for (const resolve of wake) resolve();
  }
}

/** Folding writes a run's records in place but replaces each task and call, so copying the records is enough. */
function copyOf(shard: ShardState): ShardState {
  const open = Object.entries(shard.open).map(([runId, run]) => [runId, copyOfRun(run)] as const);
  return { open: Object.fromEntries(open), ended: { ...shard.ended }, accounts: { ...shard.accounts } };
}
