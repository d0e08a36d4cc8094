/** An orchestrator: production's `ShardKeeper`s on simulated ports. */
import { KeptLeases, PersistentSender, ShardKeeper, type KeeperReports, type Leases, type ShardLog } from '@cadre/engine';
import type { LogStream } from '../broker/log-stream.js';
import { logWith } from '../planted/plant.js';
import { SimLeaseStore } from '../ports/sim-lease-store.js';
import { SimLog } from '../ports/sim-log.js';
import { serveCommands, SimCommandLine, type WatchBatch } from '../ports/sim-command-line.js';
import type { Surroundings } from '../surroundings.js';
import type { Wire } from '../wire.js';
import type { Duty } from './machine.js';

export interface OrchestratorSettings {
  snapshotBlocks: number;
  keepBlocks: number;
  retentionMs: number;
}

export function bootOrchestrator(around: Surroundings, settings: OrchestratorSettings, watch: WatchBatch): (wire: Wire) => Duty {
  return (wire) => {
    const { broker, timeline, trace, plant } = around;
    const { clock, chance } = wire.life;
    const store = new SimLeaseStore(wire, broker.leases, () => timeline.now);
    const kept = new KeptLeases({ store, clock, newId: () => chance.newId() });
    const leases: Leases = plant.lease ? { acquire: async (...wanted) => plant.lease!(await kept.acquire(...wanted)) } : kept;
    const serve = serveCommands(wire, broker, watch);
    const sender = new PersistentSender(new SimCommandLine(wire, broker), clock);
    const reports: KeeperReports = {
      state: (shard, state) => trace.say(wire.life.name, () => `shard ${shard}: ${state}`),
      took: (shard, facts) => trace.say(wire.life.name, () => `took shard ${shard} at ${facts.seq}, epoch ${facts.epoch}`),
      lost: (shard, reason) => trace.say(wire.life.name, () => `lost shard ${shard}: ${reason}`),
      snapshot: (shard, { seq }) => trace.say(wire.life.name, () => `snapshot of shard ${shard} at ${seq}`),
      failed: (shard, what, cause) => trace.say(wire.life.name, () => `shard ${shard}: ${what} (${String(cause)})`),
      bug: (_shard, _command, cause) => {
        throw cause;
      },
    };
    const keepers = broker.logs.map((stream) => {
      const keeper = new ShardKeeper(
        {
          log: ownerLog(around, wire, stream),
          leases,
          serve: plant.serve?.(serve, wire) ?? serve,
          ...(plant.decide && { decide: plant.decide }),
          clock,
          chance,
          shards: broker.logs.length,
          sender,
          archivedSeq: () => wire.ask('archived', () => stream.lastSeq).catch(() => 0),
        },
        settings,
        reports,
      );
      keeper.start();
      return keeper;
    });
    return { stop: async () => void (await Promise.all(keepers.map((keeper) => keeper.stop()))) };
  };
}

function ownerLog({ plant }: Surroundings, wire: Wire, stream: LogStream): ShardLog {
  const log = plant.ownerLog?.(new SimLog(wire, stream), wire) ?? new SimLog(wire, stream);
  const { snapshot } = plant;
  return snapshot ? logWith(log, { saveSnapshot: (taken) => log.saveSnapshot(snapshot(taken)) }) : log;
}
