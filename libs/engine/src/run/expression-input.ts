/** What the expressions of a task see of the run. */
import { childId, placeOf } from '@cadre/contracts';
import type { Content, Json, Scope, TaskId, TaskSpec } from '@cadre/contracts';
import { asCel } from '../plan/expressions.js';
import type { ExpressionInput, InputFor, ResultInput } from '../plan/expressions.js';
import type { RunState, TaskState } from '../state.js';
import type { TaskReader } from '../task-table.js';
import { standIn, upstream } from './standing.js';

/** A long answer shows its preview. */
export function textOf(content: Content): string {
  return 'text' in content ? content.text : content.preview;
}

/** A text as data if it is JSON, else the text itself. */
export function dataOf(text: string): Json {
  const first = text.trimStart()[0] ?? '';
  if (!/[[{"\-0-9tfn]/.test(first)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** As expressions see it: a number in any case, and one that reaches no threshold where nobody has said how sure a result is. */
export function seenConfidence(confidence: number | undefined): number {
  return confidence ?? -1;
}

/** A plain object, since the language knows no other; the answer is read as data only when somebody looks. */
function resultOf(task: TaskState): ResultInput {
  const answer = task.result ? textOf(task.result.answer) : '';
  return {
    status: task.status,
    confidence: task.result ? seenConfidence(task.result.confidence) : 0,
    answer,
    get value() {
      return asCel(dataOf(answer));
    },
  };
}

/** The task that a name means to a task: one beside it in its item, else one beside its scope, and so on outwards. */
export function taskNamed(tasks: TaskReader, from: TaskId, name: string): TaskState | undefined {
  for (let place = placeOf(from); place !== undefined; place = placeOf(place.scope)) {
    const found = tasks.get(childId(place.scope, place.item, name));
    if (found) return found;
  }
  return tasks.get(name);
}

/** The name under which a task is shown to others. */
function nameOf(id: TaskId): string {
  return placeOf(id)?.name ?? id;
}

function resultsFor(tasks: TaskReader, task: TaskState, names: readonly string[] | undefined): ExpressionInput['results'] {
  const results: ExpressionInput['results'] = {};
  const show = (name: string, seen: TaskState | undefined): void => {
    if (seen) results[name] = resultOf(standIn(tasks, seen) ?? seen);
  };
  // That a named task may be looked at was seen when the plan was checked; a walk over all that came before costs too much for each of
  // thousands.
  if (names) for (const name of names) show(name, taskNamed(tasks, task.spec.id, name));
  else for (const id of upstream(tasks, task.spec)) show(nameOf(id), tasks.get(id));
  return results;
}

/** What the item that a task stands in is about: of the nearest scopes that say so. */
function itemFor(tasks: TaskReader, id: TaskId): Pick<ExpressionInput, 'item' | 'index' | 'round' | 'previous'> {
  const seen: Pick<ExpressionInput, 'item' | 'index' | 'round' | 'previous'> = {};
  for (let place = placeOf(id); place !== undefined; place = placeOf(place.scope)) {
    const scope = tasks.get(place.scope);
    const spec = scope?.spec.scope;
    if (spec?.repeat && seen.round === undefined) {
      seen.round = place.item + 1;
      seen.previous = previousOf(tasks, scope as TaskState, place.item);
    } else if (spec?.over !== undefined && seen.index === undefined) {
      seen.index = place.item;
      seen.item = scope?.scope?.items?.[place.item] ?? null;
    }
  }
  return seen;
}

/** The tasks of an item, as the scope has them. */
export function bodyOf(scope: Scope, item: number): TaskSpec[] {
  return scope.branches ? scope.body.slice(item, item + 1) : scope.body;
}

/** The id of the task whose result is that of an item. */
export function resultId({ spec }: TaskState, item: number): TaskId {
  const scope = spec.scope as Scope;
  return childId(spec.id, item, scope.result ?? bodyOf(scope, item).at(-1)?.id ?? '');
}

/** The task whose result is that of an item, or what stands in for it. */
export function resultTask(tasks: TaskReader, scope: TaskState, item: number): TaskState | undefined {
  const task = tasks.get(resultId(scope, item));
  return task && (standIn(tasks, task) ?? task);
}

function previousOf(tasks: TaskReader, scope: TaskState, item: number): Json {
  const task = item === 0 ? undefined : resultTask(tasks, scope, item - 1);
  return task?.result ? dataOf(textOf(task.result.answer)) : null;
}

/**
 * Results of a task's dependencies, direct and indirect; each has all fields, so that an expression need not ask whether they are
 * there. Where an alternative stands in, its result is shown under both names.
 */
export function inputOf(run: RunState, tasks: TaskReader, task: TaskState, more: Partial<ExpressionInput> = {}): InputFor {
  return (names) => ({
    goal: run.goal,
    ...(run.params === undefined ? {} : { params: run.params }),
    ...itemFor(tasks, task.spec.id),
    ...more,
    results: resultsFor(tasks, task, names),
  });
}
