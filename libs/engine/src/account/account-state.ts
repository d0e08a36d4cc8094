/** A tenant's account in one shard: what its runs there have spent, and where the permission to spend comes from. */
import type { TenantId } from '@cadre/contracts';

/** What the home knows of a shard that draws from it. Both sums only grow. */
export interface Drawer {
  drawnMicros: number;
  returnedMicros: number;
}

export interface Account {
  tenant: TenantId;
  /** Number of the last account commit folded. */
  seq: number;
  /** Of all calls of the tenant's runs in this shard. */
  settledMicros: number;
  reservedMicros: number;
  /** Home: the cap (null: none) and the drawers by shard. Unused elsewhere. */
  capMicros: number | null;
  drawers: Record<string, Drawer>;
  /** Elsewhere: sums of all that the home has granted and of all that was given back. Both only grow. */
  creditedMicros: number;
  returnedMicros: number;
  /** Elsewhere: whether the tenant has a cap, as far as the home has told. Left out: nothing was told. */
  capped?: boolean;
}

export function newAccount(tenant: TenantId): Account {
  return {
    tenant,
    seq: 0,
    settledMicros: 0,
    reservedMicros: 0,
    capMicros: null,
    drawers: {},
    creditedMicros: 0,
    returnedMicros: 0,
  };
}

/** A tenant named `constructor` is legal, so only own keys count. */
export function accountOf(accounts: Record<TenantId, Account>, tenant: TenantId): Account | undefined {
  return Object.hasOwn(accounts, tenant) ? accounts[tenant] : undefined;
}

/** The shard that keeps a tenant's cap. @param shards how many there are, 1 to 100 */
export function homeShard(tenant: TenantId, shards: number): number {
  // FNV-1a: the same on every machine, and needs no library.
  let hash = 0x811c9dc5;
  for (let i = 0; i < tenant.length; i += 1) hash = Math.imul(hash ^ tenant.charCodeAt(i), 0x01000193) >>> 0;
  return hash % shards;
}

/** Whether the tenant has a cap. @param isHome whether this shard keeps it */
export function isCapped(account: Account | undefined, isHome: boolean): boolean {
  return isHome ? (account?.capMicros ?? null) !== null : account?.capped === true;
}

/** Settled and reserved here. */
export function spentMicros(account: Account): number {
  return account.settledMicros + account.reservedMicros;
}

/** What the home has left to spend itself or to grant; undefined: there is no cap. Negative after the cap was lowered. */
export function homeRoomMicros(account: Account): number | undefined {
  if (account.capMicros === null) return undefined;
  let granted = 0;
  for (const { drawnMicros, returnedMicros } of Object.values(account.drawers)) granted += drawnMicros - returnedMicros;
  return account.capMicros - granted - spentMicros(account);
}

/**
 * What a call of the tenant's may still cost in this shard; undefined: there is no cap.
 * @param isHome whether this shard keeps the tenant's cap
 */
export function roomMicros(account: Account | undefined, isHome: boolean): number | undefined {
  if (isHome) return account && homeRoomMicros(account);
  return account ? account.creditedMicros - account.returnedMicros - spentMicros(account) : 0;
}
