/** The orchestrator's duty: keep every shard owned, show how that goes, and hand over on shutdown. */
import { CommandBatch, HistoryAnswer, STREAMS, SUBJECTS } from '@cadre/contracts';
import type { HistoryQueryInput } from '@cadre/contracts';
import { JetStreamLeases, JetStreamLog, ensureTopology } from '@cadre/event-log';
import { NatsCommandSender, requestJson, serveRequests, systemChance, systemClock } from '@cadre/messaging';
import { ShardKeeper } from '@cadre/engine';
import type { KeeperReports, KeeperState, KeeperSurroundings, OwnerCounts } from '@cadre/engine';
import type { ServiceContext } from '@cadre/service-kit';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { crashingLog } from './crashing-log.js';
import type { OrchestratorConfig } from './orchestrator.config.js';

export class ShardDuty implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #keepers: ShardKeeper[] = [];

  constructor(private readonly context: ServiceContext<OrchestratorConfig>) {}

  async onApplicationBootstrap(): Promise<void> {
    const { nats, config, health, pass } = this.context;
    await ensureTopology(nats, { shards: config.CADRE_SHARDS, replicas: config.CADRE_REPLICAS });
    const leases = await JetStreamLeases.open(nats);
    const sender = new NatsCommandSender(nats);
    const reports = this.#reports();
    for (let shard = 0; shard < config.CADRE_SHARDS; shard += 1) {
      const around: KeeperSurroundings = {
        log: crashingLog(await JetStreamLog.open(nats, shard), pass),
        leases,
        serve: async (of, handle) => this.#serve(of, handle),
        clock: systemClock,
        chance: systemChance,
        shards: config.CADRE_SHARDS,
        sender,
        archivedSeq: (of) => this.#archivedSeq(of),
      };
      const settings = {
        snapshotBlocks: config.SNAPSHOT_BLOCKS,
        keepBlocks: config.LOG_KEEP_BLOCKS,
        retentionMs: config.RETENTION_HOURS * 3_600_000,
      };
      const keeper = new ShardKeeper(around, settings, reports);
      this.#keepers.push(keeper);
      // A standby is as ready as an owner; only folding is not.
      health.register(STREAMS.log(shard), () => ({ ok: keeper.state === 'owner' || keeper.state === 'standby', detail: keeper.state }));
      keeper.start();
    }
    this.#exposeCounts();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.#keepers.map((keeper) => keeper.stop()));
  }

  #serve(shard: number, handle: Parameters<KeeperSurroundings['serve']>[1]): { stop(): Promise<void> } {
    const { nats, log } = this.context;
    return serveRequests(nats, SUBJECTS.shardCommands(shard), { log }, async (request) => {
      const batch = CommandBatch.parse(request);
      return { replies: await handle(batch.commands) };
    });
  }

  /** Asks the monitor; while none answers, nothing counts as archived. */
  async #archivedSeq(shard: number): Promise<number> {
    const query: HistoryQueryInput = { type: 'GetPosition', shard };
    const options = { schema: HistoryAnswer, timeoutMs: 2000 };
    const answer = await requestJson(this.context.nats, SUBJECTS.history, query, options).catch(() => undefined);
    return answer?.type === 'Position' ? answer.seq : 0;
  }

  /** Counts of the shards that this process owns, since it took them. */
  #exposeCounts(): void {
    const { metrics } = this.context;
    const sum = (of: keyof OwnerCounts) => this.#keepers.reduce((total, keeper) => total + (keeper.owner?.counts[of] ?? 0), 0);
    for (const outcome of ['received', 'accepted', 'duplicate', 'rejected', 'unavailable', 'blocks', 'commits'] as const) {
      metrics.gauge(`cadre_owner_${outcome}`, `Since the shards were taken: ${outcome}`, [], () => sum(outcome));
    }
    metrics.gauge(
      'cadre_owner_shards',
      'Shards that this process owns',
      [],
      () => this.#keepers.filter((keeper) => keeper.state === 'owner').length,
    );
    metrics.gauge('cadre_owner_open_runs', 'Open runs of the owned shards', [], () =>
      this.#keepers.reduce((total, keeper) => total + Object.keys(keeper.owner?.state.open ?? {}).length, 0),
    );
  }

  #reports(): KeeperReports {
    const { log, metrics, pass } = this.context;
    const bugs = metrics.counter('cadre_engine_bugs_total', 'Commands that the engine failed on, a fault of Cadre', []);
    const before = new Map<number, KeeperState>();
    return {
      state: (shard, state) => {
        log.debug({ shard, state }, 'shard state');
        if (before.get(shard) === 'owner' && state === 'standby') pass?.('orchestrator-lease-lost');
        before.set(shard, state);
      },
      took: (shard, facts) => log.info({ shard, ...facts }, 'took the shard'),
      lost: (shard, reason, cause) => log.warn({ shard, reason, err: cause }, 'lost the shard; its memory is dropped'),
      snapshot: (shard, facts) => log.info({ shard, ...facts }, 'saved a snapshot'),
      failed: (shard, what, cause) => log.error({ shard, err: cause }, what),
      bug: (shard, command, cause) => {
        bugs.inc();
        const { type, id, runId } = command;
        log.error(
          { shard, command: { type, id, runId }, err: cause },
          'the engine failed on a command and refused it, which is a fault of Cadre; please report it',
        );
      },
    };
  }
}
