/** What the stream of the feed holds after events were published: all of them, once, each run's in order. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRunId, STREAMS, type Commit, type FeedEvent } from '@cadre/contracts';
import { foldCommit } from '@cadre/engine';
import { ensureTopology } from '@cadre/event-log';
import type { FoldedCommit } from '@cadre/history';
import { sampleRun } from '@cadre/history/testing';
import { connectNats } from '@cadre/messaging';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { FeedPublisher } from './feed-publisher.js';

let server: RunningNatsServer;
let nats: NatsConnection;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cadre-feed-'));
  server = await startNatsServer({ dataDir: folder });
  nats = await connectNats({ url: server.url, name: 'test' });
  await ensureTopology(nats, { shards: 1 });
});

afterEach(async () => {
  await (await jetstreamManager(nats)).streams.purge(STREAMS.events);
});

afterAll(async () => {
  await nats.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Commits of several runs as a batch of the log brings them: in turn. */
function foldedRuns(runs: number, at = Date.now()): FoldedCommit[] {
  const lists = Array.from({ length: runs }, () => folded(sampleRun({ runId: makeRunId(0, randomUUID()), at })));
  return lists[0]!.flatMap((_, n) => lists.map((list) => list[n]!));
}

function folded(commits: Commit[]): FoldedCommit[] {
  let run: FoldedCommit['run'] | undefined;
  return commits.map((commit) => {
    run = foldCommit(run, commit);
    return { tenant: 'default', commit, run, ended: [] };
  });
}

const idsOf = (list: readonly FoldedCommit[]): string[] =>
  list.flatMap(({ commit }) => commit.events.map((_, index) => `${commit.runId}/${commit.seq}.${index}`));

/** In the order of the stream. */
async function stored(): Promise<string[]> {
  const manager = await jetstreamManager(nats);
  const { state } = await manager.streams.info(STREAMS.events);
  const ids: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const message = await manager.streams.getMessage(STREAMS.events, { seq });
    ids.push(message!.json<FeedEvent>().id);
  }
  return ids;
}

const byRun = (ids: readonly string[]): Record<string, string[]> => {
  const runs: Record<string, string[]> = {};
  for (const id of ids) (runs[id.split('/')[0]!] ??= []).push(id);
  return runs;
};

test('more events than a batch holds are stored in the order of the log', async () => {
  const list = foldedRuns(80);
  expect(idsOf(list).length).toBeGreaterThan(1000);
  await new FeedPublisher(nats).publish(list);
  expect(await stored()).toEqual(idsOf(list));
});

test('what was stored in part is completed: each event once, each run in order', async () => {
  const list = foldedRuns(20);
  const publisher = new FeedPublisher(nats);
  await publisher.publish(list.slice(0, 90));
  await publisher.publish(list.slice(40));
  await publisher.publish(list);
  const ids = await stored();
  expect(ids).toHaveLength(idsOf(list).length);
  expect(byRun(ids)).toEqual(byRun(idsOf(list)));
});

test('events from before the window for duplicates are looked up', async () => {
  const list = foldedRuns(3, Date.now() - 3 * 3_600_000);
  await new FeedPublisher(nats).publish(list.slice(0, 10));
  await (await jetstreamManager(nats)).streams.update(STREAMS.events, { duplicate_window: 100_000_000 });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await new FeedPublisher(nats).publish(list);
  expect(byRun(await stored())).toEqual(byRun(idsOf(list)));
  await ensureTopology(nats, { shards: 1 });
});

test('several batches at once do not get in each other’s way', async () => {
  const lists = Array.from({ length: 8 }, () => foldedRuns(10));
  const publisher = new FeedPublisher(nats);
  await Promise.all(lists.map((list) => publisher.publish(list)));
  expect(byRun(await stored())).toEqual(byRun(idsOf(lists.flat())));
});

test('without its stream nothing counts as published, and later tries are heard', async () => {
  const list = foldedRuns(2);
  const publisher = new FeedPublisher(nats);
  await (await jetstreamManager(nats)).streams.delete(STREAMS.events);
  const refusal = { code: 'feed-unavailable', retriable: true };
  await expect(publisher.publish(list)).rejects.toMatchObject(refusal);
  await expect(publisher.publish(list.slice(0, 1))).rejects.toMatchObject(refusal);
  await ensureTopology(nats, { shards: 1 });
  await publisher.publish(list);
  expect(await stored()).toEqual(idsOf(list));
});

test('a feed made before there were batches is brought into shape', async () => {
  await (await jetstreamManager(nats)).streams.update(STREAMS.events, { allow_atomic: false });
  const list = foldedRuns(1);
  await expect(new FeedPublisher(nats).publish(list)).rejects.toMatchObject({ code: 'feed-unavailable' });
  await ensureTopology(nats, { shards: 1 });
  await new FeedPublisher(nats).publish(list);
  expect(await stored()).toEqual(idsOf(list));
});
