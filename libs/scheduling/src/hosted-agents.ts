/** Which agents a worker has, for whom: told by its heartbeats together with the definitions that were made at run time. */
import { queueReliefOf, type AgentName, type AgentSummary, type Heartbeat, type TenantId } from '@cadre/contracts';
import { hosts, type DefinedAgents, type LiveAgent } from '@cadre/engine';

export interface HostedAgent extends AgentSummary {
  /** Set when it was defined at run time: it works for this tenant only. */
  tenant?: TenantId;
  /** Removed agents whose tasks it gets, each of a tenant. */
  standsFor?: readonly { tenant: TenantId; agent: AgentName }[];
}

type Standing = Map<AgentName, { tenant: TenantId; agent: AgentName }[]>;

export class HostedAgents {
  /** By heartbeat, which is never changed. */
  readonly #known = new WeakMap<Heartbeat, { changes: number; agents: readonly HostedAgent[] }>();
  #standing: { changes: number; of: Standing } = { changes: 0, of: new Map() };

  constructor(private readonly defined: DefinedAgents) {}

  of(beat: Heartbeat): readonly HostedAgent[] {
    const { changes } = this.defined;
    if (changes === 0 && !hasLabels(beat)) return beat.agents;
    const known = this.#known.get(beat);
    if (known?.changes === changes) return known.agents;
    const made = beat.templates === undefined ? [] : this.defined.live().filter((stored) => hosts(beat, stored));
    const standing = this.#standings();
    const agents = [...beat.agents, ...made.map(summaryOf)].map((agent) => {
      const standsFor = standing.get(agent.name);
      const labels = beat.labels && { labels: { ...beat.labels, ...agent.labels } };
      return standsFor || labels ? { ...agent, ...(standsFor && { standsFor }), ...labels } : agent;
    });
    this.#known.set(beat, { changes, agents });
    return agents;
  }

  #standings(): Standing {
    const { changes } = this.defined;
    if (this.#standing.changes === changes) return this.#standing.of;
    const of: Standing = new Map();
    for (const { tenant, agent, standIn } of this.defined.standIns()) of.set(standIn, [...(of.get(standIn) ?? []), { tenant, agent }]);
    this.#standing = { changes, of };
    return of;
  }
}

function summaryOf({ record: { tenant, name, definition } }: LiveAgent): HostedAgent {
  const { description, skills, model, maxParallel, tools, labels } = definition;
  const underLoad = queueReliefOf(definition);
  return {
    ...{ tenant, name, description, skills },
    ...(model !== undefined && { model }),
    ...(maxParallel !== undefined && { maxParallel }),
    ...(tools && { tools }),
    ...(labels && { labels }),
    ...(underLoad && { underLoad }),
  };
}

function hasLabels({ labels }: Heartbeat): boolean {
  return labels !== undefined && Object.keys(labels).length > 0;
}
