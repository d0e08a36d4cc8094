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
