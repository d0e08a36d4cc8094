/** A plan in lines for people, and as a file to edit. */
import { TaskSpec, type PlanView, type RunView, type TaskSpec as Task } from '@cadre/contracts';
import { stringify } from 'yaml';
import { consumption, count, duration, oneLine } from './figures.js';
import { table } from './table.js';

const BY: Record<PlanView['source'], string> = { model: 'a model', template: 'a template', submitted: 'yourself' };

/** @param run that made the plan; left out: it was given */
export function describePlan(plan: Pick<PlanView, 'tasks'> & Partial<PlanView>, run?: RunView): string[] {
  const rows = plan.tasks.map((task) => [
    ...[task.id, task.priority, task.estimatedMs === undefined ? '' : duration(task.estimatedMs), whoOf(task), afterOf(task)],
    oneLine(task.title, 60),
  ]);
  return [
    ...table(['TASK', 'PRIORITY', 'ESTIMATE', 'WHO', 'AFTER', 'WHAT'], rows),
    ...reasonsOf(plan.tasks),
    '',
    [count(plan.tasks.length, 'task'), ...timesOf(plan.tasks)].join(', '),
    ...(run && plan.source ? [`Planned by ${BY[plan.source]} for ${consumption(run.usage)}`] : []),
    ...(plan.note === undefined ? [] : [`Note: ${oneLine(plan.note, 400)}`]),
  ];
}

/** How tasks are done by several, and why they are done so. */
function reasonsOf(tasks: readonly Task[]): string[] {
  const lines = tasks.flatMap(({ id, pattern, why }) => {
    const said = [...(pattern === undefined ? [] : [pattern]), ...(why === undefined ? [] : [oneLine(why, 300)])];
    return said.length === 0 ? [] : [`${id}: ${said.join(', ')}`];
  });
  return lines.length === 0 ? [] : ['', ...lines];
}

/** All that is said, and the longest way through, of tasks that say how long they take. */
function timesOf(tasks: readonly Task[]): string[] {
  const sum = tasks.reduce((total, { estimatedMs = 0 }) => total + estimatedMs, 0);
  if (sum === 0) return [];
  return [`about ${duration(sum)} of work`, `at least ${duration(longestOf(tasks))} from start to end`];
}

/** In a plan with a cycle, which is told when it is sent, of the tasks before that. */
function longestOf(tasks: readonly Task[]): number {
  const open = new Map(tasks.map(({ id, dependsOn }) => [id, new Set(dependsOn).size]));
  const dependents = new Map<string, Task[]>();
  for (const task of tasks) for (const id of new Set(task.dependsOn)) dependents.set(id, [...(dependents.get(id) ?? []), task]);
  const begins = new Map<string, number>();
  const queue = tasks.filter(({ id }) => open.get(id) === 0);
  let longest = 0;
  for (const { id, estimatedMs = 0 } of queue) {
    const end = (begins.get(id) ?? 0) + estimatedMs;
    longest = Math.max(longest, end);
    for (const next of dependents.get(id) ?? []) {
      begins.set(next.id, Math.max(begins.get(next.id) ?? 0, end));
      open.set(next.id, (open.get(next.id) ?? 0) - 1);
      if (open.get(next.id) === 0) queue.push(next);
    }
  }
  return longest;
}

function whoOf({ agent, agentFrom, skills, scope, wait, given, specialist }: Task): string {
  if (given) return 'given';
  if (wait) return 'event' in wait ? `waits for ${wait.event}` : `waits ${duration(wait.delayMs)}`;
  const named = specialist ? `${agent} as ${specialist.name}` : agent;
  const who = named ?? (agentFrom === undefined ? skills.join(', ') : `by ${agentFrom}`);
  if (!scope) return oneLine(who === '' ? 'anyone' : who, 40);
  const way =
    scope.over !== undefined
      ? `for each of ${scope.over}`
      : scope.repeat
        ? `up to ${count(scope.repeat.max, 'round')}`
        : scope.branches
          ? 'at once'
          : 'once';
  return oneLine(`${count(scope.body.length, 'task')} ${way}`, 40);
}

function afterOf({ dependsOn, require, alternativeTo }: Task): string {
  const which = dependsOn.length > 1 && require !== 'all' ? `${String(require)} of ` : '';
  const after = dependsOn.length === 0 ? '' : `${which}${dependsOn.join(', ')}`;
  return oneLine(
    [after, ...(alternativeTo === undefined ? [] : [`if ${alternativeTo} fails`])].filter((each) => each !== '').join('; '),
    50,
  );
}

const SAMPLE = TaskSpec.parse({ id: 'x', title: 'x', instructions: 'x', scope: { body: [{ id: 'x', title: 'x', instructions: 'x' }] } });

/** As YAML, without what is so by default. */
export function planText({ tasks }: Pick<PlanView, 'tasks'>): string {
  return stringify({ tasks: tasks.map(plainTask) }, { lineWidth: 100 });
}

function plainTask(task: Task): object {
  const { scope, ...rest } = without(task, SAMPLE) as Task;
  if (!scope) return rest;
  const plain = without(scope, SAMPLE.scope as object) as { join?: object; combine?: object };
  const join = plain.join && { join: without(scope.join, SAMPLE.scope?.join as object) };
  return { ...rest, scope: { ...plain, ...join, body: scope.body.map(plainTask) } };
}

/** What a thing of the same kind with nothing said has alike, is left out. */
function without(value: object, sample: object): object {
  const same = (name: string, each: unknown): boolean => JSON.stringify((sample as Record<string, unknown>)[name]) === JSON.stringify(each);
  return Object.fromEntries(
    Object.entries(value).filter(([name, each]) => ['id', 'title', 'instructions', 'body'].includes(name) || !same(name, each)),
  );
}
