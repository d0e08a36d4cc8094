/**
 * Agents that a planner makes for its plan. Each is an agent of the catalogue with a prompt of its own, so it comes with that one's model,
 * limits, caps and breaker, and with none but its tools; it lives in the tasks that name it, and is gone with them.
 */
import { Specialist } from '@cadre/contracts';
import type { AgentSummary, TaskSpecInput } from '@cadre/contracts';
import { describeFaults } from '../describe-faults.js';
import type { PlannedAgent } from './planned-task.js';

const MOST = 10;

interface Made {
  base: string;
  specialist: Specialist;
}

export class Specialists {
  /** What is wrong with them, in words. */
  readonly faults: string[] = [];
  readonly #made = new Map<string, Made>();
  readonly #catalogue: ReadonlyMap<string, AgentSummary> | undefined;

  /** @param catalogue the agents at hand; left out: not known, and not checked */
  constructor(planned: readonly PlannedAgent[], catalogue: readonly AgentSummary[] | undefined) {
    this.#catalogue = catalogue && new Map(catalogue.map((agent) => [agent.name, agent]));
    if (planned.length > MOST) this.faults.push(`A plan may make ${MOST} agents of its own; this one makes ${planned.length}.`);
    for (const agent of planned.slice(0, MOST)) this.#make(agent);
  }

  /** Which of these were made here. */
  of(names: readonly string[]): string[] {
    return names.filter((name) => this.#made.has(name));
  }

  /** The task, with its specialist where it names one, or asks for skills that only one has. */
  takeUp(task: TaskSpecInput): TaskSpecInput {
    const { scope } = task;
    const inner = scope ? { ...task, scope: { ...scope, body: scope.body.map((each) => this.takeUp(each)) } } : task;
    const made = this.#madeFor(task);
    if (!made) return inner;
    return { ...inner, agent: made.base, skills: [], specialist: made.specialist };
  }

  #madeFor({ agent, skills = [], agentFrom, scope, wait }: TaskSpecInput): Made | undefined {
    if (agent !== undefined) return this.#made.get(agent);
    if (skills.length === 0 || agentFrom !== undefined || wait || (scope && scope.combine?.by !== 'custom')) return undefined;
    const has = (able: readonly string[]) => skills.every((skill) => able.includes(skill));
    if (this.#catalogue && [...this.#catalogue.values()].some((each) => has(each.skills))) return undefined;
    return [...this.#made.values()].find(({ specialist }) => has(specialist.skills));
  }

  #make({ base, ...planned }: PlannedAgent): void {
    const { name, tools } = planned;
    const parsed = Specialist.safeParse(planned);
    const of = this.#catalogue?.get(base);
    if (!parsed.success) this.faults.push(`The agent ${name} is not as asked for. ${describeFaults(parsed.error)}`);
    else if (this.#catalogue && !of) this.faults.push(`The agent ${name} is to be made of ${base}, which is no agent of the catalogue.`);
    else if (this.#catalogue?.has(name) || this.#made.has(name))
      this.faults.push(`There is an agent ${name} already; give yours another name.`);
    else this.#made.set(name, { base, specialist: parsed.data });
    const beyond = of?.tools && (tools ?? []).filter((tool) => !of.tools?.includes(tool));
    if (beyond && beyond.length > 0)
      this.faults.push(
        `The agent ${name} cannot have ${beyond.join(', ')}: ${base} has ${of.tools?.join(', ') || 'no tools'}, and it gets none but these.`,
      );
  }
}
