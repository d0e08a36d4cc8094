/** A scheduler: production's `TermKeeper` on simulated ports. */
import { KeptLeases, PersistentSender } from '@cadre/engine';
import { AgentDirectory, TermKeeper, type HeartbeatEar, type OfferLine, type TermKeeperReports } from '@cadre/scheduling';
import type { Broker } from '../broker/broker.js';
import { SimCommandLine } from '../ports/sim-command-line.js';
import { SimLeaseStore } from '../ports/sim-lease-store.js';
import { SimLog } from '../ports/sim-log.js';
import type { Surroundings } from '../surroundings.js';
import type { Wire } from '../wire.js';
import type { Duty } from './machine.js';

export interface SchedulerDuty extends Duty {
  /** Agents whose breaker is not closed, while this one leads. */
  brokenAgents(): string[] | undefined;
}

export function bootScheduler(around: Surroundings): (wire: Wire) => SchedulerDuty {
  return (wire) => {
    const { broker, timeline, trace, plant } = around;
    const { life } = wire;
    const { clock, chance } = life;
    const store = new SimLeaseStore(wire, broker.leases, () => timeline.now);
    const say = (text: () => string): void => trace.say(life.name, text);
    const reports: TermKeeperReports = {
      leading: (epoch) => say(() => `leads, epoch ${epoch}`),
      standby: () => say(() => 'leads no longer'),
      stopped: (cause) => say(() => `scheduling stopped: ${String(cause)}`),
      answered: ({ command }, reply) => say(() => `${command.type} ${command.runId.slice(-4)}: ${reply.outcome}`),
      caughtUp: (shard, seq) => say(() => `read shard ${shard} up to ${seq}`),
      failed: (shard, error) => say(() => `following shard ${shard} failed: ${String(error)}`),
      offered: () => undefined,
      cancelled: () => undefined,
      show: () => undefined,
    };
    const sender = new PersistentSender(new SimCommandLine(wire, broker), clock);
    const ear = new SimEar(wire, broker);
    const keeper = new TermKeeper(
      {
        holder: life.name,
        leases: new KeptLeases({ store, clock, newId: () => chance.newId() }),
        logs: broker.logs.map((stream) => {
          const log = new SimLog(wire, stream);
          return plant.schedulerLog?.(log) ?? log;
        }),
        ear,
        line: new SimOfferLine(wire, broker, say),
        sender: plant.schedulerSender?.(sender) ?? sender,
        clock,
        chance,
      },
      {},
      reports,
    );
    keeper.start();
    return { stop: () => keeper.stop(), brokenAgents: () => keeper.term?.breakers.map(({ agent }) => agent) };
  };
}

class SimEar implements HeartbeatEar {
  readonly directory: AgentDirectory;
  onChange: () => void = () => undefined;

  constructor(
    private readonly wire: Wire,
    broker: Broker,
  ) {
    const { life } = wire;
    this.directory = new AgentDirectory(life.clock.now());
    broker.heartbeats.listen('*', life, (beat) => {
      if (this.directory.hear(beat, life.clock.now())) this.onChange();
    });
  }

  // A cut is not noticed at once: the client finds out by a ping that is not answered. Losses are the harder case, so it is never noticed
  // here.
  readonly connected = true;

  heardAll(timeoutMs: number): Promise<boolean> {
    return this.wire.ask('flush', () => true, timeoutMs).catch(() => false);
  }
}

class SimOfferLine implements OfferLine {
  constructor(
    private readonly wire: Wire,
    private readonly broker: Broker,
    private readonly say: (text: () => string) => void,
  ) {}

  offer({ workerId, epoch, offers }: Parameters<OfferLine['offer']>[0]): number {
    this.say(() => `offers ${offers.map((o) => `${o.runId.slice(-4)}/${o.taskId}/${o.attempt}`).join(' ')} to ${workerId}`);
    this.wire.publish('offers', this.broker.offers, `${workerId}.${epoch}`, { offers });
    return 1;
  }

  cancel(workerId: string, attempts: Parameters<OfferLine['cancel']>[1]): void {
    this.say(() => `cancels ${attempts.map((o) => `${o.runId.slice(-4)}/${o.taskId}/${o.attempt}`).join(' ')} at ${workerId}`);
    this.wire.publish('cancels', this.broker.cancels, workerId, { attempts });
  }
  backlog(agents: string[]): void {
    this.say(() => `tells of a backlog of ${agents.join(', ')}`);
    this.wire.publish('backlog', this.broker.backlogs, '*', { agents });
  }
}
