/**
 * Invariant 6 for tenants: what the runs of a tenant have settled and reserved in a shard is within what the shard may spend, whenever a
 * call is reserved or an allowance granted. A fold of its own over runs' and accounts' events. A cap that was lowered below what is spent
 * is no fault.
 */
import type { AccountCommit, Block, CallReservation, CallSettlement, Commit, RunEvent, RunId, TenantId } from '@cadre/contracts';
import { homeShard } from '../account/account-state.js';
import type { Report } from './violation.js';

interface Ledger {
  spentMicros: number;
  capMicros: number | null;
  /** Home: by drawer. */
  drawn: Map<number, number>;
  returned: Map<number, number>;
  /** Elsewhere. */
  creditedMicros: number;
  returnedMicros: number;
  seq: number;
}

export class AccountAudit {
  readonly ledgers = new Map<TenantId, Ledger>();
  readonly #tenants = new Map<RunId, TenantId>();
  readonly #reserved = new Map<string, number>();

  /** @param shards how many there are */
  constructor(
    readonly shard: number,
    private readonly shards: number,
    private readonly report: Report,
  ) {}

  block(seq: number, block: Block): void {
    for (const commit of block.accounts ?? []) this.#account(commit, seq);
    for (const commit of block.commits) for (const event of commit.events) this.#run(commit, event, seq);
  }

  #ledger(tenant: TenantId): Ledger {
    let ledger = this.ledgers.get(tenant);
    if (!ledger) {
      ledger = { spentMicros: 0, capMicros: null, drawn: new Map(), returned: new Map(), creditedMicros: 0, returnedMicros: 0, seq: 0 };
      this.ledgers.set(tenant, ledger);
    }
    return ledger;
  }

  #complain(clause: string, message: string, blockSeq: number, runId?: RunId): void {
    this.report({ invariant: 6, clause, message, blockSeq, ...(runId === undefined ? {} : { runId }) });
  }

  #account(commit: AccountCommit, blockSeq: number): void {
    const ledger = this.#ledger(commit.tenant);
    if (commit.seq !== ledger.seq + 1) {
      this.#complain('account-gap', `account ${commit.tenant}: commit ${commit.seq} follows ${ledger.seq}`, blockSeq);
    }
    ledger.seq = commit.seq;
    for (const event of commit.events) {
      if (event.type === 'BudgetSet') ledger.capMicros = event.capMicros;
      else if (event.type === 'AllowanceCredited') ledger.creditedMicros = event.drawnMicros;
      else if (event.type === 'AllowanceReturned') ledger.returnedMicros = event.returnedMicros;
      else if (event.type === 'AllowanceRestored') ledger.returned.set(event.drawer, event.returnedMicros);
      else {
        ledger.drawn.set(event.drawer, event.drawnMicros);
        this.#check(commit.tenant, ledger, blockSeq);
      }
    }
  }

  #run({ runId }: Commit, event: RunEvent, blockSeq: number): void {
    if (event.type === 'RunStarted') this.#tenants.set(runId, event.tenant);
    else if (event.type === 'CallsReserved') this.#reserve(runId, event.calls, blockSeq);
    else if (event.type === 'CallsSettled') this.#settle(runId, event.calls);
  }

  #reserve(runId: RunId, calls: readonly CallReservation[], blockSeq: number): void {
    const tenant = this.#tenants.get(runId);
    if (tenant === undefined) return;
    const ledger = this.#ledger(tenant);
    for (const call of calls) {
      this.#reserved.set(`${runId} ${call.key} ${call.try}`, call.maxCostMicros);
      ledger.spentMicros += call.maxCostMicros;
      if (call.maxCostMicros > 0) this.#check(tenant, ledger, blockSeq, runId);
    }
  }

  #settle(runId: RunId, calls: readonly CallSettlement[]): void {
    const tenant = this.#tenants.get(runId);
    if (tenant === undefined) return;
    const ledger = this.#ledger(tenant);
    for (const call of calls) {
      const id = `${runId} ${call.key} ${call.try}`;
      const reserved = this.#reserved.get(id);
      // A call that a person says is done was settled before, as unknown; nothing is set aside for it any more.
      if (reserved === undefined) continue;
      this.#reserved.delete(id);
      ledger.spentMicros += call.costMicros - reserved;
    }
  }

  #check(tenant: TenantId, ledger: Ledger, blockSeq: number, runId?: RunId): void {
    const isHome = homeShard(tenant, this.shards) === this.shard;
    if (isHome && ledger.capMicros === null) return;
    const may = isHome ? (ledger.capMicros ?? 0) - grantedMicros(ledger) : ledger.creditedMicros - ledger.returnedMicros;
    if (ledger.spentMicros <= may) return;
    const message = `tenant ${tenant} has settled and reserved ${ledger.spentMicros} in shard ${this.shard}, which may spend ${may}`;
    this.#complain('tenant-cap', message, blockSeq, runId);
  }
}

function grantedMicros(ledger: Ledger): number {
  let granted = 0;
  for (const [drawer, drawn] of ledger.drawn) granted += drawn - (ledger.returned.get(drawer) ?? 0);
  return granted;
}

/**
 * What shards have credited, their homes have granted; what homes have taken back, the shards have given. @param audits one for each shard
 */
export function compareAccounts(audits: readonly AccountAudit[], report: Report): void {
  const byShard = new Map(audits.map((audit) => [audit.shard, audit]));
  for (const audit of audits) {
    for (const [tenant, ledger] of audit.ledgers) {
      const home = byShard.get(homeShard(tenant, audits.length));
      if (home === undefined || home === audit) continue;
      const known = home.ledgers.get(tenant);
      const drawn = known?.drawn.get(audit.shard) ?? 0;
      const returned = known?.returned.get(audit.shard) ?? 0;
      const where = `shard ${audit.shard}, tenant ${tenant}`;
      if (ledger.creditedMicros > drawn) {
        report({ invariant: 6, clause: 'allowance-invented', message: `${where}: credited ${ledger.creditedMicros}, granted ${drawn}` });
      }
      if (ledger.returnedMicros < returned) {
        report({
          invariant: 6,
          clause: 'return-invented',
          message: `${where}: gave back ${ledger.returnedMicros}, taken back ${returned}`,
        });
      }
    }
  }
}
