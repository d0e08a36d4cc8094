import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HistoryAnswer, SUBJECTS, STREAMS, makeRunId, type Commit, type FeedEvent, type HistoryQueryInput } from '@cadre/contracts';
import { JetStreamLog, ensureTopology } from '@cadre/event-log';
import { askingRun, findPostgres, openRun, sampleRun, startPostgres, toBlocks } from '@cadre/history/testing';
import { connectNats, requestJson } from '@cadre/messaging';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { startService, type RunningService } from '@cadre/service-kit';
import { jest } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { MonitorConfig } from './monitor.config.js';
import { MonitorModule } from './monitor.module.js';

let server: RunningNatsServer;
let nats: NatsConnection;
let folder: string;
const running = new Set<RunningService>();

jest.setTimeout(60_000);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cadre-monitor-'));
  server = await startNatsServer({ dataDir: join(folder, 'nats') });
  nats = await connectNats({ url: server.url, name: 'test' });
  await ensureTopology(nats, { shards: 1 });
}, 60_000);

afterEach(async () => {
  await Promise.all([...running].map((service) => service.stop()));
  running.clear();
  await nats.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function startMonitor(env: Record<string, string> = {}): Promise<RunningService> {
  const service = await startService({
    ...{ name: 'monitor', schema: MonitorConfig, ownsProcess: false },
    module: (context) => MonitorModule.with(context),
    env: { NATS_URL: server.url, LOG_LEVEL: process.env['TEST_LOG'] ?? 'silent', ...env },
  });
  running.add(service);
  return service;
}

async function stop(service: RunningService): Promise<void> {
  running.delete(service);
  await service.stop();
}

const newRun = () => makeRunId(0, randomUUID());

async function append(commits: Commit[], perBlock = 3): Promise<void> {
  const log = await JetStreamLog.open(nats, 0);
  for (const { seq, block } of toBlocks(commits, perBlock, (await log.lastSeq()) + 1)) {
    const outcome = await log.append({ ...block, id: randomUUID() }, seq - 1);
    if (!outcome.stored) throw new Error('the block was fenced');
  }
}

function ask(query: HistoryQueryInput | object): Promise<HistoryAnswer> {
  return requestJson(nats, SUBJECTS.history, query, { schema: HistoryAnswer, timeoutMs: 10_000 });
}

async function until<T>(what: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    const found = await what().catch(() => undefined);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not come about within 60 s');
}

async function untilStatus(runId: string, status: string): Promise<void> {
  await until(async () => {
    const answer = await ask({ type: 'GetRun', tenant: 'default', runId });
    return answer.type === 'Run' && answer.run.status === status;
  });
}

/** Ids of the run's events in the feed's stream, in stream order. */
async function feedOf(runId: string): Promise<string[]> {
  const consumer = await jetstream(nats).consumers.get(STREAMS.events, { filter_subjects: SUBJECTS.events('default', runId) });
  const ids: string[] = [];
  for await (const message of await consumer.fetch({ max_messages: 500, expires: 1000 })) {
    ids.push(message.json<FeedEvent>().id.split('/')[1] ?? '');
    if (message.info.pending === 0) break;
  }
  return ids;
}

const idsOf = (commits: Commit[]) => commits.flatMap((commit) => commit.events.map((_, index) => `${commit.seq}.${index}`));

test('folds the log into history and feed, answers queries and shows figures', async () => {
  const monitor = await startMonitor();
  const runId = newRun();
  const commits = sampleRun({ runId, at: Date.now() });
  await append(commits);
  await untilStatus(runId, 'completed');
  expect(await feedOf(runId)).toEqual(idsOf(commits));
  const list = await ask({ type: 'ListRuns', tenant: 'default' });
  expect(list).toMatchObject({ type: 'Runs', page: { runs: [{ runId, status: 'completed', tasksDone: 3 }] } });
  expect(await ask({ type: 'GetPosition', shard: 0 })).toEqual({ type: 'Position', seq: 4 });
  const metrics = await (await fetch(`${monitor.url}/metrics`)).text();
  expect(metrics).toMatch(/cadre_runs_ended_total\{outcome="completed"[^}]*\} 1/);
  expect(metrics).toMatch(/cadre_tasks_ended_total\{outcome="skipped"[^}]*\} 1/);
  expect(metrics).toMatch(/cadre_tokens_total\{direction="input"[^}]*\} 120/);
  expect((await fetch(`${monitor.url}/readyz`)).status).toBe(200);
});

test('shows questions and calls, and counts each call, question and refusal once', async () => {
  const monitor = await startMonitor();
  const runId = newRun();
  const commits = askingRun({ runId, at: Date.now() });
  await append(commits.slice(0, 10));
  await until(async () => {
    const answer = await ask({ type: 'GetQuestions', tenant: 'default', runId });
    return answer.type === 'Questions' && answer.questions[0]?.questionId === 'q2';
  });
  expect(await ask({ type: 'GetQuestions', tenant: 'default' })).toMatchObject({
    questions: [{ runId, questionId: 'q2', kind: 'budget' }],
  });
  expect(await ask({ type: 'GetCalls', tenant: 'default', runId })).toMatchObject({
    calls: [{}, { outcome: 'done', note: 'said by ada' }, {}, {}],
  });
  await append(commits.slice(10));
  await untilStatus(runId, 'cancelled');
  expect(await ask({ type: 'GetQuestions', tenant: 'default' })).toEqual({ type: 'Questions', questions: [] });
  const metrics = await (await fetch(`${monitor.url}/metrics`)).text();
  const figure = (name: string) =>
    metrics
      .split('\n')
      .filter((line) => line.startsWith(name))
      .map((line) => line.replace(',service="monitor"', ''));
  expect(figure('cadre_calls_total').sort()).toEqual([
    'cadre_calls_total{kind="model",outcome="done",ok="true"} 2',
    'cadre_calls_total{kind="model",outcome="failed",ok="false"} 1',
    'cadre_calls_total{kind="tool",outcome="unknown",ok="false"} 1',
  ]);
  expect(figure('cadre_cost_micros_total')).toEqual([expect.stringMatching(/ 150$/)]);
  expect(figure('cadre_model_overrun_micros_total')).toEqual([expect.stringMatching(/ 3$/)]);
  expect(figure('cadre_calls_refused_total')).toEqual([expect.stringMatching(/limit="run",then="ask".* 1$/)]);
  expect(figure('cadre_questions_asked_total')).toHaveLength(2);
  expect(figure('cadre_questions_answered_total')).toEqual([expect.stringMatching(/choice="done".* 1$/)]);
});

test('a run just accepted is found; one that nobody knows is not; what is no query is refused', async () => {
  await startMonitor({ CATCH_UP_MS: '8000' });
  await until(async () => (await ask({ type: 'GetPosition', shard: 0 })).type === 'Position');
  for (let n = 0; n < 20; n += 1) {
    const runId = newRun();
    await append(openRun({ runId, at: Date.now() }));
    expect(await ask({ type: 'GetRun', tenant: 'default', runId })).toMatchObject({ type: 'Run', run: { status: 'running' } });
  }
  const began = Date.now();
  expect(await ask({ type: 'GetRun', tenant: 'default', runId: newRun() })).toEqual({ type: 'NotFound' });
  expect(await ask({ type: 'GetEvents', tenant: 'default', runId: makeRunId(7, randomUUID()) })).toEqual({ type: 'NotFound' });
  expect(Date.now() - began).toBeLessThan(8000);
  for (const wrong of [{ type: 'DropTables' }, { type: 'GetRun', tenant: 'default', runId: 'x' }, [], { type: 'ListRuns' }]) {
    expect(await ask(wrong)).toMatchObject({ type: 'Invalid' });
  }
  nats.publish(SUBJECTS.history, 'not json');
  nats.publish(SUBJECTS.heartbeat('w1'), 'not json');
  nats.publish(SUBJECTS.heartbeat('w1'), '{"workerId":1}');
  expect((await ask({ type: 'ListRuns', tenant: 'default', limit: 200 })).type).toBe('Runs');
});

test('a folder keeps the history over a restart; the feed has each event once, also when the history had to start over', async () => {
  const dir = { CADRE_HISTORY_DIR: join(folder, 'history') };
  const [recent, old] = [newRun(), newRun()];
  const commits = sampleRun({ runId: recent, at: Date.now() });
  const oldCommits = sampleRun({ runId: old, at: Date.now() - 3 * 3_600_000 });
  const first = await startMonitor(dir);
  await append([...commits.slice(0, 5), ...oldCommits.slice(0, 5)]);
  await untilStatus(recent, 'running');
  await stop(first);
  await append([...commits.slice(5), ...oldCommits.slice(5)]);
  const second = await startMonitor(dir);
  await untilStatus(old, 'completed');
  await stop(second);
  await startMonitor();
  await untilStatus(old, 'completed');
  expect(await feedOf(recent)).toEqual(idsOf(commits));
  expect(await feedOf(old)).toEqual(idsOf(oldCommits));
}, 60_000);

test('a broker that is killed and comes back is taken up again, without a hole in the feed', async () => {
  await startMonitor();
  const runs = Array.from({ length: 5 }, newRun);
  const all = runs.map((runId) => sampleRun({ runId, at: Date.now() }));
  await append(all.flatMap((commits) => commits.slice(0, 4)));
  await untilStatus(runs[4] ?? '', 'running');
  const { port, dataDir } = server;
  await append(
    all.flatMap((commits) => commits.slice(4, 6)),
    1,
  );
  await server.kill();
  await new Promise((resolve) => setTimeout(resolve, 2500));
  server = await startNatsServer({ port, dataDir });
  await until(() => nats.rtt());
  await until(async () => {
    await append(all.flatMap((commits) => commits.slice(6)));
    return true;
  });
  for (const runId of runs) await untilStatus(runId, 'completed');
  for (const [n, runId] of runs.entries()) expect(await feedOf(runId)).toEqual(idsOf(all[n] ?? []));
}, 60_000);

const onPostgres = findPostgres() === undefined ? test.skip : test;

onPostgres(
  'with PostgreSQL a standby answers, and takes over the folding',
  async () => {
    const postgres = await startPostgres();
    try {
      const env = { DATABASE_URL: postgres.createDatabase('monitor') };
      const [first, second] = [await startMonitor(env), await startMonitor(env)];
      const leads = async (service: RunningService) =>
        /cadre_history_leader\{[^}]*\} 1/.test(await (await fetch(`${service.url}/metrics`)).text());
      const leader = await until(async () => ((await leads(first)) ? first : (await leads(second)) && second));
      const standby = leader === first ? second : first;
      await until(async () => (await fetch(`${standby.url}/readyz`)).ok);
      const runId = newRun();
      const commits = sampleRun({ runId, at: Date.now() });
      await append(commits.slice(0, 3));
      for (let n = 0; n < 10; n += 1) expect((await ask({ type: 'GetRun', tenant: 'default', runId })).type).toBe('Run');
      await stop(leader);
      await append(commits.slice(3));
      await untilStatus(runId, 'completed');
      expect(await leads(standby)).toBe(true);
      expect(await feedOf(runId)).toEqual(idsOf(commits));
    } finally {
      await Promise.all([...running].map((service) => service.stop()));
      running.clear();
      await postgres.stop();
    }
  },
  60_000,
);
