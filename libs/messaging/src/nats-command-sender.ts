/**
 * Sends commands to the owners of their shards. Commands queued in one turn of the event loop for the same shard share a request; what
 * comes back unanswered or `unavailable` is queued again, unchanged, after a growing pause: commands are idempotent by meaning, so a
 * repetition of one that was in fact carried out is answered with what it caused.
 */
import { CadreError, ReplyBatch, SUBJECTS, shardOf, type Command, type CommandReply } from '@cadre/contracts';
import type { CommandSender } from '@cadre/engine';
import type { NatsConnection } from '@nats-io/transport-node';
import { isNoResponders } from './request-json.js';

const MAX_COMMANDS = 1000;
const BATCH_BYTES = 512 * 1024;

export interface CommandSenderOptions {
  /** How long one request waits before its commands are asked again. Default 2000. */
  requestTimeoutMs?: number;
  /** First pause before a repetition; it doubles up to `maxBackoffMs`. Defaults 50 and 1000. */
  backoffMs?: number;
  maxBackoffMs?: number;
}

interface Waiting {
  command: Command;
  json: string;
  bytes: number;
  tries: number;
  lastFault: string;
  /** True once answered or given up; the queue skips it. */
  settled: boolean;
  resolve(reply: CommandReply): void;
  reject(error: Error): void;
}

export class NatsCommandSender implements CommandSender {
  private readonly queues = new Map<number, Waiting[]>();
  private readonly timeoutMs: number;
  private readonly backoffMs: number;
  private readonly maxBackoffMs: number;

  constructor(
    private readonly nats: NatsConnection,
    options: CommandSenderOptions = {},
  ) {
    this.timeoutMs = options.requestTimeoutMs ?? 2000;
    this.backoffMs = options.backoffMs ?? 50;
    this.maxBackoffMs = options.maxBackoffMs ?? 1000;
  }

  /** See `CommandSender`. Error `command-too-large` when one does not fit into a message. */
  async send(commands: Command[], signal?: AbortSignal): Promise<CommandReply[]> {
    return Promise.all(commands.map((command) => this.sendOne(command, signal)));
  }

  private sendOne(command: Command, signal: AbortSignal | undefined): Promise<CommandReply> {
    const json = JSON.stringify(command);
    const bytes = Buffer.byteLength(json);
    const limit = (this.nats.info?.max_payload ?? 1024 * 1024) - 1024;
    if (bytes > limit) {
      const message = `the command is ${bytes} bytes long; a message holds ${limit}`;
      return Promise.reject(new CadreError('command-too-large', message, { remedy: 'keep long material in artifacts' }));
    }
    return new Promise<CommandReply>((resolve, reject) => {
      const giveUp = () => entry.reject(unanswered(entry));
      const end = () => {
        entry.settled = true;
        signal?.removeEventListener('abort', giveUp);
      };
      const entry: Waiting = {
        command,
        json,
        bytes,
        tries: 0,
        lastFault: 'not sent yet',
        settled: false,
        resolve: (reply) => (end(), resolve(reply)),
        reject: (error) => (end(), reject(error)),
      };
      if (signal?.aborted) return giveUp();
      signal?.addEventListener('abort', giveUp, { once: true });
      this.enqueue(entry);
    });
  }

  private enqueue(entry: Waiting): void {
    const shard = shardOf(entry.command.runId);
    const queue = this.queues.get(shard);
    if (queue) {
      queue.push(entry);
      return;
    }
    this.queues.set(shard, [entry]);
    setImmediate(() => this.flush(shard));
  }

  private flush(shard: number): void {
    const queue = (this.queues.get(shard) ?? []).filter((entry) => !entry.settled);
    this.queues.delete(shard);
    for (const batch of inBatches(queue)) void this.request(shard, batch);
  }

  /** Never rejects. */
  private async request(shard: number, batch: Waiting[]): Promise<void> {
    let replies = new Map<string, CommandReply>();
    let fault = 'no answer to this command';
    try {
      const body = `{"commands":[${batch.map((entry) => entry.json).join(',')}]}`;
      const message = await this.nats.request(SUBJECTS.shardCommands(shard), body, { timeout: this.timeoutMs });
      replies = new Map(ReplyBatch.parse(message.json()).replies.map((reply) => [reply.id, reply]));
    } catch (error) {
      if (this.nats.isClosed()) return batch.forEach((entry) => !entry.settled && entry.reject(unanswered(entry, error)));
      fault = isNoResponders(error) ? `shard ${shard} has no owner at the moment` : (error as Error).message;
    }
    for (const entry of batch) {
      if (entry.settled) continue;
      const reply = replies.get(entry.command.id);
      if (reply && reply.outcome !== 'unavailable') entry.resolve(reply);
      else this.again(entry, reply?.message ?? fault);
    }
  }

  private again(entry: Waiting, fault: string): void {
    const pause = Math.min(this.maxBackoffMs, this.backoffMs * 2 ** Math.min(entry.tries, 20));
    entry.tries += 1;
    entry.lastFault = fault;
    setTimeout(() => !entry.settled && this.enqueue(entry), pause);
  }
}

/** Within the limits of a message; replies are told apart by id, so no id twice in a batch. */
function inBatches(queue: Waiting[]): Waiting[][] {
  const batches: { entries: Waiting[]; ids: Set<string>; bytes: number }[] = [];
  for (const entry of queue) {
    let batch = batches.at(-1);
    const full =
      batch && (batch.entries.length >= MAX_COMMANDS || batch.bytes + entry.bytes > BATCH_BYTES || batch.ids.has(entry.command.id));
    if (!batch || full) batches.push((batch = { entries: [], ids: new Set(), bytes: 0 }));
    batch.entries.push(entry);
    batch.ids.add(entry.command.id);
    batch.bytes += entry.bytes + 1;
  }
  return batches.map((batch) => batch.entries);
}

function unanswered(entry: Waiting, cause?: unknown): CadreError {
  const { type, runId } = entry.command;
  return new CadreError('commands-unanswered', `${type} for ${runId} was not answered in time (${entry.lastFault})`, {
    retriable: true,
    remedy: 'see that an orchestrator runs and that NATS is reachable, then ask again',
    ...(cause === undefined ? {} : { cause }),
  });
}
