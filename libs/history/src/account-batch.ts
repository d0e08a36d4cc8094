/** What a batch of commits does to the accounts of tenants: caps that were set, and what runs have settled and reserved. */
import type { AccountCommit, TenantId } from '@cadre/contracts';
import type { RunState } from '@cadre/engine';

type Spent = RunState['spent'];

/** A change of one tenant's account. */
export interface AccountChange {
  settledMicros: number;
  reservedMicros: number;
  /** undefined: as it was. */
  capMicros?: number | null;
}

const NOTHING: Spent = { settledMicros: 0, reservedMicros: 0 };

export class AccountBatch {
  readonly changes = new Map<TenantId, AccountChange>();

  fold({ tenant, events }: AccountCommit): void {
    for (const event of events) if (event.type === 'BudgetSet') this.#of(tenant).capMicros = event.capMicros;
  }

  /** @param before undefined: the run has just started */
  spend(before: Spent | undefined, run: RunState): void {
    const was = before ?? NOTHING;
    if (was.settledMicros === run.spent.settledMicros && was.reservedMicros === run.spent.reservedMicros) return;
    const change = this.#of(run.tenant);
    change.settledMicros += run.spent.settledMicros - was.settledMicros;
    change.reservedMicros += run.spent.reservedMicros - was.reservedMicros;
  }

  #of(tenant: TenantId): AccountChange {
    const known = this.changes.get(tenant);
    if (known) return known;
    const change = { settledMicros: 0, reservedMicros: 0 };
    this.changes.set(tenant, change);
    return change;
  }
}
