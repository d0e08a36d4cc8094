/** One seed's world: all processes around one broker, and the watch over them. */
import type { HeldAttempt } from '@cadre/contracts';
import { Broker } from './broker/broker.js';
import { Client } from './actors/client.js';
import { Machine, type Boot } from './actors/machine.js';
import { bootOrchestrator } from './actors/orchestrator.js';
import { bootScheduler, type SchedulerDuty } from './actors/scheduler.js';
import { bootWorker, DEFINITIONS, DELEGATING_DEFINITIONS, hasLabels, type WorkerDuty } from './actors/worker.js';
import { effectOf } from './actors/calls.js';
import { Dice } from './chance.js';
import { DisasterDesk } from './disasters.js';
import { Life } from './life.js';
import type { WorldOptions } from './options.js';
import type { Plant } from './planted/plant.js';
import { Outside } from './outside/outside.js';
import { Timeline } from './timeline.js';
import { Trace } from './trace.js';
import { Watch } from './watch/watch.js';
import { Sky } from './weather.js';
import { Wire } from './wire.js';
import type { Surroundings } from './surroundings.js';

const RETENTION_MS = 3_600_000;

export class World {
  readonly timeline: Timeline;
  readonly watch: Watch;
  readonly broker: Broker;
  readonly trace: Trace;
  readonly machines: Machine[] = [];
  readonly client: Client;
  readonly disasters: DisasterDesk;
  readonly #dice: Dice;
  readonly #around: Surroundings;
  readonly outside: Outside;
  readonly #workers = new Map<string, WorkerDuty>();
  readonly #schedulers = new Map<string, SchedulerDuty>();

  constructor(
    readonly options: WorldOptions,
    readable: boolean,
    plant: Plant = {},
  ) {
    this.trace = new Trace(readable);
    this.timeline = new Timeline(this.trace);
    this.#dice = new Dice(options.seed, 2);
    this.broker = new Broker(options.shards);
    this.watch = new Watch(this.broker.logs, this.trace, (sha256) => this.broker.blobs.has(sha256), effectOf, hasLabels);
    const sky = new Sky(options.weather, this.#dice.fork());
    this.#around = { timeline: this.timeline, broker: this.broker, sky, trace: this.trace, plant };
    for (const stream of this.broker.logs) plant.stream?.(stream);
    this.watch.leaseTakenBack = () => this.broker.leases.isDoubtful(this.timeline.now);
    this.outside = new Outside(this.#around, options.manners, this.#dice.fork(), this.watch.calls);
    this.#build();
    this.client = this.#makeClient();
    this.disasters = new DisasterDesk(this.#around, this.machines);
    for (const machine of this.machines) machine.start();
  }

  /** Attempts that living workers hold. */
  held(): HeldAttempt[] {
    return [...this.#workers.values()].flatMap((worker) => worker.held());
  }

  /** Agents that could take work now and whose breaker is closed. */
  freeAgents(): Set<string> {
    const broken = new Set([...this.#schedulers.values()].flatMap((scheduler) => scheduler.brokenAgents() ?? []));
    const free = [...this.#workers.values()].flatMap((worker) => worker.freeAgents());
    return new Set(free.filter((agent) => !broken.has(agent)));
  }

  #build(): void {
    const { options, watch } = this;
    const { snapshotBlocks, keepBlocks } = options;
    const orchestrate = bootOrchestrator(this.#around, { snapshotBlocks, keepBlocks, retentionMs: RETENTION_MS }, (commands) =>
      watch.arrived(commands),
    );
    const schedule = bootScheduler(this.#around);
    for (let i = 0; i < options.orchestrators; i += 1) this.#add(`orch${i}`, orchestrate);
    for (let i = 0; i < options.schedulers; i += 1) this.#add(`sched${i}`, (wire) => kept(this.#schedulers, `sched${i}`, schedule(wire)));
    for (let i = 0; i < options.workers; i += 1) this.#addWorker(i);
  }

  #addWorker(index: number): void {
    const name = `work${index}`;
    const definitions = this.options.scopes ? DELEGATING_DEFINITIONS : DEFINITIONS;
    const agents = index === 0 ? definitions : [definitions[index % 2]!];
    const boot = bootWorker(this.#around, this.outside, { workerId: name, slots: this.options.slots, agents });
    this.#add(name, (wire) => kept(this.#workers, name, boot(wire)));
  }

  #add(name: string, boot: Boot): void {
    const dice = this.#dice.fork();
    const { skewMs } = this.options.weather;
    const downMs = (): number => dice.int(20, 3000);
    this.machines.push(new Machine(name, this.#around, dice, boot, dice.int(-skewMs, skewMs), downMs));
  }

  #makeClient(): Client {
    const { options, watch } = this;
    const life = new Life('client', this.timeline, this.#dice.fork(), 0, () => undefined);
    life.mortal = false;
    const book = {
      sent: watch.sent,
      answered: watch.told.bind(watch),
      openRuns: () => watch.openRuns,
      openQuestions: () => watch.openQuestions(),
      openWaits: () => watch.openWaits(),
      hasHappened: (key: string) => (this.outside.effects.get(key) ?? 0) > 0,
    };
    const { shards, runEveryMs: everyMs, maxOpenRuns: maxOpen, capEveryMs, scopes } = options;
    const settings = { shards, everyMs, maxOpen, capEveryMs, scopes };
    return new Client(new Wire(life, this.#around), this.#around, this.#dice.fork(), book, settings);
  }
}

function kept<T>(duties: Map<string, T>, name: string, duty: T): T {
  duties.set(name, duty);
  return duty;
}
