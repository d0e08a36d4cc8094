import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SUBJECTS } from '@cadre/contracts';
import { startNatsServer } from '@cadre/nats-server';
import { z } from 'zod';
import { ScriptedOwner, until, WorkerStage } from './testing/index.js';
import type { ChatReply, ChatRequest } from './testing/index.js';
import type { ToolFactory } from './worker-options.js';

const RUN = 'r00-01890000-0000-7000-8000-000000000001';

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

const startedWorker: WorkerStage['worker'] = (options, env) => stage.worker(options, env);
const lastBeat = () => stage.lastBeat();
const offer = (...tasks: string[]) => stage.offer(RUN, tasks);
/** A worker takes no offer beyond its slots, so a test that offers one after the other waits for the slot. */
const untilIdle = () => until(() => lastBeat().state === 'idle' && lastBeat().held.length === 0);
const cancel = (taskId: string, more: { runCancelled?: true } = {}) =>
  stage.nats.publish(SUBJECTS.cancels(lastBeat().workerId), JSON.stringify({ attempts: [{ runId: RUN, taskId, attempt: 1, ...more }] }));
const done = (answer = 'Done.'): ChatReply => ({ text: JSON.stringify({ answer, confidence: 0.7 }) });
const forever = () => new Promise<ChatReply>(() => undefined);

test('works on an offer: workspace, tools, calls before the result, artifacts as blobs, trace, nothing left behind', async () => {
  const input = { ...(await stage.blobs.put(Buffer.from('a,b\n1,2'), 'text/csv')), name: 'data.csv' };
  owner.assignment = { inputs: [input] };
  const turns: ChatReply[] = [
    {
      calls: [
        { name: 'read_file', args: { path: 'inputs/data.csv' } },
        { name: 'secret', args: {} },
      ],
    },
    { calls: [{ name: 'write_file', args: { path: 'out/result.md', text: '# R' } }] },
    done('x'.repeat(20_000)),
  ];
  const seen: ChatRequest[] = [];
  stage.model.chat = (body) => (seen.push(body), turns[seen.length - 1]!);
  const worker = await startedWorker();
  offer('a');
  await until(() => owner.of('CompleteAttempt').length > 0);
  const [complete] = owner.of('CompleteAttempt');
  expect(complete?.result).toMatchObject({ confidence: 0.7, artifacts: [{ name: 'out/result.md', mediaType: 'text/markdown', size: 3 }] });
  const { answer } = complete!.result;
  expect('ref' in answer && [Buffer.from(await stage.blobs.get(answer.ref)).toString().length, answer.preview.length]).toEqual([
    20_000, 400,
  ]);
  const reserved = owner.of('RecordCalls').flatMap((command) => command.reserve);
  expect(reserved.map(({ kind, name, effect, maxCostMicros }) => [kind, name, effect, maxCostMicros > 0])).toEqual([
    ['model', 'cadre-sim-1', undefined, true],
    ['tool', 'read_file', undefined, false],
    ['model', 'cadre-sim-1', undefined, true],
    ['tool', 'write_file', undefined, false],
    ['model', 'cadre-sim-1', undefined, true],
  ]);
  const settled = [...owner.of('RecordCalls'), complete!].flatMap((command) => command.settle);
  expect(settled.map(({ key, try: number, outcome, ok }) => [key, number, outcome, ok])).toEqual(
    reserved.map(({ key }) => [key, 1, 'done', true]),
  );
  expect(settled.map(({ inputTokens, outputTokens, costMicros }) => [inputTokens, outputTokens, costMicros])).toEqual([
    [100, 10, 14],
    [0, 0, 0],
    [100, 10, 14],
    [0, 0, 0],
    [100, 10, 14],
  ]);
  expect(settled.map(({ files = [] }) => files.map(({ name }) => name))).toEqual([[], [], [], ['out/result.md'], []]);
  expect(settled.map(({ body }) => body && ('text' in body ? 'text' : 'ref'))).toEqual(['text', 'text', 'text', 'text', 'ref']);
  expect(owner.of('StartAttempt')[0]?.tools).toEqual(['write_file', 'read_file', 'list_files', 'wait']);
  expect(owner.commands.at(-1)?.type).toBe('CompleteAttempt');
  expect(seen[1]?.messages.at(-2)?.content).toContain('1,2');
  await until(() => lastBeat().state === 'idle' && lastBeat().held.length === 0 && readdirSync(stage.workDir).length === 0);
  const metrics = await (await fetch(`${worker.url}/metrics`)).text();
  expect(metrics).toMatch(/cadre_attempts_total\{agent="generalist",outcome="completed".*\} 1/);
  expect(metrics).toMatch(/cadre_tool_calls_total\{tool="write_file",outcome="ok".*\} 1/);
});

test('announces its life: initializing, idle, running with what it holds, terminated', async () => {
  let release = () => undefined as void;
  stage.model.chat = () => new Promise((resolve) => (release = () => resolve(done())));
  const worker = await startedWorker();
  offer('a');
  await until(() => lastBeat().state === 'running');
  expect(lastBeat()).toMatchObject({ specialty: 'generalist', slots: 2, held: [{ runId: RUN, taskId: 'a', attempt: 1 }] });
  const tools = ['write_file', 'read_file', 'list_files', 'wait'];
  expect(lastBeat().agents).toEqual([{ name: 'generalist', description: 'd', skills: ['general'], model: 'cadre-sim-1', tools }]);
  const count = stage.beats.length;
  await sleep(1000);
  expect(stage.beats.length - count).toBeGreaterThanOrEqual(3);
  release();
  await until(() => lastBeat().state === 'idle');
  await worker.stop();
  await until(() => lastBeat().state === 'terminated');
  const states = stage.beats.map((beat) => beat.state).filter((state, index, all) => state !== all[index - 1]);
  expect(states[0]).toBe('initializing');
  expect(states.slice(-3)).toEqual(['running', 'idle', 'terminated']);
  expect(stage.beats.map((beat) => beat.seq)).toEqual(stage.beats.map((_, index) => index));
});

test('begins no more than it has slots, nothing twice, nothing for agents that it does not have', async () => {
  stage.model.chat = forever;
  await startedWorker();
  offer('a', 'a', 'b', 'c');
  stage.nats.publish(
    SUBJECTS.offers(lastBeat().workerId, lastBeat().epoch),
    JSON.stringify({
      offers: [{ runId: RUN, taskId: 'd', attempt: 1, agent: 'stranger', turn: { tenant: 'default', atWork: 1, urgency: 2 } }],
    }),
  );
  await until(() => owner.of('StartAttempt').length === 2);
  await sleep(100);
  expect(owner.of('StartAttempt').map((command) => command.taskId)).toEqual(['a', 'b']);
  // What waits for a slot is cancelled first, or it would begin.
  for (const task of ['c', 'a', 'b']) cancel(task);
  await until(() => lastBeat().held.length === 0);
  expect(owner.of('StartAttempt')).toHaveLength(2);
});

test('malformed messages are dropped and change nothing', async () => {
  stage.model.chat = () => done();
  await startedWorker();
  const { workerId, epoch } = lastBeat();
  for (const body of ['', '{', '[]', '{"offers":[]}', '{"offers":[{"runId":"../x"}]}']) {
    stage.nats.publish(SUBJECTS.offers(workerId, epoch), body);
    stage.nats.publish(SUBJECTS.cancels(workerId), body);
  }
  offer('a');
  await until(() => owner.of('CompleteAttempt').length === 1);
});

test('would go on with what its result makes ready, but not while the scheduler tells of a backlog', async () => {
  stage.model.chat = () => done();
  await startedWorker();
  const wouldGoOn = async (taskId: string) => {
    offer(taskId);
    await until(() => owner.of('CompleteAttempt').some((command) => command.taskId === taskId));
    await untilIdle();
    return owner.of('CompleteAttempt').find((command) => command.taskId === taskId)?.next?.agent;
  };
  expect(await wouldGoOn('a')).toBe('generalist');
  stage.nats.publish(SUBJECTS.backlog, JSON.stringify({ agents: ['generalist'] }));
  expect(await wouldGoOn('b')).toBeUndefined();
  await sleep(1000);
  expect(await wouldGoOn('c')).toBe('generalist');
});

test('an attempt that somebody else has is dropped', async () => {
  owner.reply = () => ({ outcome: 'rejected', code: 'attempt-taken', message: 'taken' });
  await startedWorker();
  offer('a');
  await until(() => owner.commands.length === 1 && lastBeat().held.length === 0);
  await sleep(50);
  expect(owner.commands).toHaveLength(1);
});

test('a cancelled attempt stops at once and is not reported', async () => {
  stage.model.chat = forever;
  await startedWorker();
  offer('a');
  await until(() => lastBeat().held.length === 1 && owner.of('StartAttempt').length === 1);
  await sleep(50);
  cancel('a');
  await until(() => lastBeat().held.length === 0, 2000);
  expect(owner.commands.map((command) => command.type)).toEqual(['StartAttempt', 'RecordCalls']);
  expect(readdirSync(stage.workDir)).toEqual([]);
});

test('an attempt of a cancelled run stops its call and its process at once, settles, and says so', async () => {
  let begun = 0;
  let aborted = 0;
  stage.model.chat = () => ({ calls: [{ name: 'wait', args: {} }] });
  await startedWorker({
    tools: () => [
      {
        ...{ name: 'wait', description: 'd', effect: 'idempotent', parameters: z.strictObject({}) },
        run: (_, { signal }) => {
          begun += 1;
          return new Promise(() => signal.addEventListener('abort', () => (aborted += 1)));
        },
      },
    ],
  });
  offer('a');
  // Cancelled between the grant and the call it would be settled as not made.
  await until(() => begun === 1);
  cancel('a', { runCancelled: true });
  await until(() => owner.of('FailAttempt').length === 1, 2000);
  const [fail] = owner.of('FailAttempt');
  expect(fail).toMatchObject({ error: { code: 'cancelled', retriable: false }, fresh: false, settle: [{ outcome: 'unknown' }] });
  expect(aborted).toBe(1);
});

test('a refused record aborts the attempt', async () => {
  owner.reply = (command) =>
    command.type === 'RecordCalls' ? { outcome: 'rejected', code: 'attempt-closed', message: 'closed' } : undefined;
  let asked = 0;
  stage.model.chat = () => (++asked === 1 ? { calls: [{ name: 'list_files', args: {} }] } : forever());
  await startedWorker();
  offer('a');
  await until(() => owner.of('RecordCalls').length === 1 && lastBeat().held.length === 0);
  expect(owner.commands.map((command) => command.type)).toEqual(['StartAttempt', 'RecordCalls']);
});

test("the attempt's deadline is kept here too", async () => {
  stage.model.chat = forever;
  owner.assignment = { deadlineAt: Date.now() + 1500 };
  await startedWorker();
  offer('a');
  await until(() => owner.of('FailAttempt').length === 1);
  expect(owner.of('FailAttempt')[0]).toMatchObject({ error: { code: 'time-limit', retriable: true }, settle: [{ outcome: 'unknown' }] });
});

test('model errors are failures with their type; the worker lives on', async () => {
  stage.model.chat = () => ({ text: '{}' });
  await startedWorker();
  offer('a');
  await until(() => owner.of('FailAttempt').length === 1);
  expect(owner.of('FailAttempt')[0]).toMatchObject({
    error: { code: 'malformed-output' },
    fresh: true,
    settle: [{ outcome: 'done', inputTokens: 100, outputTokens: 10, costMicros: 14 }],
  });
  stage.model.chat = () => done();
  await untilIdle();
  offer('b');
  await until(() => owner.of('CompleteAttempt').length === 1);
});

test('a tool factory that throws, a missing blob and a refused result are failures of their attempt only', async () => {
  stage.model.chat = () => done();
  let broken = true;
  await startedWorker({
    tools: () => {
      if (broken) throw new Error('boom');
      return [];
    },
  });
  offer('a');
  await until(() => owner.of('FailAttempt').length === 1);
  expect(owner.of('FailAttempt')[0]?.error).toMatchObject({ code: 'attempt-failed', message: 'boom' });
  broken = false;
  owner.assignment = { inputs: [{ sha256: 'f'.repeat(64), size: 1, mediaType: 'text/csv', name: 'x.csv' }] };
  await untilIdle();
  offer('b');
  await until(() => owner.of('FailAttempt').length === 2);
  expect(owner.of('FailAttempt')[1]?.error.code).toBe('blob-missing');
  owner.assignment = {};
  owner.reply = (command) =>
    command.type === 'CompleteAttempt' ? { outcome: 'rejected', code: 'invalid-command', message: 'no' } : undefined;
  await untilIdle();
  offer('c');
  await until(() => owner.of('FailAttempt').length === 3);
  expect(owner.of('FailAttempt')[2]?.error).toMatchObject({ code: 'result-refused', retriable: false });
  owner.reply = () => undefined;
  owner.assignment = { kind: 'oops' as 'work' };
  await untilIdle();
  offer('d');
  await until(() => owner.of('FailAttempt').length === 4);
  expect(owner.of('FailAttempt')[3]?.error.code).toBe('assignment-invalid');
});

test('the context store: without a grant a clear error; the same call of a later attempt makes no second version', async () => {
  const put = { name: 'context_put', args: { name: 'notes/a.md', text: 'One.', tags: ['draft'], expects: 0 } };
  const answers: string[] = [];
  stage.model.chat = ({ messages }) => {
    const last = messages.at(-1)!;
    if (last.role === 'tool') answers.push(String(last.content));
    return last.role === 'tool' ? done() : { calls: [put] };
  };
  await startedWorker({ agents: [stage.agent(['context_put'])] });
  offer('a');
  await until(() => owner.of('CompleteAttempt').length === 1);
  expect(JSON.parse(answers[0]!)).toMatchObject({
    error: expect.stringContaining('generalist may not write notes/a.md in the context store. A person can allow it: cadre context grant'),
    refusal: { kind: 'forbidden', access: 'write' },
  });
  expect(owner.of('CompleteAttempt')[0]?.result.context).toBeUndefined();
  const shared = await stage.sharedContext();
  await shared.setGrants('default', 'generalist', [{ on: 'notes/', may: ['write'] }]);
  for (const attempt of [1, 2]) {
    await untilIdle();
    stage.offer(RUN, ['b'], attempt);
    await until(() => owner.of('CompleteAttempt').length === attempt + 1);
  }
  expect(owner.of('RecordCalls').flatMap(({ reserve }) => reserve.flatMap((call) => call.effect ?? []))).toEqual(
    Array(3).fill('idempotent'),
  );
  const kept = await shared.get({ tenant: 'default', by: { kind: 'user' } }, 'notes/a.md');
  const key = owner
    .of('RecordCalls')
    .flatMap(({ reserve }) => reserve)
    .findLast((call) => call.name === 'context_put')?.key;
  expect(kept.ok && kept.artifact.versions).toMatchObject([
    { version: 1, key, tags: ['draft'], by: { agent: 'generalist', runId: RUN, taskId: 'b', attempt: 1 } },
  ]);
  const { sha256 } = kept.ok ? kept.version.body : { sha256: '' };
  expect(answers.slice(1).map((text) => JSON.parse(text))).toEqual(Array(2).fill({ name: 'notes/a.md', version: 1, sha256 }));
  expect(owner.of('CompleteAttempt')[2]?.result.context).toEqual({ read: [], written: [{ artifact: 'notes/a.md', version: 1, sha256 }] });
});

describe('shutdown', () => {
  const waitTool =
    (onClose: () => void): ToolFactory =>
    (_, environment) => {
      environment.onClose(onClose);
      return [
        { name: 'wait', description: 'd', parameters: z.strictObject({}), effect: 'none', run: () => new Promise<never>(() => undefined) },
      ];
    };

  test('what cannot finish in time is handed back, closed and removed; beats go on until then', async () => {
    let closed = 0;
    let asked = 0;
    stage.model.chat = () => (++asked === 1 ? { calls: [{ name: 'wait', args: {} }] } : done());
    const worker = await startedWorker({ tools: waitTool(() => void (closed += 1)) }, { SHUTDOWN_GRACE_MS: '700' });
    offer('a');
    await until(() => owner.of('RecordCalls').length === 2);
    const stopping = worker.stop();
    await until(() => lastBeat().slots === 0);
    expect(lastBeat()).toMatchObject({ state: 'running', held: [{ taskId: 'a' }] });
    offer('b');
    await stopping;
    expect(owner.of('ReleaseAttempt')).toMatchObject([{ taskId: 'a', settle: [{ outcome: 'failed' }] }]);
    expect(owner.of('StartAttempt')).toHaveLength(1);
    expect(closed).toBe(1);
    expect(readdirSync(stage.workDir)).toEqual([]);
    await until(() => lastBeat().state === 'terminated');
    expect(lastBeat().held).toEqual([]);
  });

  test('what can finish does', async () => {
    stage.model.chat = async () => (await sleep(600), done());
    const worker = await startedWorker();
    offer('a');
    await until(() => owner.of('StartAttempt').length === 1);
    await worker.stop();
    expect(owner.commands.at(-1)?.type).toBe('CompleteAttempt');
  });

  test('an owner that does not answer holds nobody for ever', async () => {
    stage.model.chat = forever;
    owner.reply = (command) => (command.type === 'StartAttempt' ? undefined : { outcome: 'unavailable', message: 'not now' });
    const worker = await startedWorker({}, { SHUTDOWN_GRACE_MS: '0' });
    offer('a');
    await until(() => owner.of('StartAttempt').length === 1);
    const started = Date.now();
    await worker.stop();
    expect(Date.now() - started).toBeLessThan(30_000);
  });
});
