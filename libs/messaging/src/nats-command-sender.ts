/** The command sender of production: `PersistentSender` over core requests. */
import { CadreError, CommandReply, ReplyBatch, SUBJECTS, type Command } from '@cadre/contracts';
import { PersistentSender } from '@cadre/engine';
import type { CommandLine, CommandSender, EndSignal, SentCommand } from '@cadre/engine';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { RequestInbox } from './request-inbox.js';
import { isNoResponders } from './request-json.js';
import { systemClock } from './system-clock.js';

/** The contract's reply, but that a result, which has just been parsed from JSON, is not walked once more to see that it is JSON. */
const [Accepted, Duplicate, Rejected, Unavailable] = CommandReply.options;
const result = z.unknown().optional();
const Replies = ReplyBatch.extend({
  replies: z.array(z.discriminatedUnion('outcome', [Accepted.extend({ result }), Duplicate.extend({ result }), Rejected, Unavailable])),
});

export interface CommandSenderOptions {
  /** How long one request waits before its commands are asked again. Default 2000. */
  requestTimeoutMs?: number;
  /** First pause before a repetition; it doubles up to `maxBackoffMs`. Defaults 50 and 1000. */
  backoffMs?: number;
  maxBackoffMs?: number;
}

export class NatsCommandSender implements CommandSender {
  readonly #sender: PersistentSender;

  constructor(nats: NatsConnection, options: CommandSenderOptions = {}) {
    const { requestTimeoutMs = 2000, ...timing } = options;
    this.#sender = new PersistentSender(new NatsCommandLine(nats, requestTimeoutMs), systemClock, timing);
  }

  /** See `CommandSender`. Error `command-too-large` when one does not fit into a message. */
  send(commands: Command[], signal?: EndSignal): Promise<CommandReply[]> {
    return this.#sender.send(commands, signal);
  }
}

class NatsCommandLine implements CommandLine {
  readonly #inbox: RequestInbox;

  constructor(
    private readonly nats: NatsConnection,
    timeoutMs: number,
  ) {
    this.#inbox = new RequestInbox(nats, timeoutMs);
  }

  get maxCommandBytes(): number {
    return (this.nats.info?.max_payload ?? 1024 * 1024) - 1024;
  }

  async request(shard: number, batch: readonly SentCommand[]): Promise<readonly CommandReply[]> {
    const body = `{"commands":[${batch.map((entry) => entry.json).join(',')}]}`;
    try {
      const message = await this.#inbox.ask(SUBJECTS.shardCommands(shard), body);
      return Replies.parse(message.json()).replies as CommandReply[];
    } catch (cause) {
      if (this.nats.isClosed()) throw new CadreError('connection-closed', 'the connection to NATS is closed', { cause });
      throw isNoResponders(cause) ? new Error(`shard ${shard} has no owner at the moment`, { cause }) : cause;
    }
  }
}
