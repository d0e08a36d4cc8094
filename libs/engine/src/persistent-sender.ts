/**
 * Sends commands to the owners of their shards and keeps at it. Commands queued in one turn of the event loop for the same shard share a
 * request; what comes back unanswered or `unavailable` is queued again, unchanged, after a growing pause: commands are idempotent by
 * meaning, so a repetition of one that was in fact carried out is answered with what it caused.
 *
 * While answers are due commands gather for a moment: under load, requests grow instead of becoming more, which costs everybody less.
 */
import { CadreError, shardOfCommand, utf8Bytes, type CommandReply, type ShardCommand } from '@cadre/contracts';
import type { Clock, CommandLine, CommandSender, EndSignal, SentCommand } from './ports.js';

/** More would wait for each other: while the owner decides one request, the answers to another are used, and a third is made. */
const MAX_COMMANDS = 250;
const BATCH_BYTES = 512 * 1024;
/** Shorter texts are not counted byte by byte, which costs as much as making them: no unit takes more than three bytes. */
const SMALL_UNITS = 4096;
/** With so many requests unanswered the next one waits, until one is answered or for this time. */
const MANY_REQUESTS = 2;
const GATHER_MS = 5;

export interface SenderTiming {
  /** First pause before a repetition; it doubles up to `maxBackoffMs`. Defaults 50 and 1000. */
  backoffMs: number;
  maxBackoffMs: number;
}

interface Waiting extends SentCommand {
  bytes: number;
  tries: number;
  lastFault: string;
  /** True once answered or given up; the queue skips it. */
  settled: boolean;
  resolve(reply: CommandReply): void;
  reject(error: Error): void;
}

interface ShardQueue {
  waiting: Waiting[];
  unanswered: number;
  /** A flush is on its way: at the end of this turn, or when the gathering is over. */
  due: boolean;
  endGathering: (() => void) | undefined;
}

export class PersistentSender implements CommandSender {
  readonly #queues = new Map<number, ShardQueue>();
  readonly #timing: SenderTiming;

  constructor(
    private readonly line: CommandLine,
    private readonly clock: Clock,
    timing: Partial<SenderTiming> = {},
  ) {
    this.#timing = { backoffMs: 50, maxBackoffMs: 1000, ...timing };
  }

  /** See `CommandSender`. Error `command-too-large` when one does not fit into a message. */
  async send(commands: ShardCommand[], signal?: EndSignal): Promise<CommandReply[]> {
    if (commands.length === 1) return [await this.#sendOne(commands[0] as ShardCommand, signal)];
    return Promise.all(commands.map((command) => this.#sendOne(command, signal)));
  }

  #sendOne(command: ShardCommand, signal: EndSignal | undefined): Promise<CommandReply> {
    const json = JSON.stringify(command);
    const limit = this.line.maxCommandBytes;
    const bytes = json.length <= SMALL_UNITS ? json.length * 3 : utf8Bytes(json);
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
      this.#enqueue(entry);
    });
  }

  #enqueue(entry: Waiting): void {
    const shard = shardOfCommand(entry.command);
    let queue = this.#queues.get(shard);
    if (queue === undefined) this.#queues.set(shard, (queue = { waiting: [], unanswered: 0, due: false, endGathering: undefined }));
    queue.waiting.push(entry);
    this.#flushSoon(shard, queue);
  }

  #flushSoon(shard: number, queue: ShardQueue): void {
    if (queue.due || queue.waiting.length === 0) return;
    if (queue.unanswered >= MANY_REQUESTS) {
      queue.endGathering ??= this.clock.after(GATHER_MS, () => this.#flush(shard, queue));
      return;
    }
    queue.due = true;
    this.clock.soon(() => this.#flush(shard, queue));
  }

  #flush(shard: number, queue: ShardQueue): void {
    queue.due = false;
    queue.endGathering?.();
    queue.endGathering = undefined;
    const entries = queue.waiting.filter((entry) => !entry.settled);
    queue.waiting = [];
    for (const batch of inBatches(entries)) {
      queue.unanswered += 1;
      void this.#request(shard, batch).then(() => {
        queue.unanswered -= 1;
        this.#flushSoon(shard, queue);
      });
    }
  }

  /** Never rejects. */
  async #request(shard: number, batch: Waiting[]): Promise<void> {
    let replies = new Map<string, CommandReply>();
    let fault = 'no answer to this command';
    try {
      replies = new Map((await this.line.request(shard, batch)).map((reply) => [reply.id, reply]));
    } catch (error) {
      if (error instanceof CadreError && error.code === 'connection-closed') {
        return batch.forEach((entry) => !entry.settled && entry.reject(unanswered(entry, error)));
      }
      fault = (error as Error).message;
    }
    const again: Waiting[] = [];
    const leftOut: Waiting[] = [];
    let answered = false;
    for (const entry of batch) {
      if (entry.settled) continue;
      const reply = replies.get(entry.command.id);
      if (reply && reply.outcome !== 'unavailable') {
        answered = true;
        entry.resolve(reply);
        continue;
      }
      entry.lastFault = reply?.message ?? fault;
      (reply ? again : leftOut).push(entry);
    }
    // The owner's answer had no room for more: the rest is asked again without a pause.
    if (answered) leftOut.forEach((entry) => this.#enqueue(entry));
    this.#queueAgain(answered ? again : [...again, ...leftOut]);
  }

  /** Those that were asked together are asked together again. */
  #queueAgain(entries: Waiting[]): void {
    const { backoffMs, maxBackoffMs } = this.#timing;
    const byWait = new Map<number, Waiting[]>();
    for (const entry of entries) {
      const waitMs = Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(entry.tries, 20));
      entry.tries += 1;
      const group = byWait.get(waitMs);
      if (group) group.push(entry);
      else byWait.set(waitMs, [entry]);
    }
    for (const [waitMs, group] of byWait) {
      this.clock.after(waitMs, () => group.forEach((entry) => !entry.settled && this.#enqueue(entry)));
    }
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
  const { command } = entry;
  const subject = 'runId' in command ? command.runId : `tenant ${command.tenant}`;
  return new CadreError('commands-unanswered', `${command.type} for ${subject} was not answered in time (${entry.lastFault})`, {
    retriable: true,
    remedy: 'see that an orchestrator runs and that NATS is reachable, then ask again',
    ...(cause === undefined ? {} : { cause }),
  });
}
