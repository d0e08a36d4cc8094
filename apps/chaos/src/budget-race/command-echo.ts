/**
 * Repeats a share of what workers say to the owners: at once, a little later, and so late that the attempt, the task or the run is over.
 */
import { SUBJECTS } from '@cadre/contracts';
import { createInbox, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';

const SHARE = 0.25;
const REPEATED = new Set(['StartAttempt', 'RecordCalls', 'CompleteAttempt', 'FailAttempt', 'ReleaseAttempt']);
const MARK = 'Cadre-Chaos-Echo';

const Batch = z.object({ commands: z.array(z.looseObject({ type: z.string() })) });
const Answers = z.object({ replies: z.array(z.looseObject({ outcome: z.string() })) });

export class CommandEcho {
  /** Copies sent, by type of command. */
  readonly sent: Record<string, number> = {};
  /** How the owners answered them. */
  readonly answered: Record<string, number> = {};
  readonly #inbox = createInbox();
  readonly #pending = new Set<NodeJS.Timeout>();
  /** Each copy comes after a time of one of these ranges. */
  readonly #delaysMs: readonly (readonly [number, number])[];

  constructor(
    private readonly nats: NatsConnection,
    shards: number,
    latestMs: number,
    private readonly random: () => number,
  ) {
    this.#delaysMs = [
      [0, 0],
      [5, 300],
      [300, latestMs],
    ];
    nats.subscribe(this.#inbox, { callback: (error, message) => (error ? undefined : this.#count(message)) });
    for (let shard = 0; shard < shards; shard += 1) {
      nats.subscribe(SUBJECTS.shardCommands(shard), { callback: (error, message) => (error ? undefined : this.#hear(message)) });
    }
  }

  get pending(): number {
    return this.#pending.size;
  }

  stop(): void {
    for (const timer of this.#pending) clearTimeout(timer);
    this.#pending.clear();
  }

  #hear(message: Msg): void {
    if (message.headers?.has(MARK)) return;
    for (const command of Batch.parse(message.json()).commands) {
      if (!REPEATED.has(command.type) || this.random() >= SHARE) continue;
      const [least, most] = this.#delaysMs[Math.floor(this.random() * this.#delaysMs.length)]!;
      this.#later(least + this.random() * (most - least), () => this.#repeat(message.subject, command));
    }
  }

  #later(ms: number, act: () => void): void {
    if (ms === 0) return act();
    const timer = setTimeout(() => {
      this.#pending.delete(timer);
      act();
    }, ms);
    this.#pending.add(timer);
  }

  #repeat(subject: string, command: { type: string }): void {
    this.sent[command.type] = (this.sent[command.type] ?? 0) + 1;
    const marked = headers();
    marked.set(MARK, '1');
    this.nats.publish(subject, JSON.stringify({ commands: [command] }), { reply: this.#inbox, headers: marked });
  }

  #count(message: Msg): void {
    const answers = Answers.safeParse(message.data.length === 0 ? undefined : message.json());
    const outcomes = answers.success ? answers.data.replies.map(({ outcome }) => outcome) : ['no answer'];
    for (const outcome of outcomes) this.answered[outcome] = (this.answered[outcome] ?? 0) + 1;
  }
}
