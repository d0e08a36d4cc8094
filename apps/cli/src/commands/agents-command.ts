/** `cadre agents list|define|keep|get|remove`. */
import { labelText } from '@cadre/contracts';
import type { AgentView, WorkerList } from '@cadre/contracts';
import { EXIT } from '../exit-codes.js';
import { duration, oneLine } from '../output/figures.js';
import { table } from '../output/table.js';
import type { Terminal } from '../terminal.js';
import { keptSpecialist } from './kept-specialist.js';
import { clientFor, parseFormat } from './options.js';
import { readAgent } from './plan-file.js';

export interface AgentFlags {
  url?: string;
  output?: string;
  handTo?: string;
  template?: string;
}

export async function listAgents(flags: AgentFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const list = await clientFor(flags.url, terminal).definedAgents.list();
  if (format === 'json') terminal.out(JSON.stringify(list, null, 2));
  else if (list.workers.length === 0) terminal.err('No worker is heard. Start them with `cadre dev`.');
  else {
    table(['AGENT', 'STATE', 'BUSY', 'UP', 'SKILLS', 'WORKER'], rowsOf(list)).forEach((line) => terminal.out(line));
    const removed = list.defined.filter(({ definition }) => definition === undefined);
    if (removed.length > 0) terminal.err(`Removed: ${removed.map(removedText).join(', ')}`);
    const templates = list.templates.map(({ name }) => name).join(', ');
    if (templates !== '') terminal.err(`Templates for agents of your own (cadre agents define FILE): ${templates}`);
  }
  return EXIT.ok;
}

export async function defineAgent(path: string, flags: AgentFlags, terminal: Terminal): Promise<number> {
  const agent = await readAgent(path, terminal.cwd);
  const { name, version, definition } = await clientFor(flags.url, terminal).defineAgent(agent);
  const skills = definition?.skills.join(', ') ?? '';
  terminal.err(`Agent ${name} is defined, version ${version}. Tasks get it by its name, or by its skills: ${skills}.`);
  return EXIT.ok;
}

/** An agent that the plan of a run has made goes on after it. */
export async function keepAgent(runId: string, name: string, flags: AgentFlags, terminal: Terminal): Promise<number> {
  const client = clientFor(flags.url, terminal);
  const [plan, { templates }] = [await client.plan(runId), await client.definedAgents.list()];
  const definition = keptSpecialist(plan, name, templates, flags.template);
  await client.definedAgents.define(name, definition);
  terminal.err(`Agent ${name} is kept, made from the template ${definition.template}: \`cadre agents get ${name}\`.`);
  return EXIT.ok;
}

export async function getAgent(name: string, flags: AgentFlags, terminal: Terminal): Promise<number> {
  const view = await clientFor(flags.url, terminal).definedAgents.get(name);
  const { definition } = view;
  if (definition === undefined) terminal.err(`The agent ${removedText(view)} is removed.`);
  else terminal.out(JSON.stringify({ name, ...definition }, null, 2));
  return definition === undefined ? EXIT.failed : EXIT.ok;
}

export async function removeAgent(name: string, { url, handTo }: AgentFlags, terminal: Terminal): Promise<number> {
  const { note } = await clientFor(url, terminal).definedAgents.remove(name, handTo === undefined ? {} : { handTo });
  terminal.err(`The agent ${name} is removed. ${note}`);
  return EXIT.ok;
}

/** An agent of a worker, or one that was defined and that the worker has made; one that no worker has is told without one. */
function rowsOf({ workers, defined }: WorkerList): string[][] {
  const own = workers.flatMap((worker) => worker.agents.map(({ name, skills }) => row(name, skills, worker)));
  const made = defined.flatMap(({ name, definition, workers: hosts }) => {
    if (definition === undefined) return [];
    const there = workers.filter(({ workerId }) => hosts.includes(workerId));
    return there.length === 0
      ? [[name, 'not there', '', '', definition.skills.join(', '), '']]
      : there.map((worker) => row(name, definition.skills, worker));
  });
  return [...own, ...made].sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
}

function row(name: string, skills: readonly string[], worker: WorkerList['workers'][number]): string[] {
  const { workerId, lost, state, held, slots, lastSeenAt, startedAt } = worker;
  const where = worker.labels === undefined ? workerId : `${workerId} (${labelText(worker.labels)})`;
  return [name, lost ? 'lost' : state, `${held}/${slots}`, duration(lastSeenAt - startedAt), skills.join(', '), where];
}

function removedText({ name, handTo }: AgentView): string {
  return oneLine(handTo === undefined ? name : `${name} (${handTo} does its work)`, 100);
}
