/** Plans and workflows in files, JSON or YAML. Faults are told with their place and line, before anything is uploaded. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AgentName, DefinedAgent, Plan, Workflow } from '@cadre/contracts';
import { CadreApiError } from '@cadre/sdk';
import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { reasonOf, UsageError } from '../failure.js';

const MOST_FAULTS = 10;
/** A text as long as this is read as JSON only: finding lines in it would take long. */
const LONG_TEXT = 2 * 1024 * 1024;

interface Kind<T> {
  what: string;
  schema: z.ZodType<T>;
  remedy: string;
}

const PLAN: Kind<Plan> = {
  what: 'plan',
  schema: Plan,
  remedy: 'A plan is {"tasks": [{"id", "title", "instructions", "dependsOn"?, …}]}; docs/CLI.md and docs/PATTERNS.md have examples.',
};
const WORKFLOW: Kind<Workflow> = {
  what: 'workflow',
  schema: Workflow,
  remedy: 'A workflow has apiVersion, kind, metadata and spec; docs/PATTERNS.md has an example.',
};

const { template, skills } = DefinedAgent.shape;
const NamedAgent = DefinedAgent.extend({ name: AgentName, template: template.optional(), skills: skills.optional() });
type NamedAgent = z.infer<typeof NamedAgent>;
const AGENT: Kind<NamedAgent> = {
  what: 'agent',
  schema: NamedAgent,
  remedy: 'An agent has name, description and instructions, and what else it needs; docs/DEFINING-AGENTS.md has an example.',
};

export const readAgent = (path: string, cwd: string): Promise<NamedAgent> => readChecked(path, cwd, AGENT);
export const readPlan = (path: string, cwd: string): Promise<Plan> => readChecked(path, cwd, PLAN);
export const readWorkflow = (path: string, cwd: string): Promise<Workflow> => readChecked(path, cwd, WORKFLOW);

/** A refusal of a plan by the gateway, with the lines of the text that it was read from. Other errors as they are. */
export function withLines(error: unknown, name: string, text: string): unknown {
  if (!(error instanceof CadreApiError) || error.code !== 'invalid-plan') return error;
  const lines = new PlanLines(text);
  const faults = error.errors.map(({ path, message }) => {
    const task = /^plan\.tasks\[(\d+)\]/.exec(path)?.[1];
    return `\n  - ${lines.placeOf(task === undefined ? ['tasks'] : ['tasks', Number(task)])}: ${message}`;
  });
  return new UsageError(`${name} cannot be run:${faults.join('')}`, 'Change the tasks named.');
}

async function readChecked<T>(path: string, cwd: string, kind: Kind<T>): Promise<T> {
  const name = `The ${kind.what} ${path}`;
  const text = await readFile(resolve(cwd, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${name} cannot be read: ${reasonOf(error)}.`);
  });
  const parsed = kind.schema.safeParse(dataOf(text, path, name, kind.remedy));
  if (parsed.success) return parsed.data;
  const lines = new PlanLines(text);
  const faults = parsed.error.issues.slice(0, MOST_FAULTS).map(({ path: at, message }) => `\n  - ${lines.placeOf(at)}: ${message}`);
  throw new UsageError(`${name} is not valid:${faults.join('')}`, kind.remedy);
}

/** Most long plans are JSON, which is read a hundred times as fast. */
function dataOf(text: string, path: string, name: string, remedy: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    if (path.endsWith('.json') || text.length > LONG_TEXT) throw new UsageError(`${name} is not JSON: ${message}.`, remedy);
  }
  try {
    const document = parseDocument(text);
    const [fault] = document.errors;
    if (fault) throw fault;
    return document.toJS();
  } catch (error) {
    throw new UsageError(`${name} is not YAML: ${(error as Error).message.split('\n')[0]}`, remedy);
  }
}

/** Where in a text the parts of a plan stand. JSON is YAML, too. */
class PlanLines {
  readonly #counter = new LineCounter();
  readonly #document: Document | undefined;

  constructor(text: string) {
    if (text.length <= LONG_TEXT) this.#document = parseDocument(text, { lineCounter: this.#counter });
  }

  /** `line 7, tasks.2.title`; of what is missing the line of what it is missing in. */
  placeOf(path: readonly PropertyKey[]): string {
    const name = path.map(String).join('.') || 'the whole';
    for (let length = path.length; length >= 0 && this.#document; length -= 1) {
      const node = this.#document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return `line ${this.#counter.linePos(node.range[0]).line}, ${name}`;
    }
    return name;
  }
}
