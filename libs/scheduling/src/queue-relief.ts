/**
 * Tasks that have waited too long for a slot of their agent, where its definition says what becomes of them then (`underLoad`): another
 * agent may take them too. Agents that take what others have no slot for are kept from it until then. Groups change, never attempts: the
 * most urgent goes first, as ever.
 */
import type { AgentName } from '@cadre/contracts';
import { nameOfGroup, needsKey, type ReadyGroup } from './attempts.js';
import type { HostedAgent } from './hosted-agents.js';
import { isCapable } from './match-offers.js';

type Relieved = HostedAgent & { underLoad: NonNullable<HostedAgent['underLoad']> };

/**
 * Since when groups have been without a free slot: what one round of offers has found, for the next one. A scheduler that follows another
 * counts anew.
 */
export class Shortages {
  #since = new Map<string, number>();
  #found = new Map<string, number>();

  /** A group of this round has attempts that its limits allow, and nobody has a slot for them. */
  note(group: ReadyGroup, now: number): void {
    if (group.reliefMs !== undefined) return;
    const name = nameOfGroup(group);
    this.#found.set(name, this.#since.get(name) ?? now);
  }

  /** The round is over: what was not found in it has slots again. */
  turn(): void {
    this.#since = this.#found;
    this.#found = new Map();
  }

  sinceOf(group: ReadyGroup): number | undefined {
    return this.#since.size === 0 ? undefined : this.#since.get(nameOfGroup(group));
  }
}

/**
 * @param agents of all live workers @returns the groups, and for agents that have been without a free slot for long those that others may
 * take instead
 */
export function relieved(groups: ReadyGroup[], agents: Iterable<HostedAgent>, shortages: Shortages, now: number): ReadyGroup[] {
  const saying = sayingOf(agents);
  if (saying.length === 0) return groups;
  return groups.flatMap((group) => {
    const able = saying.filter((agent) => isCapable(agent, group));
    if (able.length === 0) return [group];
    const shortSince = shortages.sinceOf(group);
    const reserve = group.agent === undefined ? reserveOf(able) : [];
    const first = { ...group, ...(shortSince !== undefined && { shortSince }), ...(reserve.length > 0 && { reserve }) };
    if (shortSince === undefined || group.firm || group.begun || group.insteadOf !== undefined) return [first];
    return [first, ...able.flatMap((agent) => insteadOf(group, agent, shortSince, now))];
  });
}

/** Agents that say what becomes of tasks that wait for them, each once; where workers differ, the shortest time counts. */
function sayingOf(agents: Iterable<HostedAgent>): Relieved[] {
  const byName = new Map<string, Relieved>();
  for (const agent of agents) {
    const { underLoad, name, tenant = '' } = agent;
    if (underLoad === undefined) continue;
    const known = byName.get(`${tenant} ${name}`);
    if (known === undefined || underLoad.queueMs < known.underLoad.queueMs) byName.set(`${tenant} ${name}`, { ...agent, underLoad });
  }
  return [...byName.values()];
}

/** Whoever does the tasks of another one of them under load; but not those who would end up waiting for each other. */
function reserveOf(able: readonly Relieved[]): AgentName[] {
  const next = new Map(able.map(({ name, underLoad }) => [name, underLoad.agent]));
  const reaches = (from: AgentName, to: AgentName): boolean => {
    const seen = new Set<AgentName>();
    for (let at = next.get(from); at !== undefined && !seen.has(at); at = next.get(at)) {
      if (at === to) return true;
      seen.add(at);
    }
    return false;
  };
  return able.flatMap(({ name, underLoad: { agent } }) => (agent === undefined || reaches(agent, name) ? [] : [agent]));
}

function insteadOf(group: ReadyGroup, { name, underLoad }: Relieved, shortSince: number, now: number): ReadyGroup[] {
  const { queueMs, agent } = underLoad;
  if (agent === undefined || now - shortSince < queueMs) return [];
  return [
    { ...group, agent, insteadOf: name, reliefMs: queueMs, shortSince, needs: `${needsKey({ ...group, agent })} instead of ${name}` },
  ];
}
