/** The agents that were defined at run time, as one process has read them. */
import { meetsLabels } from '@cadre/contracts';
import type { AgentName, AgentRecord, DefinedAgent, Heartbeat, TenantId } from '@cadre/contracts';
import type { StoredAgent } from './agent-store.js';

export type LiveAgent = StoredAgent & { record: { definition: DefinedAgent } };

export class DefinedAgents {
  readonly #stored = new Map<AgentName, StoredAgent>();
  #changes = 0;

  /** Grows with each change. */
  get changes(): number {
    return this.#changes;
  }

  /** @returns false for what is known already, or older */
  take(stored: StoredAgent): boolean {
    const { name } = stored.record;
    if ((this.#stored.get(name)?.revision ?? 0) >= stored.revision) return false;
    this.#stored.set(name, stored);
    this.#changes += 1;
    return true;
  }

  get(name: AgentName): AgentRecord | undefined {
    return this.#stored.get(name)?.record;
  }

  /** Those that are not removed. */
  live(): LiveAgent[] {
    return [...this.#stored.values()].filter((stored): stored is LiveAgent => stored.record.definition !== undefined);
  }

  isRemoved(tenant: TenantId, name: AgentName): boolean {
    const record = this.get(name);
    return record?.tenant === tenant && record.definition === undefined;
  }

  /** Whom each removed agent's tasks go to, at the end of the chain where that one was removed, too. Without those whose tasks wait. */
  standIns(): { tenant: TenantId; agent: AgentName; standIn: AgentName }[] {
    return [...this.#stored.values()].flatMap(({ record: { tenant, name } }) => {
      const standIn = this.#standIn(tenant, name);
      return standIn === undefined ? [] : [{ tenant, agent: name, standIn }];
    });
  }

  #standIn(tenant: TenantId, name: AgentName): AgentName | undefined {
    const seen = new Set<AgentName>();
    let at = name;
    for (;;) {
      const record = this.get(at);
      if (record?.tenant !== tenant || record.definition) return at === name ? undefined : at;
      if (record.handTo === undefined || seen.has(at)) return undefined;
      seen.add(at);
      at = record.handTo;
    }
  }
}

/**
 * Whether a worker has the agent now: it offers the template and has read the definition. An agent that the worker brings itself goes
 * before one of the same name.
 */
export function hosts(
  { agents, templates = [], definitions = 0, labels }: Pick<Heartbeat, 'agents' | 'templates' | 'definitions' | 'labels'>,
  stored: StoredAgent,
): boolean {
  const { name, definition } = stored.record;
  if (definition === undefined || definitions < stored.revision || !meetsLabels(labels, definition.requires)) return false;
  return templates.some((template) => template.name === definition.template) && agents.every((own) => own.name !== name);
}
