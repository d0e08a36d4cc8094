import { randomBytes } from 'node:crypto';
import { BUCKETS, STREAMS } from '@cadre/contracts';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { Objm } from '@nats-io/obj';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { JetStreamLog } from './jetstream-log.js';
import { blockOf } from './testing/shard-log-contract.js';
import { startTcpProxy, type TcpProxy } from './testing/tcp-proxy.js';
import { ensureTopology } from './topology.js';

let server: RunningNatsServer;
let proxy: TcpProxy;
let direct: NatsConnection;
let cutOff: NatsConnection;
let jsm: JetStreamManager;

beforeAll(async () => {
  server = await startNatsServer();
  proxy = await startTcpProxy(server.port);
  direct = await connect({ servers: server.url });
  cutOff = await connect({ servers: proxy.url });
  jsm = await jetstreamManager(direct);
});
afterAll(async () => {
  await Promise.all([direct.close(), cutOff.close()]);
  await proxy.close();
  await server.stop();
});
beforeEach(async () => {
  for (const stream of [STREAMS.log(7), `OBJ_${BUCKETS.blobs}`]) await jsm.streams.delete(stream).catch(() => undefined);
  await ensureTopology(direct, { shards: 8 });
});

describe('a damaged snapshot', () => {
  const chunksOf = async (name: string): Promise<string> => {
    const info = await (await new Objm(direct).open(BUCKETS.blobs)).info(name);
    return `$O.${BUCKETS.blobs}.C.${info!.nuid}`;
  };
  const tear = async (name: string): Promise<void> => {
    await jsm.streams.purge(`OBJ_${BUCKETS.blobs}`, { filter: await chunksOf(name) });
  };

  test('is recognised, and the one before is used', async () => {
    const log = await JetStreamLog.open(direct, 7);
    for (let seq = 0; seq < 3; seq += 1) await log.append(blockOf('a'), seq);
    for (const seq of [1, 2, 3]) await log.saveSnapshot({ seq, state: { at: seq } });
    const chunk = await jsm.streams.getMessage(`OBJ_${BUCKETS.blobs}`, { last_by_subj: await chunksOf('snapshot-07') });
    await tear('snapshot-07');
    await direct.request(chunk!.subject, Buffer.from(chunk!.data).fill(1, 20, 30), { timeout: 1000 });
    expect(await log.loadSnapshot()).toEqual({ seq: 2, state: { at: 2 } });
    await tear('snapshot-07-previous');
    expect(await log.loadSnapshot()).toBeUndefined(); // the log can still be folded from its start
    await log.trim(1);
    await expect(log.loadSnapshot()).rejects.toMatchObject({ code: 'snapshot-corrupt' });
    await log.saveSnapshot({ seq: 4, state: { at: 4 } });
    expect(await log.loadSnapshot()).toEqual({ seq: 4, state: { at: 4 } });
  });

  test('a save that breaks off leaves the last one, and its remains are cleared away', async () => {
    const log = await JetStreamLog.open(cutOff, 7);
    const state = { text: randomBytes(12_000_000).toString('base64') };
    await log.saveSnapshot({ seq: 1, state: { whole: true } });
    const broken = log.saveSnapshot({ seq: 2, state }).catch((error: unknown) => error);
    const bucket = `OBJ_${BUCKETS.blobs}`;
    await until(async () => (await jsm.streams.info(bucket)).state.messages > 2);
    proxy.hold();
    await cutOff.close();
    expect(await broken).toMatchObject({ code: 'store-unavailable' });
    const other = await JetStreamLog.open(direct, 7);
    expect((await other.loadSnapshot())!.seq).toBe(1);
    await other.saveSnapshot({ seq: 3, state: { next: true } });
    expect(await other.loadSnapshot()).toEqual({ seq: 3, state: { next: true } });
    const { state: after } = await jsm.streams.info(bucket, {
      subjects_filter: `$O.${BUCKETS.blobs}.C.snapshot-07.*`,
      deleted_details: false,
      offset: 0,
    });
    expect(Object.keys(after.subjects ?? {})).toHaveLength(2); // the newest and the one before
  });
});

async function until(condition: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
