/** Whose call is next: tenants take turns, whatever each has waiting, and of one tenant the call goes first that has waited longest. */
import type { GovernorAsk } from '@cadre/contracts';

/** An ask that is kept back. */
export interface HeldAsk {
  ask: GovernorAsk;
  arrivedAt: number;
}

export interface WaitingCall {
  tenant: string;
  worker: string;
  call: number;
  tokens: number;
}

/** Tenants that were not served for long begin anew, which puts them first. */
const MAX_TENANTS = 10_000;

export class TurnList {
  /** By when they were served last, the latest at the end. */
  private readonly lastServed = new Set<string>();

  served(tenant: string): void {
    this.lastServed.delete(tenant);
    this.lastServed.add(tenant);
    if (this.lastServed.size <= MAX_TENANTS) return;
    for (const oldest of this.lastServed) {
      this.lastServed.delete(oldest);
      return;
    }
  }

  /** Gives one call after the other; a tenant that is served goes to the end. */
  *inOrder(asks: readonly HeldAsk[]): Generator<WaitingCall> {
    const byTenant = new Map<string, (WaitingCall & { since: number })[]>();
    for (const { ask, arrivedAt } of asks) {
      for (const { call, tenant, tokens, waitedMs } of ask.calls) {
        const calls = byTenant.get(tenant) ?? [];
        calls.push({ tenant, worker: ask.worker, call, tokens, since: arrivedAt - waitedMs });
        byTenant.set(tenant, calls);
      }
    }
    // From the end they are taken.
    for (const calls of byTenant.values()) calls.sort((a, b) => a.since - b.since).reverse();
    const known = [...this.lastServed].filter((tenant) => byTenant.has(tenant));
    const queue = [...[...byTenant.keys()].filter((tenant) => !this.lastServed.has(tenant)), ...known];
    for (let tenant = queue.shift(); tenant !== undefined; tenant = queue.shift()) {
      const calls = byTenant.get(tenant)!;
      yield calls.pop()!;
      if (calls.length > 0) queue.push(tenant);
    }
  }
}
