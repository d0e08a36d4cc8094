/** Tasks that wait too long for a slot of their agent, and what its definition says of that. */
import type { AgentSummary, Heartbeat, RunOptions, TaskSpecInput } from '@cadre/contracts';
import { rig } from './testing/desk-rig.js';

const SKILLS = ['data-analysis'];
const named = (name: string, more: Partial<AgentSummary> = {}): AgentSummary => ({ name, description: name, skills: SKILLS, ...more });
const ANALYST = named('analyst', { underLoad: { queueMs: 5000, agent: 'fast' } });
const FAST = named('fast');

type Rig = ReturnType<typeof rig>;
type Beats = { a?: Partial<Heartbeat>; b?: Partial<Heartbeat>; held?: string[] };

/** Two workers of one slot: the analyst's is `a`, the stand-in's is `b`. */
function beats(it: Rig, { a = {}, b = {}, held = [] }: Beats = {}): void {
  it.beat(held, { workerId: 'a', slots: 1, agents: [ANALYST], ...a });
  it.beat([], { workerId: 'b', slots: 1, agents: [FAST], ...b });
}

/** Time passes, with rounds of offers as in life. */
function wait(it: Rig, ms: number, with_: Beats = {}): string[] {
  const told: string[] = [];
  for (const end = it.now + ms; it.now < end;) {
    it.now += 250;
    beats(it, with_);
    for (const { offers } of it.desk.offers(it.now))
      for (const { taskId, agent, insteadOf, queuedMs } of offers) told.push([taskId, agent, insteadOf ?? '-', queuedMs ?? '-'].join(' '));
  }
  return told;
}

function full(tasks: Partial<TaskSpecInput>[], { a = {}, b = {} }: Beats = {}, limits: Partial<RunOptions> = {}): Rig {
  const it = rig([{ agent: 'analyst', priority: 'critical' }, ...tasks], limits);
  beats(it, { a, b });
  expect(it.offered()).toContain('t01>a');
  it.log({ type: 'AttemptStarted', taskId: 't0', attempt: 1, agent: 'analyst', workerId: 'a', deadlineAt: it.now + 600_000, tools: [] });
  return it;
}
const busy = { held: ['t0'] };

describe.each<[string, Partial<TaskSpecInput>]>([
  ['that asks for the agent by name', { agent: 'analyst' }],
  ['that asks for its skills', { skills: SKILLS }],
])('a task %s', (_, asked) => {
  test('goes to the other agent when it has waited for the time set, and not before', () => {
    const it = full([asked]);
    expect(wait(it, 4750, busy)).toEqual([]);
    expect(wait(it, 1000, busy)).toEqual(['t1 fast analyst 5000']);
  });

  test('goes to its own agent whenever that has a slot, however long it has waited', () => {
    const it = full([asked], { b: { slots: 0 } });
    expect(wait(it, 20_000, { ...busy, b: { slots: 0 } })).toEqual([]);
    it.log({ type: 'TaskCompleted', taskId: 't0', attempt: 1, result: { answer: { text: 'x' }, artifacts: [] } });
    expect(wait(it, 250)).toEqual(['t1 analyst - -']);
  });

  test('stays with it where the task or its run says so, or somebody has begun it', () => {
    expect(wait(full([{ ...asked, underLoad: 'never' }]), 20_000, busy)).toEqual([]);
    const it = full([asked]);
    it.schedule('t1', 2);
    expect(wait(it, 20_000, busy)).toEqual([]);
  });

  test('waits on when the other agent lacks a skill, a label or a slot', () => {
    const skilled = { ...asked, skills: [...SKILLS, 'statistics'] };
    const own = { ...busy, a: { agents: [{ ...ANALYST, skills: skilled.skills }] } };
    expect(wait(full([skilled], own), 20_000, own)).toEqual([]);
    const labelled = { ...busy, a: { labels: { gpu: true } } };
    expect(wait(full([{ ...asked, labels: { gpu: true } }], labelled), 20_000, labelled)).toEqual([]);
    const none = { ...busy, b: { slots: 0 } };
    expect(wait(full([asked], none), 20_000, none)).toEqual([]);
  });
});

test('the most urgent goes first, and each only when it has waited itself', () => {
  const it = full([{ agent: 'analyst' }, { agent: 'analyst', priority: 'critical' }], { b: { slots: 2 } });
  wait(it, 2000, { ...busy, b: { slots: 1 } });
  expect(wait(it, 3500, { ...busy, b: { slots: 1 } })).toEqual(['t2 fast analyst 5000']);
  it.log({ type: 'AttemptStarted', taskId: 't2', attempt: 1, agent: 'fast', workerId: 'b', deadlineAt: it.now + 600_000, tools: [] });
  it.schedule('t2', 2);
  expect(wait(it, 1000, { ...busy, b: { slots: 2 } })).toEqual([expect.stringMatching(/^t1 fast analyst /)]);
});

test('what a run keeps back by a limit of its own does not wait for slots', () => {
  const waits = (limits: Partial<RunOptions>) => wait(full([{ agent: 'analyst' }], {}, limits), 20_000, busy);
  expect(waits({ maxParallel: 1 })).toEqual([]);
  expect(waits({ underLoad: 'never' })).toEqual([]);
  // Nobody takes it here, so that it is offered again.
  expect(new Set(waits({ maxParallel: 2 }))).toEqual(new Set(['t1 fast analyst 5000']));
});

test('whoever does the work of another under load has it as its own when that one is not there, or both would wait for each other', () => {
  const alone = rig([{ skills: SKILLS }]);
  alone.beat([], { workerId: 'b', agents: [FAST] });
  expect(alone.offered()).toEqual(['t01>b']);
  const both = rig([{ skills: SKILLS }]);
  beats(both, { a: { agents: [ANALYST], slots: 0 }, b: { agents: [{ ...FAST, underLoad: { queueMs: 5000, agent: 'analyst' } }] } });
  expect(both.offered()).toEqual(['t01>b']);
});

test('an agent begins with less what has waited, and says so only then', () => {
  const less = { a: { agents: [named('analyst', { underLoad: { queueMs: 5000, less: true } })] }, b: { slots: 0 } };
  const early = full([{ agent: 'analyst' }], less);
  wait(early, 4000, { ...busy, ...less });
  early.log({ type: 'TaskCompleted', taskId: 't0', attempt: 1, result: { answer: { text: 'x' }, artifacts: [] } });
  expect(wait(early, 250, less)).toEqual(['t1 analyst - -']);
  for (const [more, told] of [
    [{}, 't1 analyst - 6250'],
    [{ underLoad: 'never' as const }, 't1 analyst - -'],
  ] as const) {
    const late = full([{ agent: 'analyst', ...more }], less);
    wait(late, 6000, { ...busy, ...less });
    late.log({ type: 'TaskCompleted', taskId: 't0', attempt: 1, result: { answer: { text: 'x' }, artifacts: [] } });
    expect(wait(late, 250, less)).toEqual([told]);
  }
});
