/** A worker as the protocol has it, by plain NATS: beats, takes offers, starts attempts; ends them when it is told to. */
import { randomUUID } from 'node:crypto';
import {
  HEARTBEAT,
  SUBJECTS,
  type AgentSummary,
  type CancelBatch,
  type CommandReply,
  type HeldAttempt,
  type Labels,
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
  labels?: Labels;
  /** Lets offers pass. */
  deaf?: boolean;
}

export class FakeWorker {
  readonly epoch = randomUUID().slice(0, 8);
  readonly offers: (Offer & { at: number })[] = [];
  readonly cancelled: HeldAttempt[] = [];
  readonly held = new Map<string, HeldAttempt>();
  /** Offers beyond the slots: the scheduler sees in the log that a slot is free before the worker has its answer. */
  readonly #waiting = new Map<string, Offer>();
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
    const { id, slots = 1, labels } = this.options;
    const waiting = [...this.#waiting.values()].map(({ runId, taskId, attempt }) => ({ runId, taskId, attempt }));
    const held = [...this.held.values(), ...waiting];
    const state = this.state === 'idle' && held.length > 0 ? 'running' : this.state;
    const beat = {
      workerId: id,
      epoch: this.epoch,
      seq: (this.#seq += 1),
      at: Date.now(),
      startedAt: this.#startedAt,
      specialty: 'fake',
      ...(labels && { labels }),
      state,
    };
    this.nats.publish(SUBJECTS.heartbeat(id), JSON.stringify({ ...beat, agents: [this.agent], slots, held }));
  }

  /** Ends an attempt that it holds. */
  async complete(attempt: HeldAttempt): Promise<CommandReply> {
    const result = { answer: { text: 'done' }, confidence: 1, artifacts: [] };
    const reply = await this.#send({ type: 'CompleteAttempt', ...attempt, workerId: this.options.id, result });
    this.#release(attempt);
    return reply;
  }

  /** Stops without a word, as a crash does. */
  kill(): void {
    clearInterval(this.#timer);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #take(offer: Offer): void {
    this.offers.push({ ...offer, at: Date.now() });
    const { slots = 1, deaf = false } = this.options;
    const isKnown = this.held.has(keyOf(offer)) || this.#waiting.has(keyOf(offer));
    if (isKnown) this.doubles += 1;
    if (deaf || isKnown) return;
    if (this.held.size < slots) this.#begin(offer);
    else if (this.#waiting.size < slots) this.#waiting.set(keyOf(offer), offer);
  }

  #begin({ runId, taskId, attempt, agent }: Offer): void {
    const held = { runId, taskId, attempt };
    this.held.set(keyOf(held), held);
    this.beat();
    void this.#send({ type: 'StartAttempt', ...held, workerId: this.options.id, agent }).then((reply) => {
      if (reply.outcome === 'rejected') this.#drop(held);
    });
  }

  #release(attempt: HeldAttempt): void {
    this.held.delete(keyOf(attempt));
    const [next] = this.#waiting.values();
    if (next === undefined) return this.beat();
    this.#waiting.delete(keyOf(next));
    this.#begin(next);
  }

  #drop(attempt: HeldAttempt): void {
    this.cancelled.push(attempt);
    if (!this.#waiting.delete(keyOf(attempt))) this.#release(attempt);
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
