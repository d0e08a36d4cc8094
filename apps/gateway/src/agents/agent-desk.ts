/** What people do with agents at run time: the checks that a store cannot make, since they are about the workers that are there. */
import { CadreError, type AgentName, type AgentRecord, type AgentRemoved, type AgentView, type DefinedAgent } from '@cadre/contracts';
import type { TenantId, WorkerList } from '@cadre/contracts';
import { hosts, type AgentRegistry, type DefineAgentEnd, type StoredAgent } from '@cadre/engine';
import { InputProblem } from '@cadre/service-kit';
import type { WorkerRoster } from './worker-roster.js';

type Templates = WorkerList['templates'];
const nameOf = ({ name }: { name: string }): string => name;

/** Errors of all methods: `store-unavailable`. */
export class AgentDesk {
  constructor(
    private readonly registry: AgentRegistry,
    private readonly roster: WorkerRoster,
  ) {}

  async list(tenant: TenantId): Promise<WorkerList> {
    const stored = await this.registry.list(tenant);
    const workers = this.roster.list(Date.now());
    return { workers, templates: this.templates(), defined: stored.map((each) => this.viewOf(each)) };
  }

  /** Error `unknown-agent`. */
  async get(tenant: TenantId, name: AgentName): Promise<AgentView> {
    const stored = await this.registry.get(tenant, name);
    if (!stored) throw unknownAgent(name);
    return this.viewOf(stored);
  }

  /** Errors: `unprocessable` naming what does not fit the templates that are there, `name-taken`, `agent-limit`. */
  async define(tenant: TenantId, name: AgentName, definition: DefinedAgent): Promise<{ view: AgentView; isNew: boolean }> {
    await this.roster.heard();
    assertFits(definition, this.templates());
    if (this.ownNames().has(name)) throw nameTaken(name, 'A worker has an agent of this name by itself.');
    const end = await this.registry.define(tenant, name, definition);
    if (!end.ok) throw refused(name, end);
    return { view: await this.get(tenant, name), isNew: end.change === 'new' };
  }

  /** Errors: `unknown-agent`, `unprocessable` when nobody is there to hand on to. */
  async remove(tenant: TenantId, name: AgentName, handTo?: AgentName): Promise<AgentRemoved> {
    await this.roster.heard();
    if (!(await this.registry.get(tenant, name))) throw unknownAgent(name);
    if (handTo !== undefined) await this.assertStandIn(tenant, name, handTo);
    const end = await this.registry.remove(tenant, name, handTo);
    if (!end.ok) throw unknownAgent(name);
    return removedView(end.stored);
  }

  /** By name: of workers that are not of one release the tools of all. */
  private templates(): Templates {
    const byName = new Map<string, Templates[number]>();
    for (const { workerId, templates = [] } of this.roster.list(Date.now())) {
      for (const template of templates) {
        const known = byName.get(template.name) ?? { ...template, workers: [] };
        const tools = [...new Set([...known.tools, ...template.tools])];
        byName.set(template.name, { ...known, tools, workers: [...known.workers, workerId] });
      }
    }
    return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private ownNames(): Set<AgentName> {
    return new Set(this.roster.list(Date.now()).flatMap(({ agents }) => agents.map(nameOf)));
  }

  private async assertStandIn(tenant: TenantId, name: AgentName, handTo: AgentName): Promise<void> {
    const isThere = this.ownNames().has(handTo) || (await this.registry.get(tenant, handTo))?.record.definition !== undefined;
    if (handTo !== name && isThere) return;
    const why = handTo === name ? 'is the agent itself' : 'is no agent that is there';
    throw new InputProblem('unprocessable', `The work of ${name} cannot be handed to ${handTo}: it ${why}.`, {
      errors: [{ path: 'handTo', message: why }],
      remedy: 'see GET /v1/agents',
    });
  }

  private viewOf(stored: StoredAgent): AgentView {
    const { tenant: _tenant, ...record } = stored.record;
    const workers = this.roster.list(Date.now()).filter((worker) => !worker.lost && hosts(worker, stored));
    return { ...record, workers: workers.map(({ workerId }) => workerId) };
  }
}

function assertFits({ template, tools = [], restsOn = [] }: DefinedAgent, templates: Templates): void {
  const found = templates.find(({ name }) => name === template);
  if (!found) {
    const known = templates.map(nameOf).join(', ') || 'none';
    throw new InputProblem('unprocessable', `No worker offers the template ${template}.`, {
      errors: [{ path: 'template', message: 'no worker offers it' }],
      remedy: `templates that are offered: ${known}`,
    });
  }
  const faults = Object.entries({ tools, restsOn }).flatMap(([field, names]) =>
    names.flatMap((tool, place) =>
      found.tools.includes(tool) ? [] : [{ path: `${field}[${place}]`, message: `the template ${template} does not have ${tool}` }],
    ),
  );
  if (faults.length === 0) return;
  throw new InputProblem('unprocessable', `The agent cannot be granted these tools: ${faults.map(({ message }) => message).join('; ')}`, {
    errors: faults,
    remedy: `tools of ${template}: ${found.tools.join(', ') || 'none'}`,
  });
}

function removedView({ name, version, handTo }: AgentRecord): AgentRemoved {
  const skills = 'What it has begun is handed back; tasks that ask for its skills go to whoever has them.';
  const named =
    handTo === undefined
      ? `Tasks that ask for ${name} by name wait until it is defined again, or until DELETE says handTo; the scheduler's /unmatched shows them.`
      : `Tasks that ask for ${name} by name go to ${handTo}.`;
  return { name, version, ...(handTo === undefined ? {} : { handTo }), note: `${skills} ${named}` };
}

function refused(name: AgentName, end: Exclude<DefineAgentEnd, { ok: true }>): CadreError {
  if (end.why === 'taken') return nameTaken(name, 'Another tenant has an agent of this name, or had one not long ago.');
  const what =
    end.why === 'full' ? `${end.most} agents, as many as may be` : `${end.most} names in use, with those of agents removed of late`;
  const remedy = end.why === 'full' ? 'remove one that is not needed' : 'define it under a name that was removed';
  return new CadreError('agent-limit', `There are ${what}.`, { remedy });
}

function nameTaken(name: AgentName, why: string): CadreError {
  return new CadreError('name-taken', `The name ${name} is taken. ${why}`, { remedy: 'choose another name' });
}

export function unknownAgent(name: string): CadreError {
  return new CadreError('unknown-agent', `No agent ${JSON.stringify(name.slice(0, 64))} was defined.`, { remedy: 'see GET /v1/agents' });
}
