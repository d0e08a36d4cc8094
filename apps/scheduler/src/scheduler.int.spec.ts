import { randomUUID } from 'node:crypto';
import { Backlog, SUBJECTS } from '@cadre/contracts';
import { ensureTopology } from '@cadre/event-log';
import { connectNats } from '@cadre/messaging';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { startService, type RunningService } from '@cadre/service-kit';
import { jest } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import { SchedulerConfig } from './scheduler.config.js';
import { SchedulerModule } from './scheduler.module.js';
import { FakeWorker, type FakeWorkerOptions } from './testing/fake-worker.js';
import { TestOwner } from './testing/test-owner.js';

let server: RunningNatsServer;
let nats: NatsConnection;
let owner: TestOwner;
jest.setTimeout(60_000);

const services = new Set<RunningService>();
const workers = new Set<FakeWorker>();

beforeEach(async () => {
  server = await startNatsServer({ syncAlways: false });
  nats = await connectNats({ url: server.url, name: 'test' });
  await ensureTopology(nats, { shards: 1 });
  owner = await TestOwner.start(nats);
}, 60_000);

afterEach(async () => {
  const violations = await owner.violations().catch((error: { code?: string }) => (error.code === 'log-trimmed' ? [] : [error]));
  for (const worker of workers) worker.kill();
  await Promise.all([...services].map((service) => service.stop()));
  services.clear();
  workers.clear();
  await owner.stop();
  await nats.close();
  await server.stop();
  expect(violations).toEqual([]);
}, 60_000);

async function startScheduler(env: Record<string, string> = {}): Promise<RunningService> {
  const service = await startService({
    ...{ name: 'scheduler', schema: SchedulerConfig, ownsProcess: false },
    module: (context) => SchedulerModule.with(context),
    env: { NATS_URL: server.url, CADRE_PROFILE: 'fast', LOG_LEVEL: process.env['TEST_LOG'] ?? 'silent', ...env },
  });
  services.add(service);
  return service;
}

function startWorker(options: FakeWorkerOptions): FakeWorker {
  const worker = new FakeWorker(nats, options);
  workers.add(worker);
  return worker;
}

/** @returns how long it took, in milliseconds */
async function until(what: () => boolean | Promise<boolean>, withinMs = 40_000): Promise<number> {
  const began = Date.now();
  while (!(await what())) {
    if (Date.now() - began > withinMs) throw new Error(`it did not come about within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return Date.now() - began;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const metricsOf = async (service: RunningService) => (await fetch(`${service.url}/metrics`)).text();
const isLeader = async (service: RunningService) => /cadre_scheduler_leader\{[^}]*\} 1/.test(await metricsOf(service));
const statusOf = (runId: string) => owner.state.open[runId]?.status ?? owner.state.ended[runId]?.status;

async function finishAll(all: FakeWorker[], runIds: string[], withinMs = 60_000): Promise<void> {
  await until(async () => {
    for (const worker of all) for (const attempt of [...worker.held.values()]) await worker.complete(attempt).catch(() => undefined);
    return runIds.every((runId) => statusOf(runId) === 'completed');
  }, withinMs);
}

test('offers ready work once, as slots come free, until everything is done', async () => {
  const scheduler = await startScheduler();
  const all = [startWorker({ id: 'a', slots: 3 }), startWorker({ id: 'b', slots: 2 })];
  const runIds = await Promise.all(Array.from({ length: 6 }, () => owner.startRun([{}, {}, {}, { dependsOn: ['t0', 't1', 't2'] }])));
  await until(() => all.every((worker) => worker.held.size === (worker === all[0] ? 3 : 2)));
  await pause(600);
  expect(all.map((worker) => worker.offers.length)).toEqual([3, 2]);
  expect((await fetch(`${scheduler.url}/readyz`)).status).toBe(200);
  await finishAll(all, runIds);
  expect(all.map((worker) => worker.doubles)).toEqual([0, 0]);
  expect(all.reduce((sum, worker) => sum + worker.offers.length, 0)).toBe(24);
  expect(await metricsOf(scheduler)).toMatch(/cadre_offers_total\{[^}]*\} 24/);
  await until(async () => /cadre_workers\{state="idle"[^}]*\} 2/.test(await metricsOf(scheduler)));
});

test('tells the workers for whose slots ready work waits, as long as it does', async () => {
  const told: { at: number; agents: string[] }[] = [];
  nats.subscribe(SUBJECTS.backlog, {
    callback: (_error, message) => void told.push({ at: Date.now(), agents: Backlog.parse(message.json()).agents }),
  });
  await startScheduler();
  const worker = startWorker({ id: 'a', slots: 1 });
  const idle = startWorker({ id: 'b', skills: ['testing'], agent: 'tester' });
  const runId = await owner.startRun([{ skills: ['general'] }, { skills: ['general'] }]);
  await until(() => told.length >= 3);
  expect(told.every(({ agents }) => agents.join() === 'generalist')).toBe(true);
  expect(told[2]!.at - told[0]!.at).toBeGreaterThan(300);
  await finishAll([worker, idle], [runId]);
  await pause(400);
  const count = told.length;
  await pause(700);
  expect(told).toHaveLength(count);
});

test('the more urgent first; only to those that can; offers that are let pass go elsewhere', async () => {
  const skills = ['general'];
  const runId = await owner.startRun([{ priority: 'low', skills }, { priority: 'critical', skills }, { skills: ['testing'] }]);
  startWorker({ id: 'deaf', deaf: true, skills: ['testing'] });
  await startScheduler();
  const tester = startWorker({ id: 'tester', skills: ['testing'], agent: 'tester' });
  await until(() => tester.held.size === 1, 4000);
  expect(tester.offers[0]).toMatchObject({ taskId: 't2', agent: 'tester' });
  const general = startWorker({ id: 'general' });
  await until(() => general.held.size === 1);
  expect(general.offers[0]).toMatchObject({ runId, taskId: 't1', turn: { urgency: 0 } });
  general.state = 'paused';
  general.beat();
  await pause(100);
  await general.complete([...general.held.values()][0]!);
  await pause(500);
  expect(general.held.size).toBe(0);
  general.state = 'idle';
  await until(() => general.held.size === 1);
  expect(general.offers.at(-1)).toMatchObject({ taskId: 't0', turn: { urgency: 3 } });
});

test('a worker that dies is found within 5 s and its work goes to another; one that comes back anew is noticed sooner', async () => {
  const scheduler = await startScheduler();
  const first = startWorker({ id: 'first' });
  const runId = await owner.startRun([{ retry: { backoffMs: 0 } }]);
  await until(() => owner.state.open[runId]?.tasks['t0']?.status === 'running');
  first.kill();
  const second = startWorker({ id: 'second' });
  expect(await until(() => second.held.size === 1)).toBeLessThan(20_000);
  expect(owner.state.open[runId]?.tasks['t0']).toMatchObject({ attempt: 2, error: { message: expect.stringContaining('first') } });
  await until(() => owner.state.open[runId]?.tasks['t0']?.status === 'running');
  second.kill();
  const again = startWorker({ id: 'second' });
  expect(await until(() => again.held.size === 1)).toBeLessThan(20_000);
  await finishAll([again], [runId]);
  const metrics = await metricsOf(scheduler);
  expect(metrics).toMatch(/cadre_attempts_lost_total\{cause="silent"[^}]*\} 1/);
  // A machine that is slow to show the start to the scheduler makes it the second kind.
  expect(metrics).toMatch(/cadre_attempts_lost_total\{cause="(restarted|not-listed)"[^}]*\} 1/);
});

test('an attempt that its worker does not list is lost', async () => {
  await startScheduler();
  const worker = startWorker({ id: 'w' });
  const runId = await owner.startRun([{ retry: { backoffMs: 0 } }]);
  await until(() => owner.state.open[runId]?.tasks['t0']?.status === 'running');
  worker.held.clear();
  expect(await until(() => owner.state.open[runId]?.tasks['t0']?.attempt === 2)).toBeLessThan(20_000);
  await until(() => worker.held.size === 1);
});

test('a standby takes over within its time and offers nothing twice', async () => {
  const [one, two] = [await startScheduler(), await startScheduler()];
  await until(async () => (await isLeader(one)) || (await isLeader(two)));
  const [leader, standby] = (await isLeader(one)) ? [one, two] : [two, one];
  expect(await isLeader(standby)).toBe(false);
  const worker = startWorker({ id: 'w', slots: 2 });
  const runId = await owner.startRun([{}, {}, {}, {}]);
  await until(() => worker.held.size === 2);
  await owner.snapshotAndTrim();
  services.delete(leader);
  await leader.stop();
  const began = Date.now();
  for (const attempt of [...worker.held.values()]) await worker.complete(attempt);
  await until(() => worker.held.size === 2);
  expect(Date.now() - began).toBeLessThan(20_000);
  await finishAll([worker], [runId]);
  expect(worker.offers.map((offer) => offer.taskId)).toEqual(['t0', 't1', 't2', 't3']);
});

test('time that is up ends attempts and runs', async () => {
  const scheduler = await startScheduler();
  const worker = startWorker({ id: 'w', slots: 2 });
  const slow = await owner.startRun([{ timeoutMs: 500, retry: { maxAttempts: 1 } }]);
  const late = await owner.startRun([{ skills: ['nobody-has'] }], { deadlineMs: 1000 });
  expect(await until(() => statusOf(slow) === 'failed')).toBeLessThan(20_000);
  expect(await until(() => statusOf(late) === 'failed')).toBeLessThan(20_000);
  await until(() => worker.held.size === 0);
  expect(worker.cancelled.map((attempt) => attempt.runId)).toEqual([slow]);
  const metrics = await metricsOf(scheduler);
  expect(metrics).toMatch(/cadre_expired_total\{what="attempt"[^}]*\} 1/);
  expect(metrics).toMatch(/cadre_expired_total\{what="run"[^}]*\} 1/);
});

test('a cancelled run is taken from its workers', async () => {
  await startScheduler();
  const worker = startWorker({ id: 'w', slots: 2 });
  const [runId, other] = [await owner.startRun([{}]), await owner.startRun([{}])];
  await until(() => worker.held.size === 2);
  await owner.submit({ type: 'CancelRun', id: randomUUID(), runId, tenant: 'default', reason: 'not needed' });
  expect(await until(() => worker.held.size === 1)).toBeLessThan(20_000);
  expect(worker.cancelled.map((attempt) => attempt.runId)).toEqual([runId]);
  expect([...worker.held.values()][0]?.runId).toBe(other);
});

test('work that nobody can do is shown; nonsense on the wire changes nothing', async () => {
  const scheduler = await startScheduler({ UNMATCHED_MS: '300' });
  const worker = startWorker({ id: 'w' });
  for (const body of ['', 'x', '[]', '{"workerId":"w"}']) nats.publish(SUBJECTS.heartbeat('w'), body);
  const runId = await owner.startRun([{ skills: ['magic'] }, {}]);
  const shown = async () => (await (await fetch(`${scheduler.url}/unmatched`)).json()) as { leader: boolean; unmatched: object[] };
  await until(async () => (await shown()).unmatched.length === 1);
  expect(await shown()).toMatchObject({ leader: true, unmatched: [{ skills: ['magic'], count: 1, attempts: [{ runId, taskId: 't0' }] }] });
  expect(worker.held.size).toBe(1);
  const tensor = (await (await fetch(`${scheduler.url}/tensor`)).json()) as {
    labels: { agents: string[] };
    shape: number[];
    entries: number[][];
  };
  expect(tensor).toMatchObject({
    shape: [2, 1, 5],
    labels: { agents: ['generalist'], tasks: [{ runId, taskId: 't1' }, { taskId: 't0' }] },
  });
  const metrics = await metricsOf(scheduler);
  expect(metrics).toMatch(/cadre_unmatched_attempts\{[^}]*\} 1/);
  expect(metrics).toMatch(/cadre_heartbeats_malformed\{[^}]*\} 4/);
  expect(metrics).toMatch(/cadre_ready_attempts\{priority="medium"[^}]*\} 1/);
});

test('a task with a label that nobody has waits and says why, until a worker with it comes', async () => {
  const scheduler = await startScheduler({ UNMATCHED_MS: '300' });
  const plain = startWorker({ id: 'plain' });
  const runId = await owner.startRun([{ labels: { gpu: true } }]);
  const shown = async () => ((await (await fetch(`${scheduler.url}/unmatched`)).json()) as { unmatched: object[] }).unmatched;
  await until(async () => (await shown()).length === 1);
  expect(await shown()).toMatchObject([
    { reason: 'no-label', why: 'waits for a worker with the label gpu=true; no worker has it', attempts: [{ runId, taskId: 't0' }] },
  ]);
  expect(plain.held.size).toBe(0);
  const able = startWorker({ id: 'able', labels: { gpu: 'true' } });
  await until(() => able.held.size === 1);
  await until(async () => (await shown()).length === 0);
});

test('an agent that fails at everything gets no work for a while, then one attempt; both are shown', async () => {
  const scheduler = await startScheduler({ AGENT_BREAKER_FAILURES: '3', AGENT_BREAKER_COOL_DOWN_MS: '1500' });
  const worker = startWorker({ id: 'w', slots: 3 });
  // Each in a run of its own: the first failure ends a run.
  const failing = await Promise.all([1, 2, 3].map(() => owner.startRun([{ retry: { maxAttempts: 1 } }])));
  await until(() => failing.every((runId) => owner.state.open[runId]?.tasks['t0']?.status === 'running'));
  const error = { code: 'model-unavailable', message: 'No.', retriable: true };
  for (const attempt of [...worker.held.values()]) {
    await owner.submit({ type: 'FailAttempt', id: randomUUID(), ...attempt, workerId: 'w', error, settle: [], fresh: false });
    worker.held.delete(`${attempt.runId}/${attempt.taskId}/${attempt.attempt}`);
  }
  worker.beat();
  const shown = async () => (await (await fetch(`${scheduler.url}/unmatched`)).json()) as { breakers: object[] };
  await until(async () => (await shown()).breakers.length === 1);
  expect((await shown()).breakers).toMatchObject([{ agent: 'generalist', error: { code: 'model-unavailable' } }]);
  await until(async () => /cadre_agent_breakers\{state="(half-)?open"[^}]*\} 1/.test(await metricsOf(scheduler)));
  const before = worker.offers.length;
  const runId = await owner.startRun([{}, {}, {}]);
  await until(() => worker.held.size === 1);
  await pause(300);
  expect(worker.offers.length - before).toBe(1);
  await worker.complete([...worker.held.values()][0]!);
  await until(() => worker.held.size === 2);
  expect((await shown()).breakers).toEqual([]);
  await finishAll([worker], [runId]);
});
