import type { Commit, RunEvent } from '@cadre/contracts';
import { OpenTimers } from './open-timers.js';

const commit = { runId: 'r00-00000000-0000-7000-8000-000000000001' } as Commit;
const opened: RunEvent = { type: 'TaskOpened', taskId: 's', count: 2, wakeAt: 100 };

test.each<RunEvent>([
  { type: 'TaskFailed', taskId: 's', error: { code: 'scope-failed', message: '', retriable: false } },
  { type: 'AttemptScheduled', taskId: 's', attempt: 1, notBefore: 0, joined: 'whole' },
])('what has ended, or has been handed to an agent, is not woken any more ($type)', (event) => {
  const timers = new OpenTimers();
  timers.apply(commit, opened);
  expect(timers.due(99)).toEqual([]);
  expect(timers.due(100)).toEqual([{ runId: commit.runId, taskId: 's' }]);
  timers.apply(commit, event);
  expect(timers.due(1000)).toEqual([]);
});
