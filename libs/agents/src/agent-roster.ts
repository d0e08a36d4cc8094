/**
 * The agents of a worker: those that it brings, and those that are defined at run time from its templates. What an agent may do is decided here: of the tools that a
 * definition asks for it gets those of the template, whoever wrote the definition and wherever it was kept.
 */
import { AgentDefinition } from '@cadre/contracts';
import type { AgentName, AgentTemplate, DefinedAgent, TenantId } from '@cadre/contracts';
import type { StoredAgent } from '@cadre/engine';

export interface HostedDefinition {
  definition: AgentDefinition;
  /** Set when it was defined at run time: it works for this tenant only. */
  tenant?: TenantId;
}

export class AgentRoster {
  readonly #own: readonly AgentDefinition[];
  readonly #templates: ReadonlyMap<string, AgentTemplate>;
  readonly #made = new Map<AgentName, { revision: number; hosted: HostedDefinition }>();
  readonly #templateOf = new WeakMap<AgentDefinition, string>();
  #revision = 0;

  constructor(own: readonly AgentDefinition[], templates: readonly AgentTemplate[] = []) {
    this.#own = own;
    this.#templates = new Map(templates.map((template) => [template.name, template]));
  }

  /** Of the last record taken. */
  get revision(): number {
    return this.#revision;
  }

  all(): HostedDefinition[] {
    return [...this.#own.map((definition) => ({ definition })), ...Array.from(this.#made.values(), ({ hosted }) => hosted)];
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
  take({ revision, record: { tenant, name, definition } }: StoredAgent): boolean {
    this.#revision = Math.max(this.#revision, revision);
    const known = this.#made.get(name);
    if (known && known.revision >= revision) return false;
    const template = definition && this.#templates.get(definition.template);
    if (!definition || !template || this.#own.some((own) => own.name === name)) return this.#made.delete(name);
    const made = resolveDefinition(name, definition, template);
    this.#templateOf.set(made, template.name);
    this.#made.set(name, { revision, hosted: { definition: made, tenant } });
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
  return AgentDefinition.parse({ ...defaults, ...given, name, tools: granted, limits: { ...defaults.limits, ...limits } });
}
