import type { RunView, TaskView, WorkerView } from '@cadre/contracts';
import { withWaits } from './waits.js';

const worker = (change: Partial<WorkerView>) =>
  ({ lost: false, agents: [{ name: 'a', description: 'd', skills: [] }], ...change }) as WorkerView;
const task = (change: Partial<TaskView>) => ({ taskId: 't', status: 'ready', labels: { gpu: true }, ...change }) as TaskView;
const waits = (given: TaskView, ...workers: WorkerView[]) =>
  withWaits({ tasks: [given] } as unknown as RunView, { list: () => workers }, 0).tasks[0]?.waitsFor;

test('a ready task says which labels nobody has who is there', () => {
  const why = 'waits for a worker with the label gpu=true; no worker has it';
  expect(waits(task({}))).toBe(why);
  expect(waits(task({}), worker({}), worker({ labels: { gpu: true }, lost: true }))).toBe(why);
  expect(waits(task({}), worker({ labels: { gpu: 'true' } }))).toBeUndefined();
  expect(waits(task({}), worker({ agents: [{ name: 'a', description: 'd', skills: [], labels: { gpu: true } }] }))).toBeUndefined();
  expect(waits(task({ status: 'running' }))).toBeUndefined();
  const { labels: _labels, ...plain } = task({});
  expect(waits(plain)).toBeUndefined();
});
