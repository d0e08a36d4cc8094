/** Random small plans and options of runs. */
import { Plan, RunOptions, type Scope, type TaskSpecInput } from '@cadre/contracts';
import type { Dice } from '../chance.js';

export const AGENTS = ['alpha', 'beta'] as const;
/** Of alpha. */
export const LABELS = { near: 'yes' } as const;

function taskOf(dice: Dice, index: number): TaskSpecInput {
  const earlier = Array.from({ length: index }, (_, i) => `t${i}`);
  const dependsOn = dice.some(earlier, 0.5);
  const alternativeTo = index > 0 && dice.chance(0.12) ? dice.pick(earlier) : undefined;
  const condition = dice.chance(0.08) && dependsOn.length > 0 ? `results.${dependsOn[0]}.confidence > 0.5` : undefined;
  return labelled(index, {
    id: `t${index}`,
    title: `Task ${index}`,
    instructions: 'do it',
    skills: dice.chance(0.2) ? ['testing'] : [],
    ...(dice.chance(0.2) && { agent: dice.pick(AGENTS) }),
    fallbackAgents: dice.chance(0.15) ? [dice.pick(AGENTS)] : [],
    dependsOn,
    require: dependsOn.length === 0 || dice.chance(0.6) ? 'all' : dice.pick(['any', 'settled', 1] as const),
    ...(alternativeTo !== undefined && !dependsOn.includes(alternativeTo) && { alternativeTo }),
    ...(condition !== undefined && { condition }),
    ...(dice.chance(0.1) && { minConfidence: 0.5 }),
    ...(dice.chance(0.15) && { budgetMicros: dice.int(100, 1500) }),
    ...(dice.chance(0.1) && { tools: dice.some(['look', 'put', 'pay'], 0.6) }),
    timeoutMs: dice.pick([400, 1500, 5000, 60_000]),
    retry: {
      ...{ maxAttempts: dice.int(1, 4), backoffMs: dice.pick([0, 50, 400, 400, 3000]), jitter: dice.pick([0, 0.5, 1]) },
      ...(dice.chance(0.2) && { maxServerWaitMs: dice.pick([0, 1500]) }),
    },
  });
}

/** Some tasks ask for a label, which only one of the agents has. Without dice, so that the worlds of known seeds stay as they are. */
function labelled(index: number, task: TaskSpecInput): TaskSpecInput {
  const names = [task.agent, ...(task.fallbackAgents ?? [])];
  return index % 2 === 1 && task.timeoutMs === 5000 && !names.includes('beta') ? { ...task, labels: LABELS } : task;
}

type ScopeInput = NonNullable<TaskSpecInput['scope']>;

/** Deep enough for scopes that end scopes that end scopes. */
const MOST_DEEP = 2;

function combineOf(dice: Dice): Scope['combine'] {
  const tie = dice.pick(['first', 'fail'] as const);
  const vote = { by: 'vote', weighted: dice.chance(0.5), quorum: dice.pick([0, 0.5]), tie } as const;
  const others = ['list', 'concat', 'last', 'first', 'best', 'rank', 'custom', 'custom'] as const;
  return dice.chance(0.2) ? vote : { by: dice.pick(others) };
}

function waysOf(dice: Dice): Partial<ScopeInput> {
  const items = Array.from({ length: dice.int(0, 5) }, (_, item) => item);
  const until = dice.chance(0.5) ? { until: 'round >= 2', atBound: dice.pick(['accept', 'fail'] as const) } : {};
  return dice.pick<Partial<ScopeInput>>([
    { over: JSON.stringify(items), width: dice.int(1, 4) },
    { branches: true, width: dice.int(1, 4) },
    { repeat: { max: dice.int(1, 3), ...until } },
    {},
  ]);
}

function joinOf(dice: Dice): ScopeInput['join'] {
  return {
    need: dice.pick(['all', 'any', 0, 1, 2, { share: 0.5 }] as const),
    until: dice.pick(['enough', 'ended'] as const),
    ...(dice.chance(0.2) && { deadlineMs: dice.int(100, 4000) }),
  };
}

function scopeOf(dice: Dice, depth: number): ScopeInput {
  const ways = waysOf(dice);
  const body = Array.from({ length: dice.int(1, 3) }, (_, index) => partOf(dice, index, depth + 1));
  const gate = !ways.repeat && dice.chance(0.25) ? { gate: dice.pick([{ minConfidence: 0.5 }, { where: 'confidence > 0.4' }]) } : {};
  return { ...ways, body: ways.branches ? body.map(untied) : body, join: joinOf(dice), ...gate, combine: combineOf(dice) };
}

/** An agent that combines has to be named. */
function staffed(dice: Dice, task: TaskSpecInput): TaskSpecInput {
  const isNamed = task.agent !== undefined || (task.skills ?? []).length > 0;
  return task.scope?.combine?.by === 'custom' && !isNamed ? { ...task, agent: dice.pick(AGENTS) } : task;
}

function givenOf(dice: Dice): TaskSpecInput['given'] {
  if (dice.chance(0.2)) return { error: { code: 'run-failed', message: 'it had failed', retriable: false } };
  return { answer: { text: '{"n": 1}' }, confidence: dice.pick([0.3, 0.9]), ...(dice.chance(0.2) && { partial: true as const }) };
}

/** An auction's award: who does the task, and who is next when that one fails, comes of an earlier result. */
function awarded(task: TaskSpecInput, index: number): TaskSpecInput {
  const { agent = AGENTS[0], ...rest } = task;
  const [earlier] = task.dependsOn ?? [];
  if (earlier === undefined || task.labels !== undefined || (task.agent === undefined && index % 2 === 0)) return task;
  const other = AGENTS.find((name) => name !== agent);
  return { ...rest, agentFrom: `results.${earlier}.confidence > 0.5 ? ["${agent}", "${other}"] : ["${other}"]` };
}

/** A branch depends on nothing. */
function untied({ condition: _, alternativeTo: _original, agentFrom: _names, ...task }: TaskSpecInput): TaskSpecInput {
  return { ...task, dependsOn: [], require: 'all' };
}

function waitOf(dice: Dice): TaskSpecInput['wait'] {
  if (dice.chance(0.5)) return { delayMs: dice.int(1, 3000) };
  return { event: 'bell', ...(dice.chance(0.5) && { where: 'event.data.loud' }), timeoutMs: dice.int(100, 5000) };
}

/** A task that agents do, or one that the engine does itself. */
function partOf(dice: Dice, index: number, depth: number): TaskSpecInput {
  const task = taskOf(dice, index);
  if (depth < MOST_DEEP && dice.chance(0.3)) return staffed(dice, { ...task, scope: scopeOf(dice, depth) });
  if (dice.chance(0.05)) {
    const { minConfidence: _, ...rest } = task;
    return { ...rest, given: givenOf(dice) };
  }
  return dice.chance(0.1) ? { ...task, wait: waitOf(dice) } : awarded(task, index);
}

/** @param scopes whether the engine has work of its own in it */
export function drawPlan(dice: Dice, scopes: boolean): Plan {
  const length = dice.chance(0.1) ? dice.int(5, 9) : dice.int(1, 4);
  const draw = (index: number): TaskSpecInput => (scopes ? partOf(dice, index, 0) : taskOf(dice, index));
  return Plan.parse({ tasks: Array.from({ length }, (_, index) => draw(index)) });
}

/** @param limits whether runs may limit how much of them is at work */
export function drawOptions(dice: Dice, limits: boolean): RunOptions {
  return RunOptions.parse({
    priority: dice.pick(['high', 'medium', 'low']),
    continueOnFailure: dice.chance(0.5),
    deadlineMs: dice.chance(0.15) ? dice.int(1000, 3000) : dice.chance(0.15) ? 40_000 : dice.int(4000, 12_000),
    summarize: dice.chance(0.15),
    ...(dice.chance(0.06) && { model: 'wild' }),
    cancelGraceMs: dice.pick([0, 300, 2000]),
    ...(dice.chance(0.5) && { questionTimeoutMs: dice.int(1000, 8000) }),
    ...(dice.chance(0.5) && { budget: drawBudget(dice) }),
    ...(limits && dice.chance(0.3) && { maxParallel: dice.int(1, 3) }),
  });
}

function drawBudget(dice: Dice): Record<string, unknown> {
  const cap = (most: number): number => dice.int(0, most);
  return {
    ...(dice.chance(0.7) && { runMicros: cap(5000) }),
    ...(dice.chance(0.4) && { taskMicros: cap(2500) }),
    ...(dice.chance(0.3) && { agentMicros: { [dice.pick(AGENTS)]: cap(4000) } }),
    ...dice.pick([{ onLimit: 'stop' }, { onLimit: 'ask' }, { onLimit: 'degrade', degradeTo: 'cheap' }]),
  };
}
