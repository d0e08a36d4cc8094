import { Plan } from '@cadre/contracts';
import type { TaskSpecInput } from '@cadre/contracts';
import { goalParts } from '../goal/goal-parts.js';
import { checkInvariants } from '../invariants/check-invariants.js';
import { EngineRig, reservation, result, settlement, task } from '../testing/engine-rig.js';
import { scope } from '../testing/scope-steps.js';

const planned = (tasks: TaskSpecInput[], note?: string) =>
  result('a plan', { plan: { plan: Plan.parse({ tasks }), source: 'model', ...(note === undefined ? {} : { note }) } });

function planning(): EngineRig {
  const rig = new EngineRig();
  rig.start(undefined, {}, 'analyze the trends in the data');
  return rig;
}

test('the plan of the planning task becomes the run, in the commit of its result', () => {
  const rig = planning();
  rig.complete('plan', planned([task('a'), task('b', { dependsOn: ['a'] })], 'two steps'));
  expect(rig.statuses()).toBe('plan:completed a:ready b:waiting answer:waiting');
  expect(rig.run()).toMatchObject({ status: 'running', planSource: 'model', planNote: 'two steps' });
  expect(rig.task('plan').result).not.toHaveProperty('plan');
  expect(JSON.stringify(rig.blocks.at(-1)).match(/"id":"b"/g)).toHaveLength(1);
  expect(rig.begin('a').results).toEqual([]);
  rig.finish('a');
  rig.complete('b');
  rig.complete('answer');
  expect(rig.run().status).toBe('completed');
  expect(rig.violations({ finished: true })).toEqual([]);
});

test('a plan that cannot run gives way to the template, and the note says why', () => {
  const rig = planning();
  rig.complete('plan', planned([task('a', { dependsOn: ['nowhere'] })]));
  expect(rig.run()).toMatchObject({ planSource: 'template', planNote: expect.stringContaining('depends on nowhere') });
  expect(rig.statuses()).toBe('plan:completed collect:ready analyze:waiting report:waiting answer:waiting');
});

test('so does no plan at all', () => {
  const rig = planning();
  rig.complete('plan');
  expect(rig.run()).toMatchObject({ planSource: 'template', planNote: 'The planner gave no plan. The analysis template is used instead.' });
});

test('planning is tried twice before the template is used; its failure does not fail the run', () => {
  const rig = planning();
  rig.fail('plan', true);
  expect(rig.run().status).toBe('planning');
  rig.fail('plan', true);
  expect(rig.run()).toMatchObject({ status: 'running', planSource: 'template', planNote: expect.stringContaining('it broke') });
  expect(rig.task('plan').status).toBe('failed');
  for (const id of ['collect', 'analyze', 'report', 'answer']) rig.complete(id);
  expect(rig.run()).toMatchObject({ status: 'completed', partial: false });
  expect(rig.violations({ finished: true })).toEqual([]);
});

test('what Cadre has planned is accounted for: the answer is told the parts of the goal', () => {
  const rig = planning();
  rig.complete('plan', planned([task('a'), task('b')]));
  rig.complete('a');
  rig.complete('b');
  const [part] = goalParts(rig.run().goal);
  expect(rig.begin('answer').account).toEqual({ parts: [part?.text], undone: [] });
});

test('what Cadre has planned is not known to be done when the answer that accounts for it fails', () => {
  const rig = planning();
  rig.complete('plan', planned([task('a'), task('b')]));
  rig.complete('a');
  rig.complete('b');
  rig.fail('answer');
  expect(rig.run()).toMatchObject({ status: 'completed', partial: true, missing: ['one answer to the whole goal'] });
});

test('a submitted task may not use a name of the engine', () => {
  const rig = planning();
  rig.complete('plan', planned([task('answer'), task('plan')]));
  expect(rig.run()).toMatchObject({ planSource: 'template', planNote: expect.stringContaining('answer is reserved') });
});

describe('where only the plan was asked for', () => {
  const asked = (): EngineRig => {
    const rig = new EngineRig();
    rig.start(undefined, { planOnly: true }, 'analyze the trends in the data');
    return rig;
  };
  const answer = (rig: EngineRig): string => {
    const { answer: given } = rig.run();
    return given && 'text' in given ? given.text : '';
  };

  test('the run ends with it; nothing of it begins, and the planning has been paid for', () => {
    const rig = asked();
    rig.begin('plan');
    rig.record('plan', [], [reservation('think')]);
    rig.record('plan', [settlement('think')], []);
    rig.finish('plan', planned([task('a'), scope('s', { over: '[1]', body: [task('t')] }, { dependsOn: ['a'] })], 'two steps'));
    expect(rig.statuses()).toBe('plan:completed a:skipped s:skipped');
    expect(rig.run()).toMatchObject({
      status: 'completed',
      partial: false,
      planSource: 'model',
      planNote: 'two steps',
      usage: { costMicros: 40 },
    });
    expect(Plan.parse(JSON.parse(answer(rig))).tasks.map(({ id }) => id)).toEqual(['a', 's']);
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test('so it does with the template, and a plan too long for a message is listed', () => {
    const rig = asked();
    rig.fail('plan', true);
    rig.fail('plan', true);
    expect(rig.run()).toMatchObject({ status: 'completed', planSource: 'template' });
    expect(rig.violations({ finished: true })).toEqual([]);
    const long = asked();
    long.complete('plan', planned(Array.from({ length: 200 }, (_, i) => task(`t${i}`))));
    expect(answer(long)).toMatch(/^A plan of 200 tasks:\n\n- t0: t0\n/);
  });

  test('the checker sees work that has begun all the same', () => {
    const rig = new EngineRig();
    rig.start([task('a')], { summarize: false });
    const blocks = structuredClone(rig.blocks);
    const [begun] = blocks[0]!.block.commits[0]!.events;
    if (begun?.type === 'RunStarted') begun.options.planOnly = true;
    expect(checkInvariants({ blocks })).toMatchObject([{ clause: 'begun-in-preview', taskId: 'a' }]);
  });
});
