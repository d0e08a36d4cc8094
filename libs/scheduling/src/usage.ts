/** What is at work, or on its way to a worker, and how much more tenants, runs and agents may get. */
import type { AgentName, RunId, WorkerId } from '@cadre/contracts';
import type { MatchRules } from './match-offers.js';
import type { OpenWork } from './open-work.js';
import { Tally } from './tally.js';

/** How many attempts of a tenant may be at work at once. */
export interface TenantSlots {
  /** Of each tenant; without it as many as there are slots, but for those that are kept. */
  each?: number | undefined;
  /** Of these tenants, whatever `each` says. */
  of: Readonly<Record<string, number>>;
  /**
   * Percent of the slots for a kind of work that a tenant without a limit of its own leaves to others, rounded down, while work of others
   * was scheduled within `forMs`.
   */
  kept: { percent: number; forMs: number };
}

/** Everything that somebody has taken or is being offered, without having started it. */
export interface Underway {
  key: string;
  workerId: WorkerId;
  agent?: AgentName;
}

export class Usage {
  readonly #tenants = new Tally();
  readonly #tenantsAt = new Tally();
  readonly #runs = new Tally<RunId>();
  readonly #agents = new Tally<AgentName>();

  constructor(
    private readonly work: OpenWork,
    underway: Iterable<Underway>,
  ) {
    for (const { key, workerId, agent } of underway) {
      const ready = work.readyOf(key);
      if (ready === undefined) continue;
      this.#tenants.add(ready.tenant);
      this.#tenantsAt.add(`${workerId} ${ready.tenant}`);
      this.#runs.add(ready.runId);
      if (agent !== undefined) this.#agents.add(agent);
    }
  }

  ofAgent(agent: AgentName): number {
    return this.work.runningOf({ agent }) + this.#agents.of(agent);
  }

  /** Offers to an agent that it has not started. */
  offeredTo(agent: AgentName): number {
    return this.#agents.of(agent);
  }

  /** What the matching is to heed of tenants and runs. */
  rules(slots: TenantSlots, now: number): Pick<MatchRules, 'atWork' | 'tenantRoom' | 'kept' | 'runRoom'> {
    const atWork = (tenant: string) => this.work.runningOf({ tenant }) + this.#tenants.of(tenant);
    const limit = (tenant: string) => (Object.hasOwn(slots.of, tenant) ? slots.of[tenant] : slots.each);
    const { percent, forMs } = slots.kept;
    return {
      atWork,
      tenantRoom: (tenant) => (limit(tenant) ?? Infinity) - atWork(tenant),
      kept: {
        percent: (tenant) => (limit(tenant) === undefined && this.work.tenants.anyBut(tenant, now - forMs) ? percent : 0),
        held: (tenant, workerId) => this.work.runningOfTenantAt(tenant, workerId) + this.#tenantsAt.of(`${workerId} ${tenant}`),
      },
      runRoom: ({ runId, limit }) => limit - this.work.runningOf({ runId }) - this.#runs.of(runId),
    };
  }
}
