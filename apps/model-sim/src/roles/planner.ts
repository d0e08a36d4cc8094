/** The planner: the plan by kind of goal, and what of it cannot be done without a language model, said before anybody begins. */
import { SKILLS, type Plan, type TaskSpecInput } from '@cadre/contracts';
import { goalParts, templatePlan, type GoalPart } from '@cadre/engine';
import { abilitiesText, isBeyond } from '../account/abilities.js';
import type { Brief } from '../conversation.js';
import type { Script } from '../script/script.js';
import { listing } from '../text/words.js';
import { chosenPattern, isForJudgement, type ChosenPattern } from './chosen-pattern.js';

/** A task in the notation of planners. */
type Planned = Omit<TaskSpecInput, 'pattern' | 'why'> & Partial<ChosenPattern>;

export function* planner({ goal, inputs, catalogue }: Brief): Script<object> {
  const { plan } = templatePlan(goal, inputs);
  const skills = catalogue === undefined ? undefined : new Set(catalogue.flatMap((agent) => agent.skills));
  const parts = goalParts(goal);
  const plain = tasksOf(plan.tasks, parts).map(({ id, title, instructions, skills: needed, dependsOn, require, priority, estimatedMs }) => {
    return withKnownSkills({ ...{ id, title, instructions, dependsOn, priority }, ...{ require, estimatedMs, skills: needed } }, skills);
  });
  const tasks = withPatterns(plain, parts, inputs, catalogue ?? []);
  const beyond = parts.filter((part) => isBeyond(part, inputs));
  const how = `The goal was read by rules, without a language model: ${listing(tasks.map((task) => task.title.toLowerCase()))}.`;
  const warning = `This cannot be done without one: ${beyond.map(({ text }) => text).join('; ')}. ${abilitiesText()}`;
  return { plan: { tasks }, note: beyond.length === 0 ? how : `${how} ${warning}` };
}

/** Skills that nobody at hand has would leave the task waiting; then the generalist, or anybody, may take it. */
function withKnownSkills(task: TaskSpecInput, known: ReadonlySet<string> | undefined): TaskSpecInput {
  if (known === undefined || (task.skills ?? []).every((skill) => known.has(skill))) return task;
  return { ...task, skills: known.has('general') ? ['general'] : [] };
}

/** A judgement that is the whole goal is one task, whatever else its words may mean: "build consensus" is not about code. */
function tasksOf(tasks: Plan['tasks'], parts: readonly GoalPart[]): TaskSpecInput[] {
  const [part, ...others] = parts;
  if (part === undefined || others.length > 0 || !isForJudgement(part.text)) return [...tasks];
  const instructions = `Do what the goal asks: ${part.text}`;
  return [{ id: 'work', title: 'Work on the goal', instructions, skills: [SKILLS.general], priority: 'medium', estimatedMs: 10_000 }];
}

/** Where the goal says that several are to do a part of it together, its task is done so. */
function withPatterns(
  tasks: readonly TaskSpecInput[],
  parts: readonly GoalPart[],
  inputs: Brief['inputs'],
  catalogue: NonNullable<Brief['catalogue']>,
): Planned[] {
  const names = inputs.map(({ name }) => name);
  const made = new Map<string, ChosenPattern>();
  for (const part of parts) {
    const task = taskOf(part, tasks);
    if (task === undefined || made.has(task.id)) continue;
    const { instructions, skills = [] } = task;
    const able = catalogue.filter((agent) => skills.every((skill) => agent.skills.includes(skill))).map(({ name }) => name);
    const chosen = chosenPattern({ text: part.text, instructions, skills, inputs: names, able });
    if (chosen) made.set(task.id, chosen);
  }
  return tasks.map((task) => ({ ...task, ...made.get(task.id) }) as Planned);
}

/** By the kind of what is asked for; else the task that has the part's own words. */
const TASK_OF: Partial<Record<GoalPart['kind'], readonly string[]>> = {
  analysis: ['analyze'],
  report: ['report'],
  code: ['implement', 'code'],
  tests: ['test'],
  docs: ['docs'],
  review: ['review'],
};

function taskOf({ kind, text }: GoalPart, tasks: readonly TaskSpecInput[]): TaskSpecInput | undefined {
  if (tasks.length === 1) return tasks[0];
  return tasks.find(({ instructions }) => instructions.includes(text)) ?? tasks.find(({ id }) => TASK_OF[kind]?.includes(id));
}
