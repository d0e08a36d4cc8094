import { Plan } from '@cadre/contracts';
import type { TaskSpecInput } from '@cadre/contracts';
import { EngineRig, result, task } from '../testing/engine-rig.js';

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
  expect(rig.statuses()).toBe('plan:completed collect:ready analyse:waiting report:waiting answer:waiting');
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
  for (const id of ['collect', 'analyse', 'report', 'answer']) rig.complete(id);
  expect(rig.run()).toMatchObject({ status: 'completed', partial: false });
  expect(rig.violations({ finished: true })).toEqual([]);
});

test('a submitted task may not use a name of the engine', () => {
  const rig = planning();
  rig.complete('plan', planned([task('answer'), task('plan')]));
  expect(rig.run()).toMatchObject({ planSource: 'template', planNote: expect.stringContaining('answer is reserved') });
});
