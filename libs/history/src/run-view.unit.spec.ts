import { TaskView } from '@cadre/contracts';
import { EngineRig, result, task } from '@cadre/engine/testing';
import { taskView } from './run-view.js';

test('a result says what its agent has given up, whether money or room was short', () => {
  const rig = new EngineRig();
  rig.start([task('a')], { summarize: false });
  rig.begin('a');
  const less = { degradedTo: 'small', reducedTo: { effort: 'low' as const, reflect: 0 } };
  rig.finish('a', result('done', less));
  expect(TaskView.parse(taskView(rig.task('a')))).toMatchObject(less);
});

test('what an agent thought is told by reference, beside the answer; without it nothing is said', () => {
  const thinking = { ref: { sha256: 'a'.repeat(64), size: 9, mediaType: 'application/json' }, preview: '{}' };
  const rig = new EngineRig();
  rig.start([task('a'), task('b')], { summarize: false, collectThinking: true });
  rig.begin('a');
  rig.finish('a', result('done', { thinking }));
  expect(TaskView.parse(taskView(rig.task('a')))).toMatchObject({ answer: { text: 'done' }, thinking });
  expect(taskView(rig.task('b'))).not.toHaveProperty('thinking');
});

test('a task that waits for its model server says since when, until when and why', () => {
  const rig = new EngineRig();
  rig.start([task('a')], { summarize: false });
  rig.begin('a');
  expect(taskView(rig.task('a'))).not.toHaveProperty('serverWait');
  const error = { code: 'model-loading', message: 'Loading model', retriable: true, retryAfterMs: 9000 };
  rig.send({ type: 'FailAttempt', taskId: 'a', attempt: 1, workerId: 'w1', error, cause: 'server' });
  const waits = { status: 'ready', error: 'Loading model', serverWait: { since: rig.now, until: rig.now + 9000 } };
  expect(TaskView.parse(taskView(rig.task('a')))).toMatchObject(waits);
  rig.begin('a');
  expect(taskView(rig.task('a'))).not.toHaveProperty('serverWait');
});
