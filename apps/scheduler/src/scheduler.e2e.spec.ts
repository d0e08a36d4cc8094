/** Built schedulers as processes: one is killed, or stopped in mid-flight, and the other takes over. */
import { jest } from '@jest/globals';
import { ensureTopology } from '@cadre/event-log';
import { connectNats } from '@cadre/messaging';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import type { NatsConnection } from '@nats-io/transport-node';
import { FakeWorker } from './testing/fake-worker.js';
import { startProcess, type ServiceProcess } from '@cadre/service-kit/testing';
import { TestOwner } from './testing/test-owner.js';

/** A whole system on a machine that may be slow. */
jest.setTimeout(300_000);

let server: RunningNatsServer;
let nats: NatsConnection;
let owner: TestOwner;
let worker: FakeWorker;
const processes: ServiceProcess[] = [];

beforeAll(async () => {
  server = await startNatsServer({ syncAlways: false });
  nats = await connectNats({ url: server.url, name: 'test' });
  await ensureTopology(nats, { shards: 1 });
  owner = await TestOwner.start(nats);
  worker = new FakeWorker(nats, { id: 'w', slots: 2 });
});

afterAll(async () => {
  worker?.kill();
  for (const { child } of processes) child.kill('SIGKILL');
  await owner?.stop();
  await nats?.close();
  await server?.stop();
});

async function until(what: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<number> {
  const began = Date.now();
  while (!(await what())) {
    if (Date.now() - began > withinMs) throw new Error(`it did not come about within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return Date.now() - began;
}

async function start(): Promise<ServiceProcess> {
  const started = await startProcess('scheduler', { NATS_URL: server.url, CADRE_PROFILE: 'fast' });
  processes.push(started);
  return started;
}

async function isLeader({ url }: ServiceProcess): Promise<boolean> {
  return /cadre_scheduler_leader\{[^}]*\} 1/.test(await (await fetch(`${url}/metrics`)).text());
}

async function completeHeld(): Promise<void> {
  for (const attempt of [...worker.held.values()]) await worker.complete(attempt);
}

test('a leader that is killed is replaced within 5 s; one that stood still does no harm when it wakes; a signal ends one cleanly', async () => {
  const first = await start();
  await until(() => isLeader(first));
  const second = await start();
  const runId = await owner.startRun(Array.from({ length: 8 }, () => ({})));
  await until(() => worker.held.size === 2);

  first.child.kill('SIGKILL');
  await completeHeld();
  expect(await until(() => worker.held.size === 2)).toBeLessThan(20_000);
  expect(await isLeader(second)).toBe(true);

  const third = await start();
  second.child.kill('SIGSTOP');
  await completeHeld();
  expect(await until(() => worker.held.size === 2)).toBeLessThan(20_000);
  expect(await isLeader(third)).toBe(true);
  second.child.kill('SIGCONT');
  await completeHeld();
  await until(() => worker.held.size === 2);
  await until(async () => !(await isLeader(second)));
  await completeHeld();
  await until(() => owner.state.ended[runId]?.status === 'completed');
  expect(worker.offers).toHaveLength(8);
  expect(await owner.violations()).toEqual([]);

  third.child.kill('SIGTERM');
  expect(await third.exited).toBe(0);
});
