/** What is wrong with a plan, before any of it runs. */
import { ANSWER_TASK, MAX_PLAN_ID_BYTES, MAX_PLAN_TASKS, PLAN_TASK } from '@cadre/contracts';
import type { TaskId, TaskSpec } from '@cadre/contracts';
import { checkExpression } from './expressions.js';
import {
  cacheProblems,
  expressionProblems,
  givenProblems,
  scopeShapeProblems,
  specialistProblems,
  wishProblems,
} from './validate-scopes.js';
import type { Visible } from './validate-scopes.js';
import { PlanGraph } from './plan-graph.js';
import type { PlanProblem } from './plan-problem.js';

function sizeProblems(tasks: readonly TaskSpec[]): PlanProblem[] {
  const taskId = tasks[0]?.id ?? '';
  if (tasks.length > MAX_PLAN_TASKS) {
    return [{ code: 'too-large', taskId, message: `The plan has ${tasks.length} tasks; at most ${MAX_PLAN_TASKS} can be run.` }];
  }
  const bytes = tasks.reduce((sum, task) => sum + task.id.length, 0);
  if (bytes <= MAX_PLAN_ID_BYTES) return [];
  return [
    {
      code: 'too-large',
      taskId,
      message: `The ids of the tasks take ${bytes} bytes, at most ${MAX_PLAN_ID_BYTES} are possible: use shorter ones.`,
    },
  ];
}

/** What is wrong with a part of a plan, whatever may still come. @param before tasks of the parts before it */
export function partProblems(before: readonly TaskSpec[], part: readonly TaskSpec[]): PlanProblem[] {
  const whole = [...before, ...part];
  return [...sizeProblems(whole), ...idProblems(whole)];
}

function idProblems(tasks: readonly TaskSpec[]): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const seen = new Set<TaskId>();
  for (const { id } of tasks) {
    if (id === PLAN_TASK || id === ANSWER_TASK) {
      problems.push({ code: 'reserved-id', taskId: id, message: `The task id ${id} is reserved; choose another.` });
    }
    if (id.includes('~'))
      problems.push({ code: 'reserved-id', taskId: id, message: `The task id ${id} has a ~ in it; only the engine makes such ids.` });
    if (seen.has(id)) problems.push({ code: 'duplicate-id', taskId: id, message: `Two tasks have the id ${id}.` });
    seen.add(id);
  }
  return problems;
}

function dependencyProblems(task: TaskSpec, known: ReadonlySet<TaskId>): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const { id, require } = task;
  const dependencies = new Set(task.dependsOn);
  for (const dependency of dependencies) {
    if (dependency === id) {
      problems.push({ code: 'self-dependency', taskId: id, message: `Task ${id} depends on itself.` });
    } else if (!known.has(dependency)) {
      const message = `Task ${id} depends on ${dependency}, which is not in the plan.`;
      problems.push({ code: 'unknown-dependency', taskId: id, dependency, message });
    }
  }
  if (typeof require === 'number' && require > dependencies.size) {
    const message = `Task ${id} requires ${require} of its dependencies, but has ${dependencies.size}.`;
    problems.push({ code: 'require-too-many', taskId: id, require, message });
  }
  return problems;
}

function alternativeProblems(task: TaskSpec, known: ReadonlySet<TaskId>): PlanProblem[] {
  const { id, alternativeTo } = task;
  if (alternativeTo === undefined) return [];
  if (alternativeTo === id) return [{ code: 'self-alternative', taskId: id, message: `Task ${id} is an alternative to itself.` }];
  if (!known.has(alternativeTo)) {
    const message = `Task ${id} is an alternative to ${alternativeTo}, which is not in the plan.`;
    return [{ code: 'unknown-alternative', taskId: id, alternativeTo, message }];
  }
  if (task.dependsOn.includes(alternativeTo)) {
    const message = `Task ${id} is an alternative to ${alternativeTo} and depends on it; it runs only when ${alternativeTo} failed, so leave the dependency out.`;
    return [{ code: 'alternative-needs-original', taskId: id, alternativeTo, message }];
  }
  return [];
}

/**
 * What stands in for one task, with the alternatives of alternatives: whether a task counts as failed is found by a look at all of them.
 */
const MAX_ALTERNATIVES = 100;

function crowdProblems(tasks: readonly TaskSpec[]): PlanProblem[] {
  const originals = new Map(tasks.map(({ id, alternativeTo }) => [id, alternativeTo]));
  const counts = new Map<TaskId, number>();
  for (const { id, alternativeTo } of tasks) {
    const seen = new Set([id]);
    for (let at = alternativeTo; at !== undefined && !seen.has(at) && seen.size <= MAX_ALTERNATIVES + 1; at = originals.get(at)) {
      seen.add(at);
      counts.set(at, (counts.get(at) ?? 0) + 1);
    }
  }
  return [...counts].flatMap(([taskId, count]): PlanProblem[] => {
    if (count <= MAX_ALTERNATIVES) return [];
    const message = `Task ${taskId} has more than ${MAX_ALTERNATIVES} alternatives, those of its alternatives included; at most ${MAX_ALTERNATIVES} are possible.`;
    return [{ code: 'too-many-alternatives', taskId, message }];
  });
}

/**
 * Conditions that look at all results, times tasks: one decision may have to evaluate them all, and must be over long before a lease runs
 * out.
 */
const MAX_LOOKS = 200_000;

function costProblems(tasks: readonly TaskSpec[]): PlanProblem[] {
  const conditional = tasks.filter(({ condition }) => condition !== undefined);
  if (conditional.length * tasks.length <= MAX_LOOKS) return [];
  const looking = conditional.filter(({ condition = '' }) => {
    const checked = checkExpression(condition, 'condition');
    return checked.ok && checked.needs.all;
  });
  const [first] = looking;
  if (first === undefined || looking.length * tasks.length <= MAX_LOOKS) return [];
  const most = Math.floor(MAX_LOOKS / tasks.length);
  const message = `${looking.length} conditions look at all results; in a plan of ${tasks.length} tasks at most ${most} may. Name the results that a condition needs, as in results.${first.id}.status.`;
  return [{ code: 'costly-conditions', taskId: first.id, message }];
}

function conditionProblems(task: TaskSpec, graph: PlanGraph, visible: Visible): PlanProblem[] {
  const { id, condition } = task;
  if (condition === undefined) return [];
  const checked = checkExpression(condition, 'condition');
  if (!checked.ok) {
    const { message, position } = checked.fault;
    const place = position === undefined ? '' : ` (at character ${position + 1})`;
    const text = `The condition of task ${id} is wrong${place}: ${message}.`;
    return [{ code: 'bad-condition', taskId: id, message: text, ...(position === undefined ? {} : { position }) }];
  }
  if (graph.cycle) return [];
  return [...new Set(checked.needs.names)]
    .filter((name) => !graph.isUpstream(name, id) && !visible(name))
    .map((name) => {
      const message = `The condition of task ${id} looks at results.${name}, but ${id} does not depend on ${name}, directly or indirectly.`;
      return { code: 'unknown-result', taskId: id, name, message };
    });
}

function cycleProblems(graph: PlanGraph): PlanProblem[] {
  if (!graph.cycle) return [];
  const cycle = [...graph.cycle];
  const message = `These tasks wait for each other: ${cycle.join(' → ')}.`;
  return [{ code: 'cycle', taskId: cycle[0] as TaskId, cycle, message }];
}

/** Faults of the body of a scope, named by where it stands. */
function bodyProblems(task: TaskSpec, graph: PlanGraph, visible: Visible, depth: number): PlanProblem[] {
  const { scope, id } = task;
  if (!scope) return [];
  const shape = scopeShapeProblems(task, depth);
  if (shape.length > 0) return shape;
  const outer: Visible = (name) => visible(name) || graph.isUpstream(name, id);
  return problemsWithin(scope.body, outer, depth + 1).map((problem) => ({ ...problem, message: `In ${id}: ${problem.message}` }));
}

function problemsWithin(tasks: readonly TaskSpec[], visible: Visible, depth: number): PlanProblem[] {
  // Before anything that walks them all for each task.
  const crowds = crowdProblems(tasks);
  if (crowds.length > 0) return crowds;
  const known = new Set(tasks.map((task) => task.id));
  const graph = new PlanGraph(tasks);
  const problems = partProblems([], tasks);
  for (const task of tasks) {
    problems.push(...dependencyProblems(task, known), ...alternativeProblems(task, known), ...conditionProblems(task, graph, visible));
    problems.push(...expressionProblems(task, (name) => graph.cycle !== undefined || visible(name) || graph.isUpstream(name, task.id)));
    problems.push(
      ...givenProblems(task),
      ...cacheProblems(task),
      ...wishProblems(task),
      ...specialistProblems(task),
      ...bodyProblems(task, graph, visible, depth),
    );
  }
  return [...problems, ...costProblems(tasks), ...cycleProblems(graph)];
}

/**
 * All faults of a plan; an empty list means that it can be run. Of cycles the first is named, as `a → b → a`; while there is one, names of
 * results in conditions are not checked.
 */
export function validatePlan(tasks: readonly TaskSpec[]): PlanProblem[] {
  return problemsWithin(tasks, () => false, 0);
}

/** Tasks that say what they have come to, those within scopes included. */
function forgedProblems(tasks: readonly TaskSpec[]): PlanProblem[] {
  return tasks.flatMap(({ id, given, scope }): PlanProblem[] => {
    const forged = { code: 'forged-result' as const, taskId: id, message: `Task ${id} has a given result; a planner cannot know one.` };
    return [...(given ? [forged] : []), ...forgedProblems(scope?.body ?? [])];
  });
}

/** All faults of a plan that a model has written: it may ask for work, not say what work has come to. */
export function validatePlannedTasks(tasks: readonly TaskSpec[]): PlanProblem[] {
  return [...validatePlan(tasks), ...forgedProblems(tasks)];
}

/** The first few problems as one text. */
export function describeProblems(problems: readonly PlanProblem[]): string {
  const shown = problems.slice(0, 5).map((problem) => problem.message);
  if (problems.length > shown.length) shown.push(`And ${problems.length - shown.length} more.`);
  return shown.join(' ');
}
