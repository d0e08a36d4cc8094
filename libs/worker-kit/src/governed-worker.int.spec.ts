/** Calls of a worker whose model server has limits, and calls for several tasks at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { GovernorAsk, SUBJECTS } from '@cadre/contracts';
import { serveRequests, steadyClock } from '@cadre/messaging';
import { startNatsServer } from '@cadre/nats-server';
import { ModelGovernor } from '@cadre/scheduling';
import { MemoryGovernorStore } from '@cadre/scheduling/testing';
import { startWorker } from './start-worker.js';
import { ScriptedOwner, until, WorkerStage } from './testing/index.js';
import type { ChatReply, ChatRequest } from './testing/index.js';
import type { WorkerOptions } from './worker-options.js';

const RUN = 'r00-01890000-0000-7000-8000-000000000001';
const tasks = (count: number) => Array.from({ length: count }, (_, n) => `t${n}`);
const limits = (of: object) => ({ MODEL_LIMITS: JSON.stringify(of), CADRE_SLOTS: '8' });

let stage: WorkerStage;
let owner: ScriptedOwner;

beforeAll(async () => {
  stage = await WorkerStage.open(await startNatsServer({ syncAlways: false }));
}, 60_000);
afterAll(() => stage?.close());
beforeEach(() => {
  owner = new ScriptedOwner();
  stage.begin((request) => owner.answer(request));
});
afterEach(() => stage.end());

function serveGovernor() {
  const store = new MemoryGovernorStore(() => performance.now());
  const governor = new ModelGovernor({ store, clock: steadyClock, term: 't' }, { granted: () => undefined });
  return serveRequests(stage.nats, SUBJECTS.modelGovernor, {}, (request) => governor.ask(GovernorAsk.parse(request)));
}

test('calls wait for the allowance, and none of them is refused', async () => {
  const endpoint = serveGovernor();
  const arrivals: number[] = [];
  stage.model.chat = () => {
    arrivals.push(performance.now());
    return { text: '{"answer":"Done.","confidence":0.7}' };
  };
  const worker = await stage.worker({}, limits({ 'cadre-sim-1': { requestsPerMinute: 240 } }));
  const began = performance.now();
  stage.offer(RUN, tasks(8));
  await until(() => owner.of('CompleteAttempt').length === 8);
  // Four a second, beside what is saved up of half a second.
  expect(arrivals).toHaveLength(8);
  expect(arrivals.at(-1)! - began).toBeGreaterThan(1000);
  const settled = owner.commands.flatMap((command) => ('settle' in command ? command.settle : []));
  expect(settled.map(({ outcome }) => outcome)).toEqual(Array(8).fill('done'));
  const metrics = await (await fetch(`${worker.url}/metrics`)).text();
  expect(metrics).toMatch(/cadre_model_wait_seconds_count\{[^}]*outcome="granted"[^}]*\} 8/);
  await endpoint.stop();
});

test('a call that waits when its time is up was never made and costs nothing', async () => {
  stage.model.chat = () => Promise.reject(new Error('it was called'));
  const agents = [{ name: 'generalist', description: 'd', skills: ['general'], instructions: 'Help.', tools: [], limits: { maxMs: 600 } }];
  await stage.worker({ agents }, limits({ '*': { requestsPerMinute: 60 } }));
  stage.offer(RUN, ['a']);
  await until(() => owner.of('FailAttempt').length === 1);
  const [failed] = owner.of('FailAttempt');
  expect(failed?.error.code).toBe('time-limit');
  expect(failed?.settle).toMatchObject([{ outcome: 'failed', costMicros: 0 }]);
});

test('an agent that does not want to wait goes on with its cheaper model and less effort, and its result says so', async () => {
  const endpoint = serveGovernor();
  stage.model.chat = () => ({ text: '{"answer":"Done.","confidence":0.7}' });
  const underLoad = { waitMs: 1000, model: 'gpt-5-nano', effort: 'low' as const };
  const agents = [{ name: 'generalist', description: 'd', skills: ['general'], instructions: 'Help.', tools: [], underLoad }];
  await stage.worker({ agents }, limits({ 'cadre-sim-1': { requestsPerMinute: 1 } }));
  stage.offer(RUN, tasks(2));
  await until(() => owner.of('CompleteAttempt').length === 2);
  const degraded = owner.of('CompleteAttempt').filter(({ result }) => result.degradedTo !== undefined);
  expect(degraded.map(({ result }) => [result.degradedTo, result.reducedTo])).toEqual([['gpt-5-nano', { effort: 'low' }]]);
  const settled = owner.commands.flatMap((command) => ('settle' in command ? command.settle : []));
  expect(settled.filter(({ outcome }) => outcome === 'failed')).toMatchObject([
    { costMicros: 0, note: expect.stringContaining('model-busy') as string },
  ]);
  await endpoint.stop();
});

test('of models without limits nothing is asked', async () => {
  let asked = 0;
  const listening = stage.nats.subscribe(SUBJECTS.modelGovernor, { callback: () => void (asked += 1) });
  stage.model.chat = () => ({ text: '{"answer":"Done.","confidence":0.7}' });
  await stage.worker({}, limits({ other: { requestsPerMinute: 1 } }));
  stage.offer(RUN, ['a']);
  await until(() => owner.of('CompleteAttempt').length === 1);
  await sleep(100);
  listening.unsubscribe();
  expect(asked).toBe(0);
});

test.each([['{"*": 5}'], ['{'], ['{"*": {}}'], ['{"*": {"requestsPerMinute": 0}}'], ['{"*": {"rpm": 5}}']])(
  'limits that are none (%s) are told at the start',
  async (text) => {
    await expect(stage.worker({}, { MODEL_LIMITS: text })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('must be JSON like {"*": {"requestsPerMinute": 600') as string,
    });
  },
);

describe('an agent that batches', () => {
  const batch = { maxTasks: 20, waitMs: 150 };
  const agents: WorkerOptions['agents'] = [
    { name: 'generalist', description: 'd', skills: ['general'], instructions: 'Help. '.repeat(100), tools: [], batch },
  ];
  /** The ids of the tasks of each call; none of them may be missing. */
  const answerAll = (calls: string[][]) => (request: ChatRequest) => {
    const user = JSON.parse(request.messages.at(-1)!.content) as {
      task: { id: string };
      tasks?: { number: number; task: { id: string } }[];
    };
    const given = user.tasks ?? [{ number: 1, task: user.task }];
    calls.push(given.map(({ task }) => task.id).sort());
    const answers = given.map(({ number, task }) => ({ task: number, answer: `of ${task.id}`, confidence: 0.7 }));
    return { text: JSON.stringify(user.tasks ? { answers } : { answer: `of ${user.task.id}`, confidence: 0.7 }) };
  };
  const answers = () =>
    owner.of('CompleteAttempt').map(({ runId, taskId, result }) => [runId, taskId, 'text' in result.answer && result.answer.text]);

  test('asks once for all that is at hand of a run, and each attempt settles its part of the bill; the governor lets one call go', async () => {
    const endpoint = serveGovernor();
    const calls: string[][] = [];
    stage.model.chat = answerAll(calls);
    const worker = await stage.worker({ agents }, limits({ '*': { requestsPerMinute: 60 } }));
    stage.offer(RUN, tasks(5));
    await until(() => owner.of('CompleteAttempt').length === 5);
    expect(calls).toEqual([tasks(5)]);
    expect(answers().sort()).toEqual(tasks(5).map((id) => [RUN, id, `of ${id}`]));
    const reserved = owner.of('RecordCalls').flatMap(({ reserve }) => reserve);
    const settled = owner.of('CompleteAttempt').flatMap(({ settle }) => settle);
    expect(new Set(reserved.map(({ key }) => key)).size).toBe(5);
    expect(settled.map(({ key, outcome }) => [key, outcome]).sort()).toEqual(reserved.map(({ key }) => [key, 'done']).sort());
    const total = (count: 'inputTokens' | 'outputTokens' | 'costMicros') => settled.reduce((sum, call) => sum + call[count], 0);
    expect([total('inputTokens'), total('outputTokens'), total('costMicros')]).toEqual([100, 10, 14]);
    const metrics = await (await fetch(`${worker.url}/metrics`)).text();
    expect(metrics).toMatch(/cadre_model_wait_seconds_count\{[^}]*outcome="granted"[^}]*\} 1/);
    await endpoint.stop();
  });

  test('never asks for tasks of different runs together', async () => {
    const calls: string[][] = [];
    stage.model.chat = answerAll(calls);
    await stage.worker({ agents }, { CADRE_SLOTS: '8' });
    const other = RUN.replace(/1$/, '2');
    stage.offer(RUN, ['a', 'b']);
    stage.offer(other, ['c', 'd']);
    await until(() => owner.of('CompleteAttempt').length === 4);
    expect(calls.sort()).toEqual(
      [
        ['a', 'b'],
        ['c', 'd'],
      ].sort(),
    );
    expect(answers().sort()).toEqual([
      [RUN, 'a', 'of a'],
      [RUN, 'b', 'of b'],
      [other, 'c', 'of c'],
      [other, 'd', 'of d'],
    ]);
  });

  test('a cancelled attempt leaves the others their call', async () => {
    const calls: string[][] = [];
    let answer: (reply: ChatReply) => void = () => undefined;
    stage.model.chat = (request) => {
      const reply = answerAll(calls)(request);
      return new Promise((resolve) => (answer = () => resolve(reply)));
    };
    await stage.worker({ agents }, { CADRE_SLOTS: '8' });
    stage.offer(RUN, tasks(3));
    await until(() => calls.length === 1);
    const cancelled = { runId: RUN, taskId: 't1', attempt: 1, runCancelled: true };
    stage.nats.publish(SUBJECTS.cancels(stage.lastBeat().workerId), JSON.stringify({ attempts: [cancelled] }));
    await until(() => owner.of('FailAttempt').length === 1);
    expect(owner.of('FailAttempt')[0]).toMatchObject({ taskId: 't1', error: { code: 'cancelled' }, settle: [{ outcome: 'unknown' }] });
    answer({});
    await until(() => owner.of('CompleteAttempt').length === 2);
    expect(answers().sort()).toEqual([
      [RUN, 't0', 'of t0'],
      [RUN, 't2', 'of t2'],
    ]);
  });

  test('may be code: what is at hand is done in one go, an error for one fails that one, and an error of the whole fails all', async () => {
    const seen: string[][] = [];
    const coder = { name: 'coder', description: 'd', skills: ['s'], instructions: 'i', tools: [], batch };
    await stage.worker(
      {
        agents: [...agents, coder],
        batchPerformers: {
          coder: async (works) => {
            const ids = works.map(({ assignment }) => assignment.taskId).sort();
            seen.push(ids);
            if (ids.includes('spoilt')) throw new Error('all is lost');
            return works.map(({ assignment: { taskId } }) => (taskId === 't1' ? new Error('no t1') : { answer: taskId, confidence: 1 }));
          },
        },
      },
      { CADRE_SLOTS: '8' },
    );
    stage.offer(RUN, tasks(3), 1, 'coder');
    await until(() => owner.of('CompleteAttempt').length === 2 && owner.of('FailAttempt').length === 1);
    expect(owner.of('FailAttempt')[0]).toMatchObject({
      taskId: 't1',
      error: { code: 'attempt-failed', message: 'no t1', retriable: true },
    });
    stage.offer(RUN, ['a', 'spoilt'], 1, 'coder');
    await until(() => owner.of('FailAttempt').length === 3);
    // What is tried again is done alone.
    stage.offer(RUN, ['a', 'b'], 2, 'coder');
    await until(() => owner.of('CompleteAttempt').length === 4);
    // Also while others wait for company: it does not join them.
    stage.offer(RUN, ['c'], 1, 'coder');
    stage.offer(RUN, ['spoilt'], 2, 'coder');
    await until(() => owner.of('CompleteAttempt').length === 5 && owner.of('FailAttempt').length === 4);
    expect(seen.map((ids) => ids.join())).toEqual(['t0,t1,t2', 'a,spoilt', 'a', 'b', 'spoilt', 'c']);
  });

  test.each<[string, Partial<WorkerOptions>, RegExp]>([
    ['with tools', { agents: [{ ...agents[0]!, tools: ['read_file'] }] }, /batch is for agents without tools/],
    ['by code for one', { agents, performers: { generalist: async () => ({ answer: '', confidence: 1 }) } }, /needs a batch performer/],
    [
      'by code, without a number',
      { agents: [{ ...agents[0]!, batch: undefined }], batchPerformers: { generalist: async () => [] } },
      /say batch/,
    ],
  ])('is refused where it cannot: %s', async (_, options, why) => {
    const started = startWorker({ specialty: 'x', agents: [], ownsProcess: false, env: {}, ...options });
    await expect(started).rejects.toMatchObject({ code: 'agent-invalid', message: expect.stringMatching(why) as string });
  });
});
