/**
 * The agents of a worker: those that it brings, and those that are defined at run time from its templates. What an agent may do is decided
 * here: of the tools that a definition asks for it gets those of the template, whoever wrote the definition and wherever it was kept. An
 * operator may add to both, while the worker runs.
 */
import { AgentDefinition, meetsLabels, MOST_TOOLS } from '@cadre/contracts';
import type { AgentName, AgentTemplate, DefinedAgent, Labels, TenantId } from '@cadre/contracts';
import type { StoredAgent } from '@cadre/engine';

export interface HostedDefinition {
  definition: AgentDefinition;
  /** Set when it was defined at run time: it works for this tenant only. */
  tenant?: TenantId;
}

/** Names of tools that an operator grants, beside those that the worker's code does. They may change. */
export interface AddedGrants {
  /** An agent of the worker has them. */
  forAgent(agent: AgentName): readonly string[];
  /** Agents made from the template may have them, if they ask for them by name. */
  forTemplate(template: AgentName): readonly string[];
}

const NONE: AddedGrants = { forAgent: () => [], forTemplate: () => [] };

export class AgentRoster {
  readonly #brought: readonly AgentDefinition[];
  readonly #offered: readonly AgentTemplate[];
  #own: readonly AgentDefinition[] = [];
  #templates: ReadonlyMap<string, AgentTemplate> = new Map();
  readonly #made = new Map<AgentName, { stored: StoredAgent; hosted: HostedDefinition }>();
  readonly #templateOf = new WeakMap<AgentDefinition, string>();
  #revision = 0;

  constructor(
    brought: readonly AgentDefinition[],
    offered: readonly AgentTemplate[] = [],
    private readonly added: AddedGrants = NONE,
    /** Of the worker: agents that require others are not here. */
    private readonly labels: Labels = {},
  ) {
    this.#brought = brought.filter(({ requires }) => meetsLabels(labels, requires));
    this.#offered = offered;
    this.regrant();
  }

  /** Of the last record taken. */
  get revision(): number {
    return this.#revision;
  }

  /** Those that the worker brings, with all that they are granted. */
  get own(): readonly AgentDefinition[] {
    return this.#own;
  }

  get templates(): AgentTemplate[] {
    return [...this.#templates.values()];
  }

  all(): HostedDefinition[] {
    return [...this.#own.map((definition) => ({ definition })), ...Array.from(this.#made.values(), ({ hosted }) => hosted)];
  }

  /** What is added is other than before. Agents that are granted the same stay the same objects. */
  regrant(): void {
    const before = new Map(this.#own.map((agent) => [agent.name, agent]));
    this.#own = this.#brought.map((agent) => {
      const tools = withAdded(agent.tools, this.added.forAgent(agent.name));
      const known = before.get(agent.name);
      return known && sameNames(known.tools, tools) ? known : { ...agent, tools };
    });
    this.#templates = new Map(
      this.#offered.map((template) => {
        const { name, tools, defaults } = template;
        const usual = { ...defaults, tools: defaults.tools ?? tools };
        const all = withAdded(tools, this.added.forTemplate(name));
        return [name, all.length === tools.length ? template : { ...template, tools: all, defaults: usual }];
      }),
    );
    for (const { stored, hosted } of this.#made.values()) this.#make(stored, hosted.definition);
  }

  /** Whether an agent of the name is made here from a definition. */
  hasMade(name: AgentName): boolean {
    return this.#made.has(name);
  }

  /** From which template a definition was made; undefined: from none. */
  templateOf(definition: AgentDefinition): string | undefined {
    return this.#templateOf.get(definition);
  }

  /** Takes an agent that was defined, changed or removed. @returns whether the worker's agents are others now */
  take(stored: StoredAgent): boolean {
    const { revision, record } = stored;
    this.#revision = Math.max(this.#revision, revision);
    const known = this.#made.get(record.name);
    if (known && known.stored.revision >= revision) return false;
    return this.#make(stored) || this.#made.delete(record.name);
  }

  #make(stored: StoredAgent, before?: AgentDefinition): boolean {
    const { tenant, name, definition } = stored.record;
    const template = definition && this.#templates.get(definition.template);
    if (!definition || !template || this.#own.some((own) => own.name === name)) return false;
    if (!meetsLabels(this.labels, definition.requires)) return false;
    const made = resolveDefinition(name, definition, template);
    if (before && sameNames(before.tools, made.tools)) return true;
    this.#templateOf.set(made, template.name);
    this.#made.set(name, { stored, hosted: { definition: made, tenant } });
    return true;
  }
}

/** What a definition comes to with its template: what it leaves out is the template's, and no tool is granted that the template has not. */
export function resolveDefinition(
  name: AgentName,
  { template: _template, limits, tools, ...given }: DefinedAgent,
  { tools: allowed, defaults }: AgentTemplate,
): AgentDefinition {
  const granted = (tools ?? defaults.tools ?? allowed).filter((tool) => allowed.includes(tool));
  // What the template's results rest on is not asked of an agent that is to do without it.
  const restsOn = (given.restsOn ?? defaults.restsOn)?.filter((tool) => granted.includes(tool));
  const own = { name, tools: granted, restsOn: restsOn?.length === 0 ? undefined : restsOn };
  return AgentDefinition.parse({ ...defaults, ...given, ...own, limits: { ...defaults.limits, ...limits } });
}

function withAdded(tools: readonly string[], added: readonly string[]): string[] {
  return [...new Set([...tools, ...added])].slice(0, Math.max(MOST_TOOLS, tools.length));
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, place) => name === b[place]);
}
