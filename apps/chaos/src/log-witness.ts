/** Reads the log of a shard from its first block on as it grows, so that it is known in full even when the services trim it. */
import type { Block, Commit, RunEvent } from '@cadre/contracts';
import { JetStreamLog } from '@cadre/event-log';
import { connectNats } from '@cadre/messaging';
import type { NatsConnection } from '@nats-io/transport-node';

export interface SeenBlock {
  seq: number;
  block: Block;
  /** When it was read here. */
  seenAt: number;
}

export class LogWitness {
  readonly blocks: SeenBlock[] = [];
  readonly #closing = new AbortController();
  #following: Promise<void> = Promise.resolve();
  #failure: unknown;

  private constructor(
    private readonly nats: NatsConnection,
    private readonly log: JetStreamLog,
  ) {}

  static async start(natsUrl: string, shard = 0): Promise<LogWitness> {
    const nats = await connectNats({ url: natsUrl, name: 'chaos-witness' });
    const witness = new LogWitness(nats, await JetStreamLog.open(nats, shard));
    witness.#following = witness.#follow().catch((error: unknown) => {
      witness.#failure = error;
    });
    return witness;
  }

  /** Settles once everything is read that was stored before the call. */
  async caughtUp(withinMs = 20_000): Promise<void> {
    const until = Date.now() + withinMs;
    const last = await this.log.lastSeq();
    while ((this.blocks.at(-1)?.seq ?? 0) < last) {
      if (this.#failure !== undefined) throw this.#failure;
      if (Date.now() > until) throw new Error(`the log was read to ${this.blocks.at(-1)?.seq ?? 0} of ${last} only`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Commits in order. @param from a block's index */
  commits(from = 0): (Commit & { seenAt: number; blockSeq: number })[] {
    return this.blocks
      .slice(from)
      .flatMap(({ block, seq, seenAt }) => block.commits.map((commit) => ({ ...commit, seenAt, blockSeq: seq })));
  }

  /** When an event was read that fits, with the first chosen; undefined while there is none. */
  firstEvent(fits: (event: RunEvent, commit: Commit) => boolean, from = 0): { event: RunEvent; seenAt: number; runId: string } | undefined {
    for (const commit of this.commits(from)) {
      const event = commit.events.find((each) => fits(each, commit));
      if (event !== undefined) return { event, seenAt: commit.seenAt, runId: commit.runId };
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#following;
    this.log.close();
    await this.nats.close();
  }

  async #follow(): Promise<void> {
    for await (const { seq, block } of this.log.tail(0, this.#closing.signal)) this.blocks.push({ seq, block, seenAt: Date.now() });
  }
}
