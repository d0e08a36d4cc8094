/**
 * Decides commands against a shard's state and puts the commits into a block in the making. Each commit is folded at once, so that the next
 * command sees what the one before it has done.
 */
import type {
  AccountCommand,
  AccountCommit,
  CallReservation,
  Command,
  CommandReply,
  Commit,
  Json,
  RecordCalls,
  RunEvent,
  ShardCommand,
  TenantId,
} from '@cadre/contracts';
import { accountOf, homeShard, isCapped, roomMicros } from './account/account-state.js';
import { decideAccount } from './account/decide-account.js';
import type { AccountDecision } from './account/decide-account.js';
import { MAX_COMMIT_BYTES } from './block-draft.js';
import type { BlockDraft } from './block-draft.js';
import { decideInShard } from './decide/decide.js';
import { rejected } from './decision.js';
import type { DecideContext, Decision } from './decision.js';
import { adoptDraft, foldShardAccount, foldShardCommit } from './fold-shard.js';
import type { ShardState } from './state.js';

/** Where a shard that is not the home of a tenant's account gets permission to spend. */
export interface Allowances {
  /** Whether the home has lately refused to grant as much. */
  isDenied(tenant: TenantId, needMicros: number): boolean;
  /** Draws, unless that is under way. */
  want(tenant: TenantId, creditedMicros: number, needMicros: number): void;
}

/**
 * How a command about a run is decided. The engine's own way unless something else is given: the simulator records decisions, and plants
 * faults.
 */
export type DecideInShard = (shard: ShardState, command: Command, context: DecideContext) => Decision;

export interface DeskSurroundings {
  shard: number;
  /** How many shards there are. */
  shards: number;
  now(): number;
  random(): number;
  /** Needed with more than one shard. */
  allowances?: Allowances | undefined;
  decide?: DecideInShard | undefined;
  /**
   * A command that the engine failed on: it is refused, so that the others of the shard are not held up. Without it, the failure is thrown.
   */
  onBug?: ((command: Command, cause: unknown) => void) | undefined;
}

export class ShardDesk {
  /** Time of the last decision; the commit times of one owner never run backwards, whatever the clock does. */
  lastAt = 0;

  constructor(
    private readonly around: DeskSurroundings,
    readonly state: ShardState,
  ) {}

  /** @returns the reply, once what it says is stored; `later`: the block has no room for the commit, which is decided anew then */
  decide(command: ShardCommand, block: BlockDraft): CommandReply | 'later' {
    this.lastAt = Math.max(this.lastAt, this.around.now());
    return 'runId' in command ? this.#decideRun(command, block) : this.#decideAccount(command, block);
  }

  #decideRun(command: Command, block: BlockDraft): CommandReply | 'later' {
    const context: DecideContext = { now: this.lastAt, random: this.around.random(), ...this.#moneyFor(command) };
    let decision = this.#decide(command, context);
    if (context.tenantMayDraw && refusedByTenant(decision)) {
      if (this.#mayDraw(command, decision, context.tenantRoomMicros)) {
        return {
          id: command.id,
          outcome: 'unavailable',
          message: "permission to spend is being drawn from the tenant's account; ask again",
        };
      }
      // There is no more to be had: what there is may be enough for a smaller call.
      decision = this.#decide(command, { ...context, tenantMayDraw: false });
    }
    if (decision.outcome !== 'accepted' || decision.events.length === 0) return replyTo(command, decision);
    const before = this.state.open[command.runId];
    const seq = (before?.seq ?? 0) + 1;
    const commit: Commit = { runId: command.runId, seq, at: this.lastAt, cause: command.id, events: decision.events };
    const taken = block.add(commit);
    if (taken === 'later') return 'later';
    if (taken !== 'taken') return tooLarge(command, taken);
    if (decision.run) adoptDraft(this.state, commit, decision.run);
    else foldShardCommit(this.state, commit);
    if (before) this.#coverDebt(before.tenant);
    return replyTo(command, decision);
  }

  /** Deciding only reads, so a failure of it has changed nothing. */
  #decide(command: Command, context: DecideContext): Decision {
    const { decide = decideInShard, onBug } = this.around;
    if (onBug === undefined) return decide(this.state, command, context);
    try {
      return decide(this.state, command, context);
    } catch (cause) {
      onBug(command, cause);
      return rejected('invalid-command', `The engine failed on this command, which is a fault of Cadre: ${(cause as Error).message}`);
    }
  }

  #decideAccount(command: AccountCommand, block: BlockDraft): CommandReply | 'later' {
    const { tenant } = command;
    const account = accountOf(this.state.accounts, tenant);
    const decision = decideAccount(account, command, this.around.shards);
    if (decision.outcome !== 'accepted') return replyTo(command, decision);
    const commit: AccountCommit = { tenant, seq: (account?.seq ?? 0) + 1, at: this.lastAt, cause: command.id, events: decision.events };
    // Accounts come before the commits of their block, so a change of an account that commits of this block rest on waits for the next
    // block.
    if (!block.addAccount(commit)) return 'later';
    foldShardAccount(this.state, commit);
    return replyTo(command, decision);
  }

  #tenantOf(command: Command): TenantId | undefined {
    return command.type === 'RecordCalls' ? this.state.open[command.runId]?.tenant : undefined;
  }

  /** Only reservations need to know. */
  #moneyFor(command: Command): Pick<DecideContext, 'tenantRoomMicros' | 'tenantCapped' | 'tenantMayDraw'> {
    const tenant = this.#tenantOf(command);
    if (tenant === undefined) return {};
    const account = accountOf(this.state.accounts, tenant);
    const isHome = homeShard(tenant, this.around.shards) === this.around.shard;
    const tenantMayDraw = !isHome && this.around.allowances !== undefined;
    return {
      tenantRoomMicros: roomMicros(account, isHome),
      tenantCapped: isCapped(account, isHome),
      ...(tenantMayDraw && { tenantMayDraw }),
    };
  }

  /** A call that does not fit under the tenant's allowance is refused for good only when the home has no more to give. */
  #mayDraw(command: Command, decision: Decision & { outcome: 'accepted' }, room: number | undefined): boolean {
    const { allowances } = this.around;
    const tenant = this.#tenantOf(command);
    if (tenant === undefined || room === undefined || command.type !== 'RecordCalls') return false;
    const freed = this.#freedMicros(command, decision.events);
    const credited = accountOf(this.state.accounts, tenant)?.creditedMicros ?? 0;
    // The whole first; where that is not to be had, what the calls take at the least.
    for (const costOf of [wholeCost, leastCost]) {
      const needMicros = command.reserve.reduce((sum, call) => sum + costOf(call), -room) - freed;
      if (needMicros <= 0 || allowances === undefined || allowances.isDenied(tenant, needMicros)) continue;
      allowances.want(tenant, credited, needMicros);
      return true;
    }
    return false;
  }

  /**
   * A server that bills beyond the reservation has spent what this shard may not: the home is to know at once, or others would spend it
   * again.
   */
  #coverDebt(tenant: TenantId): void {
    const { allowances, shard, shards } = this.around;
    if (allowances === undefined || homeShard(tenant, shards) === shard) return;
    const account = accountOf(this.state.accounts, tenant);
    const room = roomMicros(account, false) ?? 0;
    if (room < 0 && !allowances.isDenied(tenant, -room)) allowances.want(tenant, account?.creditedMicros ?? 0, -room);
  }

  /** What calls that the decision settles have cost less than was set aside for them. */
  #freedMicros({ runId, taskId }: RecordCalls, events: readonly RunEvent[]): number {
    const calls = this.state.open[runId]?.calls[taskId] ?? {};
    let freed = 0;
    for (const event of events) {
      if (event.type !== 'CallsSettled') continue;
      for (const { key, costMicros } of event.calls) freed += (calls[key]?.maxCostMicros ?? 0) - costMicros;
    }
    return freed;
  }
}

const wholeCost = ({ maxCostMicros }: CallReservation): number => maxCostMicros;
const leastCost = ({ minCostMicros, maxCostMicros }: CallReservation): number => minCostMicros ?? maxCostMicros;

function refusedByTenant(decision: Decision): decision is Decision & { outcome: 'accepted' } {
  return decision.outcome === 'accepted' && decision.events.some((event) => event.type === 'CallRefused' && event.limit === 'tenant');
}

function replyTo(command: ShardCommand, decision: Decision | AccountDecision): CommandReply {
  if (decision.outcome === 'rejected') return { id: command.id, outcome: 'rejected', code: decision.code, message: decision.message };
  const result: { result?: Json } = decision.result === undefined ? {} : { result: decision.result };
  return { id: command.id, outcome: decision.outcome, ...result };
}

function tooLarge(command: Command, size: number): CommandReply {
  const message = `the decision would take ${Math.ceil(size / 1024)} KiB; at most ${MAX_COMMIT_BYTES / 1024} KiB fit into one commit: use fewer tasks or shorter instructions`;
  return { id: command.id, outcome: 'rejected', code: 'invalid-command', message };
}
