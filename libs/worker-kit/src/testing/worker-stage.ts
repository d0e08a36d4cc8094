/** For specs of workers: a broker, a model server, and a worker that is talked to as scheduler and owner do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Heartbeat, SUBJECTS } from '@cadre/contracts';
import type { Offer } from '@cadre/contracts';
import { SharedContext } from '@cadre/engine';
import { JetStreamBlobs, KvContextStore, ensureTopology } from '@cadre/event-log';
import { connectNats, serveRequests, systemChance, systemClock } from '@cadre/messaging';
import type { RunningService } from '@cadre/service-kit';
import type { NatsConnection } from '@nats-io/transport-node';
import { startWorker } from '../start-worker.js';
import type { WorkerOptions } from '../worker-options.js';
import { ChatServer } from './chat-server.js';

interface Broker {
  url: string;
  stop(): Promise<unknown>;
}
type AnswerCommands = (request: unknown) => { replies: unknown[] };

export class WorkerStage {
  beats: Heartbeat[] = [];
  workDir = '';
  private cleanups: (() => Promise<unknown>)[] = [];

  private constructor(
    private readonly server: Broker,
    readonly nats: NatsConnection,
    readonly blobs: JetStreamBlobs,
    readonly model: ChatServer,
  ) {}

  /** @param server stopped with the stage */
  static async open(server: Broker): Promise<WorkerStage> {
    const nats = await connectNats({ url: server.url, name: 'spec' });
    await ensureTopology(nats, { shards: 1 });
    return new WorkerStage(server, nats, await JetStreamBlobs.open(nats), await ChatServer.start());
  }

  async close(): Promise<void> {
    await this.model.stop();
    this.blobs.close();
    await this.nats.close();
    await this.server.stop();
  }

  /** Before each test. @param answer plays the owner of the shard */
  begin(answer: AnswerCommands): void {
    this.workDir = mkdtempSync(join(tmpdir(), 'worker-spec-'));
    this.beats = [];
    const endpoint = serveRequests(this.nats, SUBJECTS.shardCommands(0), {}, answer);
    const callback = (_: unknown, message: { json(): unknown }) => void this.beats.push(Heartbeat.parse(message.json()));
    const listening = this.nats.subscribe(SUBJECTS.heartbeats, { callback });
    this.cleanups.push(
      () => endpoint.stop(),
      async () => listening.unsubscribe(),
      async () => rmSync(this.workDir, { recursive: true, force: true }),
    );
  }

  /** After each test. */
  async end(): Promise<void> {
    for (const cleanup of this.cleanups.splice(0).reverse()) await cleanup();
  }

  agent(tools: string[]): WorkerOptions['agents'][number] {
    return { name: 'generalist', description: 'd', skills: ['general'], instructions: 'Help.', tools };
  }

  /** The context store that the worker uses, too. */
  async sharedContext(): Promise<SharedContext> {
    const store = await KvContextStore.open(this.nats);
    this.cleanups.push(async () => store.close());
    return new SharedContext({ store, blobs: this.blobs, clock: systemClock, chance: systemChance });
  }

  /** A worker that is ready for offers. */
  async worker(options: Partial<WorkerOptions> = {}, env: Record<string, string> = {}): Promise<RunningService> {
    const before = this.beats.length;
    const worker = await startWorker({
      specialty: 'generalist',
      agents: [this.agent(['write_file', 'read_file', 'list_files', 'wait'])],
      ownsProcess: false,
      env: {
        NATS_URL: this.server.url,
        CADRE_PROFILE: 'fast',
        LOG_LEVEL: 'silent',
        OPENAI_BASE_URL: this.model.baseUrl,
        CADRE_WORK_DIR: this.workDir,
        ...env,
      },
      ...options,
    });
    this.cleanups.push(() => worker.stop());
    await until(() => this.beats.slice(before).some((beat) => beat.state === 'idle'));
    return worker;
  }

  lastBeat(): Heartbeat {
    return this.beats.at(-1)!;
  }

  offer(runId: string, tasks: string[], attempt = 1, agent = 'generalist'): void {
    const { workerId, epoch } = this.lastBeat();
    const offers: Offer[] = tasks.map((taskId) => ({ runId, taskId, attempt, agent, turn: { tenant: 'default', atWork: 1, urgency: 2 } }));
    this.nats.publish(SUBJECTS.offers(workerId, epoch), JSON.stringify({ offers }));
  }
}

export async function until(holds: () => boolean, ms = 10_000): Promise<void> {
  for (const end = Date.now() + ms; !holds();) {
    if (Date.now() > end) throw new Error(`it did not become true within ${ms} ms: ${holds}`);
    await sleep(10);
  }
}
