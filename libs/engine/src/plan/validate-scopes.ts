/** What is wrong with the parts of a task that the engine works out: its expressions, its scope, its wait. */
import { SCOPE_LIMITS } from '@cadre/contracts';
import type { Scope, TaskSpec } from '@cadre/contracts';
import { checkExpression } from './expressions.js';
import type { PlanProblem } from './plan-problem.js';
import { expressionsIn } from './templates.js';

/** Whether a task may look at the result of that name. */
export type Visible = (name: string) => boolean;

function problemsOf(
  task: TaskSpec,
  what: string,
  expression: string,
  visible: Visible,
  kind: 'condition' | 'value' = 'value',
): PlanProblem[] {
  const taskId = task.id;
  const checked = checkExpression(expression, kind);
  if (!checked.ok) {
    const { message, position } = checked.fault;
    const place = position === undefined ? '' : ` (at character ${position + 1})`;
    const text = `${what} of task ${taskId} is wrong${place}: ${message}.`;
    return [{ code: 'bad-expression', taskId, message: text, ...(position === undefined ? {} : { position }) }];
  }
  return [...new Set(checked.needs.names)]
    .filter((name) => !visible(name))
    .map((name) => {
      const message = `${what} of task ${taskId} looks at results.${name}, but ${taskId} does not depend on ${name}, directly or indirectly.`;
      return { code: 'unknown-result', taskId, name, message };
    });
}

function scoreOf({ combine }: Scope): string | undefined {
  return combine.by === 'best' || combine.by === 'rank' ? combine.score : undefined;
}

/** @param visible of results, to the task itself */
export function expressionProblems(task: TaskSpec, visible: Visible): PlanProblem[] {
  const { scope, wait, templated, agentFrom, title, instructions, input } = task;
  const problems: PlanProblem[] = [];
  if (templated) {
    for (const expression of [...expressionsIn(title), ...expressionsIn(instructions), ...expressionsIn(input)]) {
      problems.push(...problemsOf(task, 'An expression', expression, visible));
    }
  }
  if (agentFrom !== undefined) problems.push(...problemsOf(task, 'agentFrom', agentFrom, visible));
  if (wait && 'event' in wait && wait.where !== undefined)
    problems.push(...problemsOf(task, 'The filter', wait.where, visible, 'condition'));
  if (!scope) return problems;
  if (scope.over !== undefined) problems.push(...problemsOf(task, 'The list', scope.over, visible));
  const score = scoreOf(scope);
  if (score !== undefined) problems.push(...problemsOf(task, 'The score', score, visible));
  const inBody = new Set(scope.body.map(({ id }) => id));
  const where = scope.gate?.where;
  if (where !== undefined) problems.push(...problemsOf(task, 'The gate', where, visible, 'condition'));
  const until = scope.repeat?.until;
  if (until !== undefined) problems.push(...problemsOf(task, 'until', until, (name) => inBody.has(name) || visible(name), 'condition'));
  return problems;
}

/** What is there already is nobody's work. */
export function givenProblems({ id, given, scope, wait, agentFrom, minConfidence }: TaskSpec): PlanProblem[] {
  if (!given) return [];
  const others = Object.entries({ scope, wait, agentFrom, minConfidence }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (others.length === 0) return [];
  return [{ code: 'bad-given', taskId: id, message: `Task ${id}: a task whose result is given cannot have ${others.join(' and ')}.` }];
}

/** Only what an agent does can be kept. */
export function cacheProblems({ id, cache, scope, wait, given }: TaskSpec): PlanProblem[] {
  if (cache === undefined || !(scope ?? wait ?? given)) return [];
  const remedy = scope ? 'put cache into the tasks of its body' : 'leave cache out';
  const message = `Task ${id} is no work of an agent, so its result cannot be kept for later tasks: ${remedy}.`;
  return [{ code: 'bad-cache', taskId: id, message }];
}

/** What is said to an agent is for an agent's work. */
export function wishProblems({ id, resultSchema, thinking, peers, shares, specialist, scope, wait, given }: TaskSpec): PlanProblem[] {
  const wishes = Object.entries({ resultSchema, thinking, peers, shares, specialist }).flatMap(([name, wish]) => (wish ? [name] : []));
  if (wishes.length === 0 || scope?.combine.by === 'custom' || !(scope ?? wait ?? given)) return [];
  const remedy = scope ? 'put it into the tasks of its body, or combine by custom' : 'leave it out';
  const message = `Task ${id} is no work of an agent, so it cannot have ${wishes.join(', ')}: ${remedy}.`;
  return [{ code: 'bad-wish', taskId: id, message }];
}

/** A specialist is an agent that is named; who stands in for that one would not be it. */
export function specialistProblems({ id, specialist, agent, agentFrom, fallbackAgents }: TaskSpec): PlanProblem[] {
  if (!specialist || (agent !== undefined && agentFrom === undefined && fallbackAgents.length === 0)) return [];
  const message = `Task ${id} has a specialist, so it names the agent that it is made of by agent, and has no agentFrom and no fallbackAgents.`;
  return [{ code: 'bad-specialist', taskId: id, message }];
}

/** @param depth of scopes that this one stands in */
export function scopeShapeProblems(task: TaskSpec, depth: number): PlanProblem[] {
  const { scope, id, wait, agent, agentFrom, skills } = task;
  if (!scope) return [];
  const bad = (message: string): PlanProblem[] => [{ code: 'bad-scope', taskId: id, message: `Task ${id}: ${message}` }];
  if (depth >= SCOPE_LIMITS.depth) return bad(`scopes stand within each other more than ${SCOPE_LIMITS.depth} deep.`);
  if (wait) return bad('a scope cannot wait; put a task that does into its body.');
  const ways = [scope.over !== undefined && 'over', scope.repeat && 'repeat', scope.branches && 'branches'].filter(
    (way) => way !== undefined && way !== false,
  );
  if (ways.length > 1) return bad(`${ways.join(' and ')} cannot be together; put one scope into the other.`);
  if (scope.combine.by === 'custom' && agent === undefined && agentFrom === undefined && skills.length === 0) {
    return bad('combine by custom is the work of an agent; say which one by agent, agentFrom or skills beside the scope.');
  }
  if (scope.gate && scope.repeat) return bad('a gate is for items; rounds go on until their result is as it should be (until).');
  if (scope.result !== undefined && (scope.branches || !scope.body.some((each) => each.id === scope.result))) {
    return bad(scope.branches ? 'each branch is its own result.' : `the result ${scope.result} is not in its body.`);
  }
  const tied = scope.branches && scope.body.find((each) => each.dependsOn.length > 0 || each.alternativeTo !== undefined);
  return tied ? bad(`the branch ${tied.id} cannot depend on another branch.`) : [];
}
