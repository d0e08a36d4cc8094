/**
 * Brings allowances to a shard that is not the home of a tenant's account. An owner that cannot grant a call for want of allowance says so
 * here; the call's sender asks again after a while, and by then the allowance has been credited or the tenant's budget is known to be used
 * up. Nothing here is stored: a successor finds the sums in the logs.
 */
import type { TenantId } from '@cadre/contracts';
import type { CommandSender } from '../ports.js';
import { homeShard } from './account-state.js';
import { reclaimAllowances } from './reclaim.js';

export interface AllowanceSurroundings {
  shard: number;
  /** How many shards there are. */
  shards: number;
  sender: CommandSender;
  now(): number;
  newId(): string;
  /** Told when a draw failed for another reason than the budget; it is made again when it is wanted again. */
  onFault(tenant: TenantId, cause: unknown): void;
  /** Ends the waiting for answers. */
  signal: AbortSignal;
}

/** How long a refusal by the home is believed. */
const DENIED_MS = 3000;

export class AllowanceKeeper {
  readonly #drawing = new Set<TenantId>();
  readonly #denied = new Map<TenantId, { needMicros: number; until: number }>();

  constructor(private readonly around: AllowanceSurroundings) {}

  /** Whether the home has lately refused to grant as much. */
  isDenied(tenant: TenantId, needMicros: number): boolean {
    const denied = this.#denied.get(tenant);
    if (denied === undefined) return false;
    if (denied.until > this.around.now()) return denied.needMicros <= needMicros;
    this.#denied.delete(tenant);
    return false;
  }

  /**
   * Draws, unless that is under way.
   * @param creditedMicros the account's sum of all that was credited here @param needMicros what is missing
   */
  want(tenant: TenantId, creditedMicros: number, needMicros: number): void {
    if (this.#drawing.has(tenant)) return;
    this.#drawing.add(tenant);
    void this.#draw(tenant, creditedMicros, needMicros)
      .catch((cause: unknown) => this.around.onFault(tenant, cause))
      .finally(() => this.#drawing.delete(tenant));
  }

  async #draw(tenant: TenantId, creditedMicros: number, needMicros: number): Promise<void> {
    const { shard, shards, sender, newId, signal } = this.around;
    let drawn = await this.#ask(tenant, creditedMicros, needMicros);
    if (drawn === undefined) {
      // What other shards hold unspent may be enough.
      await reclaimAllowances({ sender, shards, newId, signal }, tenant, { except: [shard] });
      drawn = await this.#ask(tenant, creditedMicros, needMicros);
    }
    if (drawn === undefined) {
      this.#denied.set(tenant, { needMicros, until: this.around.now() + DENIED_MS });
      return;
    }
    await sender.send([{ type: 'CreditAllowance', id: newId(), shard, tenant, drawnMicros: drawn }], signal);
  }

  /** The sum of all granted to this shard so far; undefined: the budget does not hold as much. */
  async #ask(tenant: TenantId, creditedMicros: number, needMicros: number): Promise<number | undefined> {
    const { shard, shards, sender, newId, signal } = this.around;
    const home = homeShard(tenant, shards);
    const [reply] = await sender.send(
      [{ type: 'DrawAllowance', id: newId(), shard: home, tenant, drawer: shard, creditedMicros, needMicros }],
      signal,
    );
    if (reply?.outcome === 'rejected' && reply.code === 'budget-exceeded') return undefined;
    if (reply?.outcome !== 'accepted' && reply?.outcome !== 'duplicate')
      throw new Error(`the draw was answered with ${JSON.stringify(reply)}`);
    return (reply.result as { drawnMicros: number }).drawnMicros;
  }
}
