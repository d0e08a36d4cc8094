/** An owner of shard 0, as the orchestrator runs one, without its lease. */
import { randomUUID } from 'node:crypto';
import {
  Command,
  CommandBatch,
  RunOptions,
  SUBJECTS,
  TaskSpec,
  makeRunId,
  type Block,
  type CommandReply,
  type TaskSpecInput,
} from '@cadre/contracts';
import { ShardOwner, checkInvariants, type ShardLog, type Violation } from '@cadre/engine';
import { JetStreamLog } from '@cadre/event-log';
import { serveRequests, type RequestEndpoint } from '@cadre/messaging';
import type { NatsConnection } from '@nats-io/transport-node';

export class TestOwner {
  private constructor(
    private readonly owner: ShardOwner,
    private readonly log: ShardLog,
    private readonly endpoint: RequestEndpoint,
    /** Commands as they came. */
    readonly received: Command[],
  ) {}

  static async start(nats: NatsConnection): Promise<TestOwner> {
    const log = await JetStreamLog.open(nats, 0);
    const owner = await ShardOwner.take({
      ...{ log, ownerId: 'owner', now: Date.now, random: Math.random, newId: randomUUID, defer: setImmediate },
      ...{ isHeld: () => true, onLost: () => undefined, retentionMs: 3_600_000 },
    });
    if (!owner) throw new Error('the shard was not taken');
    const received: Command[] = [];
    const endpoint = serveRequests(nats, SUBJECTS.shardCommands(0), {}, async (request) => {
      const commands = CommandBatch.parse(request).commands.map((raw) => Command.parse(raw));
      received.push(...commands);
      return { replies: await Promise.all(commands.map((command) => owner.submit(command))) };
    });
    return new TestOwner(owner, log, endpoint, received);
  }

  get state() {
    return this.owner.state;
  }

  submit(command: Command): Promise<CommandReply> {
    return this.owner.submit(command);
  }

  /** @returns the run's id */
  async startRun(tasks: Partial<TaskSpecInput>[], options: object = {}): Promise<string> {
    const runId = makeRunId(0, randomUUID());
    const plan = { tasks: tasks.map((task, n) => TaskSpec.parse({ id: `t${n}`, title: 't', instructions: 'i', ...task })) };
    const body = {
      tenant: 'default',
      goal: 'g',
      inputs: [],
      options: RunOptions.parse({ summarize: false, ...options }),
      fingerprint: 'f',
      plan,
    };
    const reply = await this.owner.submit({ type: 'StartRun', id: randomUUID(), runId, ...body });
    if (reply.outcome !== 'accepted') throw new Error(JSON.stringify(reply));
    return runId;
  }

  async blocks(): Promise<{ seq: number; block: Block }[]> {
    const blocks: { seq: number; block: Block }[] = [];
    for await (const stored of this.log.read(0)) blocks.push(stored);
    return blocks;
  }

  /** What is wrong with the log. */
  async violations(): Promise<Violation[]> {
    return checkInvariants({ blocks: await this.blocks(), now: Date.now() });
  }

  async snapshotAndTrim(): Promise<void> {
    const snapshot = await this.owner.snapshot();
    if (!snapshot) throw new Error('no snapshot');
    await this.log.saveSnapshot({ seq: snapshot.seq, state: snapshot.state as never });
    await this.log.trim(snapshot.seq);
  }

  async stop(): Promise<void> {
    await this.endpoint.stop();
    await this.owner.close();
  }
}
