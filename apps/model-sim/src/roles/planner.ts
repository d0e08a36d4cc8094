/** The planner: the plan by kind of goal, and what of it cannot be done without a language model, said before anybody begins. */
import type { TaskSpecInput } from '@cadre/contracts';
import { goalParts, templatePlan } from '@cadre/engine';
import { abilitiesText, isBeyond } from '../account/abilities.js';
import type { Brief } from '../conversation.js';
import type { Script } from '../script/script.js';
import { listing } from '../text/words.js';

export function* planner({ goal, inputs, catalogue }: Brief): Script<object> {
  const { plan } = templatePlan(goal, inputs);
  const skills = catalogue === undefined ? undefined : new Set(catalogue.flatMap((agent) => agent.skills));
  const tasks = plan.tasks.map(({ id, title, instructions, skills: needed, dependsOn, require, priority, estimatedMs }) => {
    return withKnownSkills({ ...{ id, title, instructions, dependsOn, priority }, ...{ require, estimatedMs, skills: needed } }, skills);
  });
  const beyond = goalParts(goal).filter((part) => isBeyond(part, inputs));
  const how = `The goal was read by rules, without a language model: ${listing(tasks.map((task) => task.title.toLowerCase()))}.`;
  const warning = `This cannot be done without one: ${beyond.map(({ text }) => text).join('; ')}. ${abilitiesText()}`;
  return { plan: { tasks }, note: beyond.length === 0 ? how : `${how} ${warning}` };
}

/** Skills that nobody at hand has would leave the task waiting; then the generalist, or anybody, may take it. */
function withKnownSkills(task: TaskSpecInput, known: ReadonlySet<string> | undefined): TaskSpecInput {
  if (known === undefined || (task.skills ?? []).every((skill) => known.has(skill))) return task;
  return { ...task, skills: known.has('general') ? ['general'] : [] };
}
