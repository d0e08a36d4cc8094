/** A worker as the protocol has it, by plain NATS: beats, takes offers, starts attempts; ends them when it is told to. */
import { randomUUID } from 'node:crypto';
import {
  HEARTBEAT,
  NO_USAGE,
  SUBJECTS,
  type AgentSummary,
  type CancelBatch,
  type CommandReply,
  type HeldAttempt,
  type Offer,
  type OfferBatch,
} from '@cadre/contracts';
import { NatsCommandSender } from '@cadre/messaging';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';

export interface FakeWorkerOptions {
  id: string;
  slots?: number;
  skills?: string[];
  agent?: string;
  /** Lets offers pass. */
  deaf?: boolean;
}

export class FakeWorker {
  readonly epoch = randomUUID().slice(0, 8);
  readonly offers: (Offer & { at: number })[] = [];
  readonly cancelled: HeldAttempt[] = [];
  readonly held = new Map<string, HeldAttempt>();
  /** Offers of attempts held already. */
  doubles = 0;
  state: 'idle' | 'paused' = 'idle';
  readonly agent: AgentSummary;
  readonly #sender: NatsCommandSender;
  readonly #startedAt = Date.now();
  readonly #subscriptions: Subscription[];
  readonly #timer: NodeJS.Timeout;
  #seq = 0;

  constructor(
    private readonly nats: NatsConnection,
    private readonly options: FakeWorkerOptions,
  ) {
    this.agent = { name: options.agent ?? 'generalist', description: 'fake', skills: options.skills ?? ['general'] };
    this.#sender = new NatsCommandSender(nats);
    const on = <T>(subject: string, take: (body: T) => void) =>
      nats.subscribe(subject, { callback: (error, message) => void (error ?? take(message.json<T>())) });
    this.#subscriptions = [
      on<OfferBatch>(SUBJECTS.offers(options.id, this.epoch), ({ offers }) => offers.forEach((offer) => this.#take(offer))),
      on<CancelBatch>(SUBJECTS.cancels(options.id), ({ attempts }) => attempts.forEach((attempt) => this.#drop(attempt))),
    ];
    this.beat();
    this.#timer = setInterval(() => this.beat(), HEARTBEAT.everyMs);
  }

  beat(): void {
    const { id, slots = 1 } = this.options;
    const held = [...this.held.values()];
    const state = this.state === 'idle' && held.length > 0 ? 'running' : this.state;
    const beat = {
      workerId: id,
      epoch: this.epoch,
      seq: (this.#seq += 1),
      at: Date.now(),
      startedAt: this.#startedAt,
      specialty: 'fake',
      state,
    };
    this.nats.publish(SUBJECTS.heartbeat(id), JSON.stringify({ ...beat, agents: [this.agent], slots, held }));
  }

  /** Ends an attempt that it holds. */
  async complete(attempt: HeldAttempt): Promise<CommandReply> {
    const result = { answer: { text: 'done' }, confidence: 1, artifacts: [], usage: NO_USAGE };
    const reply = await this.#send({ type: 'CompleteAttempt', ...attempt, workerId: this.options.id, result });
    this.held.delete(keyOf(attempt));
    this.beat();
    return reply;
  }

  /** Stops without a word, as a crash does. */
  kill(): void {
    clearInterval(this.#timer);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #take(offer: Offer): void {
    this.offers.push({ ...offer, at: Date.now() });
    const { slots = 1, deaf = false, id } = this.options;
    const attempt = { runId: offer.runId, taskId: offer.taskId, attempt: offer.attempt };
    if (this.held.has(keyOf(attempt))) this.doubles += 1;
    if (deaf || this.held.size >= slots || this.held.has(keyOf(attempt))) return;
    this.held.set(keyOf(attempt), attempt);
    this.beat();
    void this.#send({ type: 'StartAttempt', ...attempt, workerId: id, agent: offer.agent }).then((reply) => {
      if (reply.outcome === 'rejected') this.#drop(attempt);
    });
  }

  #drop(attempt: HeldAttempt): void {
    this.cancelled.push(attempt);
    this.held.delete(keyOf(attempt));
    this.beat();
  }

  async #send(command: object): Promise<CommandReply> {
    const [reply] = await this.#sender.send([{ id: randomUUID(), ...command } as never]);
    if (!reply) throw new Error('no reply');
    return reply;
  }
}

function keyOf({ runId, taskId, attempt }: HeldAttempt): string {
  return `${runId}/${taskId}/${attempt}`;
}
