/**
 * Reads the plan that a model has written. What is beside the point is left out and named in the plan's note; what cannot be carried out is
 * told in words that the model can act upon. Whatever passes is a plan like any other.
 */
import { Plan, TaskSpec } from '@cadre/contracts';
import type { AgentSummary, TaskSpecInput } from '@cadre/contracts';
import { validatePlannedTasks } from '@cadre/engine';
import type { z } from 'zod';
import { describeFaults } from '../describe-faults.js';
import { present } from '../present.js';
import { expandPattern } from './expand-pattern.js';
import { PlanReply, PlannedAgent, PlannedPattern, PlannedStep, PlannedTask } from './planned-task.js';
import { Specialists } from './specialists.js';
import { unstaffed } from './staffing.js';

const MAX_NOTE = 2000;
const MAX_FAULTS = 20;

export interface ReadPlan {
  plan: Plan;
  note?: string;
  confidence?: number;
}
export type PlanReading = { ok: true; read: ReadPlan } | { ok: false; why: string };

/** @param catalogue the agents that may be counted on; without it skills and names are not checked */
export function readPlan(found: object, catalogue: readonly AgentSummary[] | undefined): PlanReading {
  const tidied = tidy(found);
  const parsed = PlanReply.safeParse(tidied.reply);
  if (!parsed.success) return { ok: false, why: `The plan is not as asked for. ${describeFaults(parsed.error)}` };
  const made = planOf(tidied.reply.plan.tasks as PlannedTask[], parsed.data.plan.agents ?? [], catalogue);
  if (!made.ok) return made;
  const problems = [
    ...validatePlannedTasks(made.plan.tasks).map((problem) => problem.message),
    ...(catalogue ? unstaffed(made.plan, catalogue) : []),
  ];
  if (problems.length > 0) return { ok: false, why: `The plan cannot be carried out. ${problems.slice(0, MAX_FAULTS).join(' ')}` };
  const { confidence } = parsed.data;
  const note = noteOf(parsed.data.note, tidied.leftOut);
  const sure = confidence !== undefined && confidence >= 0 && confidence <= 1 ? { confidence } : {};
  return { ok: true, read: { plan: made.plan, ...(note !== undefined && { note }), ...sure } };
}

function noteOf(note: string | undefined, leftOut: readonly string[]): string | undefined {
  const dropped = leftOut.length === 0 ? [] : [`Left out of the plan, as Cadre knows no such fields: ${leftOut.slice(0, 20).join(', ')}.`];
  const whole = [...(note ? [note] : []), ...dropped].join(' ').slice(0, MAX_NOTE);
  return whole === '' ? undefined : whole;
}

function planOf(
  tasks: readonly PlannedTask[],
  agents: readonly PlannedAgent[],
  catalogue: readonly AgentSummary[] | undefined,
): { ok: true; plan: Plan } | { ok: false; why: string } {
  const specialists = new Specialists(agents, catalogue);
  const faults: string[] = [...specialists.faults];
  const made = tasks.map((planned): TaskSpecInput => {
    const { pattern, ...rest } = planned;
    // What a schema may say is seen when the plan is read as a whole.
    const task = rest as TaskSpecInput;
    if (!pattern) return task;
    const bidding = pattern.kind === 'auction' ? specialists.of(pattern.agents ?? []) : [];
    if (bidding.length > 0) faults.push(`The auction of task ${task.id} is for agents of the catalogue; ${bidding.join(', ')} cannot bid.`);
    const expanded = expandPattern({ ...task, skills: task.skills ?? [], pattern: pattern.kind }, pattern, catalogue);
    if (expanded.ok) return expanded.task;
    faults.push(expanded.why);
    return task;
  });
  if (faults.length > 0) return { ok: false, why: `The plan cannot be carried out. ${faults.slice(0, MAX_FAULTS).join(' ')}` };
  const staffed = made.map((task) => specialists.takeUp(task));
  const lists = new Set(tasks.flatMap(({ pattern }) => (pattern?.from === undefined ? [] : [pattern.from])));
  const parsed = Plan.safeParse({ tasks: staffed.map((task) => (lists.has(task.id) ? answeringWithList(task) : task)) });
  return parsed.success
    ? { ok: true, plan: parsed.data }
    : { ok: false, why: `The plan is not as asked for. ${describeFaults(parsed.error)}` };
}

/** Others take their items from it, so a list is what it has to bring. */
function answeringWithList(task: TaskSpecInput): TaskSpecInput {
  if (task.resultSchema ?? task.scope ?? task.wait) return task;
  return { ...task, resultSchema: { type: 'array', items: { type: 'string' } } };
}

type Fields = Record<string, unknown>;
interface Tidied {
  reply: Fields & { plan: { tasks: unknown[] } };
  leftOut: string[];
}

/** Models write null for what they leave out, one word where a list is asked for, and fields that nobody knows. */
function tidy(found: object): Tidied {
  const leftOut = new Set<string>();
  const reply = present(found);
  const { note, confidence } = reply;
  const plan = reply['plan'] ?? reply;
  const tasks = Array.isArray(plan) ? plan : (plan as Fields)['tasks'];
  if (!Array.isArray(tasks)) return { reply: reply as Tidied['reply'], leftOut: [] };
  const tidied = tasks.map((task: unknown) => (isObject(task) ? tidyTask(task, leftOut) : task));
  const agents = Array.isArray(plan) ? undefined : (plan as Fields)['agents'];
  const rest = { ...(typeof note === 'string' && { note }), ...(typeof confidence === 'number' && { confidence }) };
  return { reply: { ...rest, plan: { tasks: tidied, ...tidyAgents(agents, leftOut) } }, leftOut: [...leftOut] };
}

function tidyTask(task: Fields, leftOut: Set<string>): Fields {
  const { pattern, estimatedMs, why, title, ...rest } = known(task, { ...TaskSpec.shape, ...PlannedTask.shape }, '', leftOut);
  return {
    ...inLists(rest, PlannedTask.shape),
    ...(title === undefined ? titleOf(rest) : { title: typeof title === 'string' ? title.slice(0, 200) : title }),
    ...(typeof estimatedMs === 'number' && { estimatedMs: Math.round(estimatedMs) }),
    ...(typeof why === 'string' && why !== '' && { why: why.slice(0, 500) }),
    ...(isObject(pattern) ? { pattern: tidyPattern(pattern, leftOut) } : pattern === undefined ? {} : { pattern }),
  };
}

function tidyAgents(agents: unknown, leftOut: Set<string>): Fields {
  if (!Array.isArray(agents)) return {};
  const tidied = agents.map((agent: unknown) =>
    isObject(agent) ? inLists(known(agent, PlannedAgent.shape, 'agents.', leftOut), PlannedAgent.shape) : agent,
  );
  return { agents: tidied };
}

function titleOf({ id }: Fields): Fields {
  return typeof id === 'string' ? { title: id } : {};
}

function tidyPattern(pattern: Fields, leftOut: Set<string>): Fields {
  const fields = inLists(known(pattern, PlannedPattern.shape, 'pattern.', leftOut), PlannedPattern.shape);
  const { steps, over, ...rest } = fields;
  return {
    ...rest,
    // Items are texts; numbers and objects are written out.
    ...(Array.isArray(over) ? { over: over.map((item: unknown) => (typeof item === 'string' ? item : JSON.stringify(item))) } : {}),
    ...(Array.isArray(steps)
      ? { steps: steps.map((step: unknown) => (isObject(step) ? known(step, PlannedStep.shape, 'pattern.steps.', leftOut) : step)) }
      : {}),
  };
}

function known(value: Fields, shape: z.ZodRawShape, path: string, leftOut: Set<string>): Fields {
  const kept = Object.entries(present(value)).filter(([name]) => {
    if (Object.hasOwn(shape, name)) return true;
    leftOut.add(`${path}${name}`.slice(0, 80));
    return false;
  });
  return Object.fromEntries(kept);
}

const LISTS: ReadonlySet<string> = new Set([
  'skills',
  'dependsOn',
  'fallbackAgents',
  'agents',
  'over',
  'choices',
  'tools',
  'peers',
  'shares',
]);

function inLists(value: Fields, shape: z.ZodRawShape): Fields {
  const isWord = (name: string, field: unknown) => LISTS.has(name) && Object.hasOwn(shape, name) && typeof field === 'string';
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, isWord(name, field) ? [field] : field]));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
