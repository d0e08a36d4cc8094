import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Heartbeat, SUBJECTS } from '@cadre/contracts';
import type { Offer } from '@cadre/contracts';
import { JetStreamBlobs, ensureTopology } from '@cadre/event-log';
import { connectNats, serveRequests } from '@cadre/messaging';
import { startNatsServer } from '@cadre/nats-server';
import type { RunningNatsServer } from '@cadre/nats-server';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { startWorker } from './start-worker.js';
import { ChatServer, ScriptedOwner } from './testing/index.js';
import type { ChatReply, ChatRequest } from './testing/index.js';
import type { ToolFactory, WorkerOptions } from './worker-options.js';

const RUN = 'r00-01890000-0000-7000-8000-000000000001';

let natsServer: RunningNatsServer;
let nats: NatsConnection;
let blobs: JetStreamBlobs;
let model: ChatServer;
let workDir: string;
let owner: ScriptedOwner;
let beats: Heartbeat[];
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  natsServer = await startNatsServer({ syncAlways: false });
  nats = await connectNats({ url: natsServer.url, name: 'spec' });
  await ensureTopology(nats, { shards: 1 });
  blobs = await JetStreamBlobs.open(nats);
  model = await ChatServer.start();
}, 60_000);
afterAll(async () => {
  await model?.stop();
  blobs?.close();
  await nats?.close();
  await natsServer?.stop();
});

beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), 'worker-spec-'));
  owner = new ScriptedOwner();
  beats = [];
  const endpoint = serveRequests(nats, SUBJECTS.shardCommands(0), {}, (request) => owner.answer(request));
  const listening = nats.subscribe(SUBJECTS.heartbeats, { callback: (_, message) => void beats.push(Heartbeat.parse(message.json())) });
  cleanups.push(
    () => endpoint.stop(),
    async () => listening.unsubscribe(),
    async () => rmSync(workDir, { recursive: true, force: true }),
  );
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startedWorker(options: Partial<WorkerOptions> = {}, env: Record<string, string> = {}) {
  const worker = await startWorker({
    specialty: 'generalist',
    agents: [
      {
        name: 'generalist',
        description: 'd',
        skills: ['general'],
        instructions: 'Help.',
        tools: ['write_file', 'read_file', 'list_files', 'wait'],
      },
    ],
    ownsProcess: false,
    env: {
      NATS_URL: natsServer.url,
      LOG_LEVEL: 'silent',
      OPENAI_BASE_URL: model.baseUrl,
      CADRE_WORK_DIR: workDir,
      ...env,
    },
    ...options,
  });
  cleanups.push(() => worker.stop());
  await until(() => beats.some((beat) => beat.state === 'idle'));
  return worker;
}

async function until(holds: () => boolean, ms = 10_000): Promise<void> {
  for (const end = Date.now() + ms; !holds();) {
    if (Date.now() > end) throw new Error(`it did not become true within ${ms} ms: ${holds}`);
    await sleep(10);
  }
}

const lastBeat = () => beats.at(-1)!;
function offer(...tasks: string[]): void {
  const { workerId, epoch } = lastBeat();
  const offers: Offer[] = tasks.map((taskId) => ({ runId: RUN, taskId, attempt: 1, agent: 'generalist', priority: 'medium' }));
  nats.publish(SUBJECTS.offers(workerId, epoch), JSON.stringify({ offers }));
}
/** A worker takes no offer beyond its slots, so a test that offers one after the other waits for the slot. */
const untilIdle = () => until(() => lastBeat().state === 'idle' && lastBeat().held.length === 0);
const cancel = (taskId: string) =>
  nats.publish(SUBJECTS.cancels(lastBeat().workerId), JSON.stringify({ attempts: [{ runId: RUN, taskId, attempt: 1 }] }));
const done = (answer = 'Done.'): ChatReply => ({ text: JSON.stringify({ answer, confidence: 0.7 }) });
const forever = () => new Promise<ChatReply>(() => undefined);

test('works on an offer: workspace, tools, calls before the result, artifacts as blobs, trace, nothing left behind', async () => {
  const input = { ...(await blobs.put(Buffer.from('a,b\n1,2'), 'text/csv')), name: 'data.csv' };
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
  model.chat = (body) => (seen.push(body), turns[seen.length - 1]!);
  const worker = await startedWorker();
  offer('a');
  await until(() => owner.of('CompleteAttempt').length > 0);
  const [complete] = owner.of('CompleteAttempt');
  expect(complete?.result).toMatchObject({ confidence: 0.7, artifacts: [{ name: 'out/result.md', mediaType: 'text/markdown', size: 3 }] });
  expect(complete?.result.usage).toEqual({ modelCalls: 3, toolCalls: 3, inputTokens: 300, outputTokens: 30, costMicros: 42 });
  const { answer } = complete!.result;
  expect('ref' in answer && [Buffer.from(await blobs.get(answer.ref)).toString().length, answer.preview.length]).toEqual([20_000, 400]);
  const calls = owner.of('RecordCalls').flatMap((command) => command.calls);
  expect(calls.map(({ n, kind, name, ok }) => [n, kind, name, ok])).toEqual([
    [1, 'model', 'cadre-sim-1', true],
    [2, 'tool', 'read_file', true],
    [3, 'tool', 'secret', false],
    [4, 'model', 'cadre-sim-1', true],
    [5, 'tool', 'write_file', true],
    [6, 'model', 'cadre-sim-1', true],
  ]);
  expect(owner.commands.at(-1)?.type).toBe('CompleteAttempt');
  expect(complete?.traceparent).toContain('a'.repeat(32));
  expect(seen[1]?.messages.at(-2)?.content).toContain('1,2');
  await until(() => lastBeat().state === 'idle' && lastBeat().held.length === 0);
  expect(readdirSync(workDir)).toEqual([]);
  const metrics = await (await fetch(`${worker.url}/metrics`)).text();
  expect(metrics).toMatch(/cadre_attempts_total\{agent="generalist",outcome="completed".*\} 1/);
  expect(metrics).toMatch(/cadre_tool_calls_total\{tool="other",outcome="failed".*\} 1/);
});

test('announces its life: initializing, idle, running with what it holds, terminated', async () => {
  let release = () => undefined as void;
  model.chat = () => new Promise((resolve) => (release = () => resolve(done())));
  const worker = await startedWorker();
  offer('a');
  await until(() => lastBeat().state === 'running');
  expect(lastBeat()).toMatchObject({ specialty: 'generalist', slots: 2, held: [{ runId: RUN, taskId: 'a', attempt: 1 }] });
  expect(lastBeat().agents).toEqual([{ name: 'generalist', description: 'd', skills: ['general'], model: 'cadre-sim-1' }]);
  const count = beats.length;
  await sleep(1000);
  expect(beats.length - count).toBeGreaterThanOrEqual(3);
  release();
  await until(() => lastBeat().state === 'idle');
  await worker.stop();
  await until(() => lastBeat().state === 'terminated');
  const states = beats.map((beat) => beat.state).filter((state, index, all) => state !== all[index - 1]);
  expect(states[0]).toBe('initializing');
  expect(states.slice(-3)).toEqual(['running', 'idle', 'terminated']);
  expect(beats.map((beat) => beat.seq)).toEqual(beats.map((_, index) => index));
});

test('takes no more than it has slots, nothing twice, nothing for agents that it does not have', async () => {
  model.chat = forever;
  await startedWorker();
  offer('a', 'a', 'b', 'c');
  nats.publish(
    SUBJECTS.offers(lastBeat().workerId, lastBeat().epoch),
    JSON.stringify({ offers: [{ runId: RUN, taskId: 'd', attempt: 1, agent: 'stranger', priority: 'low' }] }),
  );
  await until(() => owner.of('StartAttempt').length === 2);
  await sleep(100);
  expect(owner.of('StartAttempt').map((command) => command.taskId)).toEqual(['a', 'b']);
  cancel('a');
  cancel('b');
  await until(() => lastBeat().held.length === 0);
});

test('malformed messages are dropped and change nothing', async () => {
  model.chat = () => done();
  await startedWorker();
  const { workerId, epoch } = lastBeat();
  for (const body of ['', '{', '[]', '{"offers":[]}', '{"offers":[{"runId":"../x"}]}']) {
    nats.publish(SUBJECTS.offers(workerId, epoch), body);
    nats.publish(SUBJECTS.cancels(workerId), body);
  }
  offer('a');
  await until(() => owner.of('CompleteAttempt').length === 1);
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
  model.chat = forever;
  await startedWorker();
  offer('a');
  await until(() => lastBeat().held.length === 1 && owner.of('StartAttempt').length === 1);
  await sleep(50);
  cancel('a');
  await until(() => lastBeat().held.length === 0, 2000);
  expect(owner.commands.map((command) => command.type)).toEqual(['StartAttempt']);
  expect(readdirSync(workDir)).toEqual([]);
});

test('a refused record aborts the attempt', async () => {
  owner.reply = (command) =>
    command.type === 'RecordCalls' ? { outcome: 'rejected', code: 'attempt-closed', message: 'closed' } : undefined;
  let asked = 0;
  model.chat = () => (++asked === 1 ? { calls: [{ name: 'list_files', args: {} }] } : forever());
  await startedWorker();
  offer('a');
  await until(() => owner.of('RecordCalls').length === 1 && lastBeat().held.length === 0);
  expect(owner.commands.map((command) => command.type)).toEqual(['StartAttempt', 'RecordCalls']);
});

test("the attempt's deadline is kept here too", async () => {
  model.chat = forever;
  owner.assignment = { deadlineAt: Date.now() + 1500 };
  await startedWorker();
  offer('a');
  await until(() => owner.of('FailAttempt').length === 1);
  expect(owner.of('FailAttempt')[0]).toMatchObject({ error: { code: 'time-limit', retriable: true }, usage: { modelCalls: 1 } });
});

test('model errors are failures with their type; the worker lives on', async () => {
  model.chat = () => ({ text: 'not JSON' });
  await startedWorker();
  offer('a');
  await until(() => owner.of('FailAttempt').length === 1);
  expect(owner.of('FailAttempt')[0]).toMatchObject({
    error: { code: 'malformed-output' },
    usage: { modelCalls: 3, inputTokens: 300, outputTokens: 30, costMicros: 42 },
  });
  model.chat = () => done();
  await untilIdle();
  offer('b');
  await until(() => owner.of('CompleteAttempt').length === 1);
});

test('a tool factory that throws, a missing blob and a refused result are failures of their attempt only', async () => {
  model.chat = () => done();
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
    model.chat = () => (++asked === 1 ? { calls: [{ name: 'wait', args: {} }] } : done());
    const worker = await startedWorker({ tools: waitTool(() => void (closed += 1)) }, { SHUTDOWN_GRACE_MS: '700' });
    offer('a');
    await until(() => owner.of('RecordCalls').length === 1);
    const stopping = worker.stop();
    await until(() => lastBeat().slots === 0);
    expect(lastBeat()).toMatchObject({ state: 'running', held: [{ taskId: 'a' }] });
    offer('b');
    await stopping;
    expect(owner.of('ReleaseAttempt')).toMatchObject([{ taskId: 'a', usage: { modelCalls: 1, inputTokens: 100 } }]);
    expect(owner.of('StartAttempt')).toHaveLength(1);
    expect(closed).toBe(1);
    expect(readdirSync(workDir)).toEqual([]);
    await until(() => lastBeat().state === 'terminated');
    expect(lastBeat().held).toEqual([]);
  });

  test('what can finish does', async () => {
    model.chat = async () => (await sleep(600), done());
    const worker = await startedWorker();
    offer('a');
    await until(() => owner.of('StartAttempt').length === 1);
    await worker.stop();
    expect(owner.commands.at(-1)?.type).toBe('CompleteAttempt');
  });

  test('an owner that does not answer holds nobody for ever', async () => {
    model.chat = forever;
    owner.reply = (command) => (command.type === 'StartAttempt' ? undefined : { outcome: 'unavailable', message: 'not now' });
    const worker = await startedWorker({}, { SHUTDOWN_GRACE_MS: '0' });
    offer('a');
    await until(() => owner.of('StartAttempt').length === 1);
    const started = Date.now();
    await worker.stop();
    expect(Date.now() - started).toBeLessThan(6000);
  });
});

test('wrong settings are told all at once', async () => {
  await expect(
    startWorker({ specialty: 'x', agents: [], ownsProcess: false, env: { OPENAI_BASE_URL: 'nope', CADRE_SLOTS: '0' } }),
  ).rejects.toMatchObject({ code: 'config-invalid', message: expect.stringMatching(/OPENAI_BASE_URL.*CADRE_SLOTS/s) });
});
