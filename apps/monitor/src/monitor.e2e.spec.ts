/** The built monitor as a process: killed again and again while the log grows, its history and the feed stay whole. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { HistoryAnswer, STREAMS, SUBJECTS, makeRunId, type FeedEvent } from '@cadre/contracts';
import { JetStreamLog, ensureTopology } from '@cadre/event-log';
import { sampleRun, toBlocks } from '@cadre/history/testing';
import { connectNats, requestJson } from '@cadre/messaging';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { startProcess } from '@cadre/service-kit/testing';

/** A whole system on a machine that may be slow. */
jest.setTimeout(300_000);

let folder: string;
let server: RunningNatsServer;
let nats: NatsConnection;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cadre-monitor-'));
  server = await startNatsServer({ syncAlways: false });
  nats = await connectNats({ url: server.url, name: 'test' });
  await ensureTopology(nats, { shards: 1 });
});

afterAll(async () => {
  await nats?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function ask(query: object): Promise<HistoryAnswer | undefined> {
  return requestJson(nats, SUBJECTS.history, query, { schema: HistoryAnswer, timeoutMs: 5000 }).catch(() => undefined);
}

test('kill -9, five times, in mid-flight', async () => {
  const runs = Array.from({ length: 100 }, () => sampleRun({ runId: makeRunId(0, randomUUID()), at: Date.now() }));
  const commits = Array.from({ length: 10 }, (_, step) => runs.map((run) => run[step]!)).flat();
  const log = await JetStreamLog.open(nats, 0);
  const writing = (async () => {
    for (const { seq, block } of toBlocks(commits, 4)) {
      await log.append(block, seq - 1);
      await pause(20);
    }
  })();
  const env = { NATS_URL: server.url, CADRE_PROFILE: 'fast', CADRE_HISTORY_DIR: join(folder, 'history') };
  for (let round = 0; round < 5; round += 1) {
    const { child, exited } = await startProcess('monitor', env);
    await pause(1200 + round * 150);
    child.kill('SIGKILL');
    await exited;
  }
  await writing;
  const { child, exited } = await startProcess('monitor', env);
  try {
    const finished = async () => {
      const answer = await ask({ type: 'ListRuns', tenant: 'default', status: 'completed', limit: 200 });
      return answer?.type === 'Runs' && answer.page.runs.length === runs.length;
    };
    for (const until = Date.now() + 30_000; !(await finished()); await pause(100)) {
      if (Date.now() > until) throw new Error('the history did not become complete within 30 s');
    }
    for (const run of runs.slice(0, 10)) {
      const answer = await ask({ type: 'GetEvents', tenant: 'default', runId: run[0]!.runId });
      expect(answer?.type === 'Events' && answer.events.map((event) => event.data)).toEqual(run.flatMap((commit) => commit.events));
    }
    const seen = new Map<string, string[]>();
    const consumer = await jetstream(nats).consumers.get(STREAMS.events);
    const total = runs.flat().reduce((sum, commit) => sum + commit.events.length, 0);
    for await (const message of await consumer.fetch({ max_messages: total + 1, expires: 2000 })) {
      const [runId = '', position = ''] = message.json<FeedEvent>().id.split('/');
      seen.set(runId, [...(seen.get(runId) ?? []), position]);
    }
    for (const run of runs) {
      expect(seen.get(run[0]!.runId)).toEqual(run.flatMap((commit) => commit.events.map((_, index) => `${commit.seq}.${index}`)));
    }
  } finally {
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  }
});
