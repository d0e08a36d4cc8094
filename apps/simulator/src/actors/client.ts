/** Users: they start runs, ask again, cancel, and now and then answer the questions that they are asked. */
import { makeRunId, type Command, type CommandReply, type Question, type StartRun } from '@cadre/contracts';
import { PersistentSender, setTenantBudget, type CommandSender } from '@cadre/engine';
import type { Dice } from '../chance.js';
import { SimCommandLine } from '../ports/sim-command-line.js';
import type { Surroundings } from '../surroundings.js';
import type { Wire } from '../wire.js';
import { drawOptions, drawPlan } from './plans.js';

/** What users did and were told; the watch compares it with the log. */
export interface ClientBook {
  /** Starts sent, by run. */
  readonly sent: Map<string, StartRun>;
  /** Called with each answer to one of their commands. */
  answered(command: Command, reply: CommandReply): void;
  /** Runs that are not over yet, as far as users can see. */
  openRuns(): number;
  /** Questions that are open, as the read model shows them. */
  openQuestions(): Iterable<AskedQuestion>;
  /** Tasks that wait for an event. */
  openWaits(): Iterable<{ runId: string; taskId: string }>;
  /** Whether an effect has happened, as far as a look at the world can tell. */
  hasHappened(key: string): boolean;
}

export interface AskedQuestion extends Question {
  runId: string;
  tenant: string;
  askedAt: number;
}

export interface ClientSettings {
  shards: number;
  /** Mean time between two new runs. */
  everyMs: number;
  /** At most so many runs are open at once. */
  maxOpen: number;
  /** Mean time between two changes of a tenant's cap; 0: no tenant has one. */
  capEveryMs: number;
  /** Plans have scopes and waits in them. */
  scopes: boolean;
}

const TENANTS = ['red', 'blue'] as const;
const LOOK_EVERY_MS = 700;
/** Before anybody says that something has not happened, whatever was on its way must have arrived. */
const SURE_AFTER_MS = 4000;
const REPEAT_CHANCE = 0.15;
const CONFLICT_CHANCE = 0.03;
const CANCEL_CHANCE = 0.15;

export class Client {
  readonly #sender: CommandSender;
  #runs = 0;
  #commands = 0;
  #open = true;
  /** Commands without an answer yet. */
  unanswered = 0;

  constructor(
    private readonly wire: Wire,
    private readonly around: Surroundings,
    private readonly dice: Dice,
    private readonly book: ClientBook,
    private readonly settings: ClientSettings,
  ) {
    const line = new SimCommandLine(wire, around.broker);
    const sender = new PersistentSender(line, wire.life.clock);
    this.#sender = around.plant.clientSender?.(sender, line) ?? sender;
    this.#next();
    this.#lookForQuestions();
    if (settings.scopes) this.#ringBells();
    if (settings.capEveryMs > 0) this.#setCaps();
  }

  /** No new runs; what was sent is still asked for until it is answered. */
  close(): void {
    this.#open = false;
  }

  #next(): void {
    const waitMs = -Math.log(1 - this.dice.random()) * this.settings.everyMs;
    this.wire.life.clock.after(waitMs, () => {
      if (!this.#open) return;
      if (this.book.openRuns() < this.settings.maxOpen) this.#start();
      this.#next();
    });
  }

  #setCaps(): void {
    const { dice, settings } = this;
    this.wire.life.clock.after(dice.int(0, 2 * settings.capEveryMs), () => {
      if (!this.#open) return;
      const capMicros = dice.chance(0.2) ? null : dice.int(0, 15_000);
      const around = { sender: this.#sender, shards: settings.shards, newId: () => this.#id() };
      this.#asking(setTenantBudget(around, dice.pick(TENANTS), capMicros));
      this.#setCaps();
    });
  }

  #asking(answer: Promise<unknown>): void {
    this.unanswered += 1;
    void answer.finally(() => (this.unanswered -= 1));
  }

  #lookForQuestions(): void {
    this.wire.life.clock.after(LOOK_EVERY_MS, () => {
      for (const question of this.book.openQuestions()) if (this.dice.chance(0.25)) this.#answer(question);
      this.#lookForQuestions();
    });
  }

  #ringBells(): void {
    this.wire.life.clock.after(LOOK_EVERY_MS, () => {
      for (const { runId, taskId } of this.book.openWaits()) {
        if (!this.dice.chance(0.25)) continue;
        const event = { id: this.#id(), type: 'bell', source: 'a user', data: { loud: this.dice.chance(0.7) } };
        const wake = { type: 'WakeTask' as const, runId, taskId, event };
        this.#send({ ...wake, id: this.#id() });
        if (this.dice.chance(REPEAT_CHANCE)) this.#later(3000, () => this.#send({ ...wake, id: this.#id() }));
      }
      this.#ringBells();
    });
  }

  #answer({ runId, tenant, questionId, kind, key, askedAt }: AskedQuestion): void {
    const { dice, book } = this;
    const age = this.wire.life.clock.now() - askedAt;
    if (kind === 'effect' && age < SURE_AFTER_MS) return;
    const happened = key !== undefined && book.hasHappened(key);
    const choice = dice.chance(0.15)
      ? ('deny' as const)
      : kind === 'budget'
        ? ('approve' as const)
        : happened
          ? ('done' as const)
          : ('repeat' as const);
    const answer = { type: 'AnswerQuestion' as const, runId, tenant, questionId, choice, by: 'a user' };
    this.#send({ ...answer, id: this.#id() });
    if (dice.chance(REPEAT_CHANCE)) this.#later(3000, () => this.#send({ ...answer, id: this.#id() }));
  }

  #start(): void {
    const { dice } = this;
    this.#runs += 1;
    const runId = makeRunId(dice.int(0, this.settings.shards - 1), `00000000-0000-7000-8000-${String(this.#runs).padStart(12, '0')}`);
    const start: StartRun = {
      type: 'StartRun',
      id: this.#id(),
      runId,
      tenant: dice.pick(TENANTS),
      goal: 'a goal',
      inputs: [],
      options: {
        ...drawOptions(dice, this.settings.scopes),
        ...(this.settings.scopes && dice.chance(0.04) && { planOnly: true as const }),
      },
      fingerprint: `f-${runId}`,
      ...(dice.chance(0.9) && { plan: drawPlan(dice, this.settings.scopes) }),
    };
    this.book.sent.set(runId, start);
    this.#send(start);
    if (dice.chance(REPEAT_CHANCE)) this.#later(10_000, () => this.#send({ ...start, id: this.#id() }));
    if (dice.chance(CONFLICT_CHANCE)) this.#later(5000, () => this.#send({ ...start, id: this.#id(), fingerprint: 'other' }));
    if (dice.chance(CANCEL_CHANCE)) {
      this.#later(3000, () => this.#send({ type: 'CancelRun', id: this.#id(), runId, tenant: start.tenant, reason: 'no longer needed' }));
    }
  }

  #later(mostMs: number, run: () => void): void {
    this.wire.life.clock.after(this.dice.int(1, mostMs), run);
  }

  #id(): string {
    return `${this.wire.life.name}-c${(this.#commands += 1)}`;
  }

  #send(command: Command): void {
    const { trace } = this.around;
    trace.say(this.wire.life.name, () => `${command.type} ${command.runId.slice(-4)}`);
    const sending = this.#sender.send([command]).then(([reply]) => {
      trace.say(
        this.wire.life.name,
        () => `${command.type} ${command.runId.slice(-4)} answered ${JSON.stringify(reply ?? null).slice(0, 120)}`,
      );
      if (reply) this.book.answered(command, reply);
    });
    this.#asking(sending);
  }
}
