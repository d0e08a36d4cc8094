/** Brings unspent allowances of a tenant back to its home. */
import { CadreError } from '@cadre/contracts';
import type { CommandReply, GrantedAllowances, TenantId } from '@cadre/contracts';
import { homeShard } from './account-state.js';
import type { CommandSender } from '../ports.js';

export interface ReclaimSurroundings {
  sender: CommandSender;
  /** How many shards there are. */
  shards: number;
  newId(): string;
  signal?: AbortSignal | undefined;
}

function taken(reply: CommandReply | undefined): CommandReply & { outcome: 'accepted' | 'duplicate' } {
  if (reply?.outcome === 'accepted' || reply?.outcome === 'duplicate') return reply;
  const message = reply?.outcome === 'rejected' ? reply.message : 'no answer';
  throw new CadreError('account-command-refused', `A command about a tenant's account was not taken: ${message}`, {
    remedy: 'See that all services have the same CADRE_SHARDS.',
  });
}

/** What to tell the shards, and which of them not to ask. */
interface Reclaiming {
  except?: readonly number[];
  capped?: boolean;
}

/**
 * Makes every shard but the home and those named give back what it has not spent. Errors: those of the sender, and
 * `account-command-refused`. May be broken off and made again at any point.
 */
export async function reclaimAllowances(
  around: ReclaimSurroundings,
  tenant: TenantId,
  { except = [], capped }: Reclaiming = {},
): Promise<void> {
  const { sender, shards, newId, signal } = around;
  const home = homeShard(tenant, shards);
  const drawers = [...Array(shards).keys()].filter((shard) => shard !== home && !except.includes(shard));
  await Promise.all(
    drawers.map(async (drawer) => {
      const told = capped === undefined ? {} : { capped };
      const [returned] = await sender.send([{ type: 'ReturnAllowance', id: newId(), shard: drawer, tenant, ...told }], signal);
      const { returnedMicros } = taken(returned).result as { returnedMicros: number };
      const [restored] = await sender.send(
        [{ type: 'RestoreAllowance', id: newId(), shard: home, tenant, drawer, returnedMicros }],
        signal,
      );
      taken(restored);
    }),
  );
}

/**
 * What was granted before the cap may still be on its way: unless it arrives now and is given back, it would be spent later, beyond the
 * cap.
 */
async function creditGranted({ sender, newId, signal }: ReclaimSurroundings, tenant: TenantId, granted: GrantedAllowances): Promise<void> {
  const credits = Object.entries(granted.drawnMicros).map(([shard, drawnMicros]) => {
    return { type: 'CreditAllowance' as const, id: newId(), shard: Number(shard), tenant, drawnMicros };
  });
  if (credits.length > 0) for (const reply of await sender.send(credits, signal)) taken(reply);
}

/**
 * Sets a tenant's cap and makes it hold: when this has resolved, what the shards may still spend is within it.
 * @param capMicros null: no cap
 */
export async function setTenantBudget(around: ReclaimSurroundings, tenant: TenantId, capMicros: number | null): Promise<void> {
  const { sender, shards, newId, signal } = around;
  const home = homeShard(tenant, shards);
  const [reply] = await sender.send([{ type: 'SetTenantBudget', id: newId(), shard: home, tenant, capMicros }], signal);
  const granted = taken(reply).result as unknown as GrantedAllowances;
  if (capMicros === null) return reclaimAllowances(around, tenant, { capped: false });
  await creditGranted(around, tenant, granted);
  await reclaimAllowances(around, tenant, { capped: true });
}
