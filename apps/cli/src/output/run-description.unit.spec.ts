import { NO_USAGE, RunOptions, RunView, type FeedEvent, type TaskView } from '@cadre/contracts';
import { advanceTask, type TaskEvent, type TaskProgress } from '../progress/task-progress.js';
import { taskLine } from '../progress/task-text.js';
import { caveats } from './caveats.js';
import { describeRun } from './run-description.js';

const RUN = 'r00-01890000-0000-7000-8000-000000000001';
const EARLIER = 'r00-01890000-0000-7000-8000-000000000002';

test('a result that is an earlier one names the task that it came from', () => {
  const task: TaskView = {
    ...{ taskId: 'count', title: 'Count the words', status: 'completed', priority: 'medium', skills: [], dependsOn: [], require: 'all' },
    ...{
      attempt: 1,
      agent: 'counter',
      confidence: 1,
      artifacts: [],
      usage: NO_USAGE,
      cachedFrom: { runId: EARLIER, taskId: 'map~0~count' },
    },
  };
  const run = RunView.parse({
    ...{ runId: RUN, tenant: 'default', goal: 'g', status: 'completed', createdAt: 1, tasksDone: 1, tasksTotal: 1, usage: NO_USAGE },
    ...{ options: RunOptions.parse({}), inputs: [], deadlineAt: 1, seq: 1, tasks: [task], artifacts: [], reservedMicros: 0, questions: [] },
  });
  expect(describeRun(run, '').at(-1)).toMatch(new RegExp(`^count .* Count the words \\(result of map~0~count in ${EARLIER}\\)$`));
});

test.each<[Partial<TaskView>, string]>([
  [{ confidence: 0.5 }, ''],
  [{}, 'confidence not given'],
  [{ confidence: 0, mark: 'without-tools' }, 'rests on no tool'],
  [{ mark: 'unstructured' }, 'not in the form asked for, confidence not given'],
  [{ status: 'failed' }, ''],
])('what is out of the ordinary with a result %j is said: %s', (task, said) => {
  expect(caveats({ status: 'completed', agent: 'counter', ...task })).toBe(said);
});

test('a task that nobody can take says what it waits for', () => {
  const waitsFor = 'waits for a worker with the label gpu=true; no worker has it';
  const task: TaskView = {
    ...{
      taskId: 'paint',
      title: 'Paint',
      status: 'ready',
      priority: 'medium',
      skills: [],
      labels: { gpu: true },
      dependsOn: [],
      require: 'all',
    },
    ...{ attempt: 1, artifacts: [], usage: NO_USAGE, waitsFor },
  };
  const run = RunView.parse({
    ...{ runId: RUN, tenant: 'default', goal: 'g', status: 'running', createdAt: 1, tasksDone: 0, tasksTotal: 1, usage: NO_USAGE },
    ...{ options: RunOptions.parse({}), inputs: [], deadlineAt: 1, seq: 1, tasks: [task], artifacts: [], reservedMicros: 0, questions: [] },
  });
  expect(describeRun(run, '').at(-1)).toMatch(/^paint .* Paint \(waits for a worker with the label gpu=true; no worker has it\)$/);
});

test('what is not known of the cost, and what a server billed too much, is said', () => {
  const usage = { ...NO_USAGE, modelCalls: 3, costMicros: 97_000, unpricedCalls: 1, overrunMicros: 67_000 };
  const run = RunView.parse({
    ...{ runId: RUN, tenant: 'default', goal: 'g', status: 'completed', createdAt: 1, tasksDone: 1, tasksTotal: 1, usage },
    ...{ options: RunOptions.parse({}), inputs: [], deadlineAt: 1, seq: 1, tasks: [], artifacts: [], reservedMicros: 0, questions: [] },
  });
  const text = describeRun(run, '').join('\n');
  expect(text).toContain('Used     0 tokens, $0.0970 and an unknown cost');
  expect(text).toContain('Unknown  what 1 call of models without a known price cost');
  expect(text).toContain('Overrun  $0.0670 more than was set aside');
});

test('and is told in the progress', () => {
  const task: TaskProgress = {
    ...{ id: 'count', title: 'Count', kind: 'work', phase: 'running', agent: 'counter', attempt: 1, usage: NO_USAGE, questions: [] },
  };
  const result = { answer: { text: '3' }, confidence: 1, artifacts: [], cachedFrom: { runId: EARLIER, taskId: 'count' } };
  const event: TaskEvent & FeedEvent['data'] = { type: 'TaskCompleted', taskId: 'count', attempt: 1, result };
  advanceTask(task, event, 5, new Map());
  expect(taskLine(task, 100)).toBe('Count · counter · from the cache');
});

test('what an agent has given up under load is told in the progress', () => {
  const task: TaskProgress = {
    ...{ id: 'count', title: 'Count', kind: 'work', phase: 'running', agent: 'counter', attempt: 1, usage: NO_USAGE, questions: [] },
  };
  const less = { degradedTo: 'small', reducedTo: { effort: 'low' as const, reflect: 0, alternatives: 1 } };
  const result = { answer: { text: '3' }, confidence: 1, artifacts: [], ...less };
  advanceTask(task, { type: 'TaskCompleted', taskId: 'count', attempt: 1, result }, 5, new Map());
  expect(taskLine(task, 100)).toBe('Count · counter · degraded to small, effort low, no review, 1 alternative');
});

test('a run whose model server is in trouble says what it waits for', () => {
  const [since, until] = [Date.now(), Date.now() + 9000];
  const task: TaskView = {
    ...{ taskId: 'count', title: 'Count the words', status: 'ready', priority: 'medium', skills: [], dependsOn: [], require: 'all' },
    ...{ attempt: 4, artifacts: [], usage: NO_USAGE, error: 'The model server answered 503: Loading model', serverWait: { since, until } },
  };
  const run = RunView.parse({
    ...{ runId: RUN, tenant: 'default', goal: 'g', status: 'running', createdAt: 1, tasksDone: 0, tasksTotal: 1, usage: NO_USAGE },
    ...{ options: RunOptions.parse({}), inputs: [], deadlineAt: 1, seq: 1, tasks: [task], artifacts: [], reservedMicros: 0, questions: [] },
  });
  const text = describeRun(run, '').join('\n');
  expect(text).toContain('Status   running, waits for the model server');
  const words = /count waits for the model server until (\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d: The model server answered 503: Loading model/;
  expect(text).toMatch(words);
});
