/** How a plan becomes the run's tasks. */
import type { Plan, PlanSource, TaskSpec } from '@cadre/contracts';
import { describeProblems, validatePlannedTasks } from '../plan/validate-plan.js';
import { templatePlan } from '../plan/template-plan.js';
import { advance } from './advance.js';
import type { Draft } from './draft.js';
import { completeWithPlan } from './end-run.js';
import { answerTask } from './engine-tasks.js';

/** Opens a plan whose tasks are all there, with the answer task if one is wanted. Where only the plan was asked for, that is the end. */
export function beginPlan(draft: Draft, tasks: readonly TaskSpec[]): void {
  const { options } = draft.run;
  if (options.planOnly) return completeWithPlan(draft, tasks);
  if (options.summarize) draft.emit({ type: 'TasksAdded', source: 'engine', tasks: [answerTask(options, tasks)] });
  advance(
    draft,
    [],
    tasks.map((task) => task.id),
  );
}

/** Adds the tasks of a valid plan and opens what can start at once. */
export function adoptPlan(draft: Draft, plan: Plan, source: PlanSource, note?: string): void {
  draft.emit({ type: 'TasksAdded', source, tasks: plan.tasks, ...(note === undefined ? {} : { note }) });
  beginPlan(draft, plan.tasks);
}

/** The plan by kind of goal, with the reason why no better one is there. */
export function adoptTemplate(draft: Draft, reason: string): void {
  const { plan, kind } = templatePlan(draft.run.goal, draft.run.inputs);
  adoptPlan(draft, plan, 'template', `${reason.slice(0, 1800)} The ${kind} template is used instead.`);
}

/** The plan that the planning task gave. It comes from a model by way of a worker, so it is checked again before it is used. */
export function adoptPlannedResult(draft: Draft, planned: { plan: Plan; source: PlanSource; note?: string | undefined } | undefined): void {
  if (!planned) return adoptTemplate(draft, 'The planner gave no plan.');
  const problems = validatePlannedTasks(planned.plan.tasks);
  if (problems.length > 0) return adoptTemplate(draft, `The planner's plan was refused: ${describeProblems(problems)}`);
  adoptPlan(draft, planned.plan, planned.source, planned.note);
}
