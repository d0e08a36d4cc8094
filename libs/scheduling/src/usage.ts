/** What is at work, or on its way to a worker, and how much more tenants, runs and agents may get. */
import type { AgentName, RunId } from '@cadre/contracts';
import type { MatchRules } from './match-offers.js';
import type { OpenWork } from './open-work.js';
import { Tally } from './tally.js';

/** How many attempts of a tenant may be at work at once. */
export interface TenantSlots {
  /** Of each tenant; without it as many as there are slots. */
  each?: number | undefined;
  /** Of these tenants, whatever `each` says. */
  of: Readonly<Record<string, number>>;
}

/** Everything that somebody has taken or is being offered, without having started it. */
export interface Underway {
  key: string;
  agent?: AgentName;
}

export class Usage {
  readonly #tenants = new Tally();
  readonly #runs = new Tally<RunId>();
  readonly #agents = new Tally<AgentName>();

  constructor(
    private readonly work: OpenWork,
    underway: Iterable<Underway>,
  ) {
    for (const { key, agent } of underway) {
      const ready = work.readyOf(key);
      if (ready === undefined) continue;
      this.#tenants.add(ready.tenant);
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
  rules(slots: TenantSlots): Pick<MatchRules, 'atWork' | 'tenantRoom' | 'runRoom'> {
    const atWork = (tenant: string) => this.work.runningOf({ tenant }) + this.#tenants.of(tenant);
    const most = (tenant: string) => (Object.hasOwn(slots.of, tenant) ? slots.of[tenant] : slots.each) ?? Infinity;
    return {
      atWork,
      tenantRoom: (tenant) => most(tenant) - atWork(tenant),
      runRoom: ({ runId, limit }) => limit - this.work.runningOf({ runId }) - this.#runs.of(runId),
    };
  }
}
