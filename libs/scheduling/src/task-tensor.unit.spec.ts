import { RunOptions, TaskSpec, makeRunId, type Priority, type RunEvent } from '@cadre/contracts';
import type { OpenWorker } from './match-offers.js';
import { OpenWork } from './open-work.js';
import { taskTensor } from './task-tensor.js';

const RUN = makeRunId(0, '00000000-0000-7000-8000-000000000001');
const NOW = 1_000_000;

/** A run with tasks of these skills and priorities, ready since then. */
function workOf(tasks: { skills?: string[]; agent?: string; priority?: Priority; readyAt?: number }[]): OpenWork {
  const work = new OpenWork();
  const options = RunOptions.parse({});
  const specs = tasks.map(({ readyAt: _, ...rest }, n) => TaskSpec.parse({ id: `t${n}`, title: 't', instructions: 'i', ...rest }));
  const events: RunEvent[] = [
    { type: 'RunStarted', tenant: 'default', goal: 'g', inputs: [], options, fingerprint: 'f', deadlineAt: NOW * 2 },
    { type: 'TasksAdded', source: 'submitted', tasks: specs },
    ...specs.map(({ id }, n) => ({ type: 'AttemptScheduled' as const, taskId: id, attempt: 1, notBefore: tasks[n]?.readyAt ?? NOW })),
  ];
  commit(work, 1, events);
  return work;
}

function commit(work: OpenWork, seq: number, events: RunEvent[]): void {
  const commits = [{ runId: RUN, seq, at: NOW - 100_000, cause: 'c', events }];
  work.apply({ v: 1, id: `b${seq}`, shard: 0, owner: 'o', kind: 'commits', at: NOW, commits }, NOW);
}

const worker = (workerId: string, slots: number, used: number, ...agents: [string, ...string[]][]): OpenWorker => ({
  ...{ workerId, epoch: 'e', slots, size: slots, used, lastTurn: 0 },
  agents: agents.map(([name, ...skills]) => ({ name, description: name, skills })),
});

const rules = { now: NOW, ageingMs: 10_000, most: 100 };

test('who works has 1, who could has a fraction by its free slots, and the rest is not listed', () => {
  const work = workOf([{ skills: ['a'] }, { skills: ['a'], priority: 'critical' }, { agent: 'y' }, { skills: ['z'] }]);
  const started = { attempt: 1, agent: 'x', workerId: 'w', deadlineAt: NOW * 2, tools: [] };
  commit(work, 2, [{ type: 'AttemptStarted', taskId: 't0', ...started }]);
  const tensor = taskTensor(work, work.ready(NOW), [worker('w', 4, 1, ['x', 'a']), worker('v', 1, 1, ['y', 'a', 'b'])], rules);
  expect(tensor.shape).toEqual([4, 2, 5]);
  expect(tensor.labels.agents).toEqual(['x', 'y']);
  expect(tensor.labels.levels[0]).toBe('critical');
  expect(tensor.labels.tasks.map(({ taskId, state }) => `${taskId} ${state}`)).toEqual(['t0 running', 't1 ready', 't2 ready', 't3 ready']);
  expect(tensor.entries).toEqual([
    [0, 0, 2, 1],
    [1, 0, 0, 4 / 6],
    [1, 1, 0, 1 / 6],
    [2, 1, 2, 1 / 2],
  ]);
});

test('a level is that of the priority, raised by waiting', () => {
  const work = workOf([{ priority: 'background' }, { priority: 'background', readyAt: NOW - 25_000 }]);
  const tensor = taskTensor(work, work.ready(NOW), [worker('w', 1, 0, ['x', 'general'])], rules);
  expect(tensor.labels.tasks.map(({ taskId }) => taskId)).toEqual(['t1', 't0']);
  expect(tensor.entries.map(([, , level]) => level)).toEqual([2, 4]);
});

test('of more tasks than can be told the least urgent are counted only', () => {
  const work = workOf([{ priority: 'low' }, { priority: 'high' }, {}]);
  const tensor = taskTensor(work, work.ready(NOW), [], { ...rules, most: 2 });
  expect(tensor.labels.tasks.map(({ taskId }) => taskId)).toEqual(['t1', 't2']);
  expect([tensor.shape, tensor.entries, tensor.leftOut]).toEqual([[2, 0, 5], [], 1]);
});
