/**
 * Many tasks at once at the limit of what they may spend, while the model server turns them away, hangs and breaks off, lines to the broker
 * tear, and a share of all commands comes again, some of them late. What was spent is counted from the log and asked of the model server.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkInvariants, compareAccounts, setTenantBudget, ShardAudit, type Violation } from '@cadre/engine';
import { connectNats, NatsCommandSender } from '@cadre/messaging';
import { z } from 'zod';
import { LogWitness } from '../log-witness.js';
import { seeded } from '../random.js';
import { CommandEcho } from './command-echo.js';
import { RaceLedger, type ServerCount } from './race-ledger.js';
import { raceRow, type RaceResult } from './race-table.js';
import { RACE_KINDS, raceRounds, startOf, uuid, type RaceRound } from './race-rounds.js';
import { startRaceSystem, type RaceSetting, type RaceSystem } from './race-system.js';

export interface RaceOptions {
  /** At least so many. */
  runs: number;
  tasks: number;
  seed: number;
  setting?: Partial<RaceSetting>;
  /** How late copies of commands come at most. */
  latestMs?: number;
  log: (line: string) => void;
}

const LONGEST_ROUND_MS = 120_000;

const Count = z.object({ received: z.number(), done: z.number(), costMicros: z.number(), outcomes: z.record(z.string(), z.number()) });
const Report = z.object({ unkeyed: Count, keys: z.record(z.string(), Count), forgotten: z.number() });

/** What is not as promised, a round that does not end included, is in the result. Rejects when the system does not start. */
export async function budgetRace({ runs, tasks, seed, setting: own, latestMs = 6000, log }: RaceOptions): Promise<RaceResult> {
  const began = Date.now();
  const random = seeded(seed);
  const faults = `seed:${seed},429:0.12,503:0.02,hang:0.03,reset:0.02,truncated:0.02,refuse:0.01,retry-after:0.1`;
  const setting: RaceSetting = { shards: 2, workers: 4, slots: 30, faults, latencyMs: 30, timeoutMs: 1200, ...own };
  const system = await startRaceSystem(setting, random);
  try {
    const race = await Race.begin(system, setting.shards, latestMs, random);
    const rounds = raceRounds(runs, tasks, setting.shards, seed, random);
    const result = await race.run(rounds, tasks, log).finally(() => race.close());
    return { seed, tasks, setting, ...result, tookMs: Date.now() - began };
  } finally {
    await system.stop();
  }
}

type Connection = Awaited<ReturnType<typeof connectNats>>;

class Race {
  readonly #sender: NatsCommandSender;
  /** Blocks of each shard that were looked at. */
  readonly #looked: number[];
  readonly #ended = new Set<string>();

  private constructor(
    private readonly system: RaceSystem,
    private readonly nats: Connection,
    private readonly logs: LogWitness[],
    private readonly echo: CommandEcho,
    private readonly random: () => number,
  ) {
    this.#sender = new NatsCommandSender(nats);
    this.#looked = logs.map(() => 0);
  }

  static async begin(system: RaceSystem, shards: number, latestMs: number, random: () => number): Promise<Race> {
    const nats = await connectNats({ url: system.natsUrl, name: 'budget-race' });
    const logs: LogWitness[] = [];
    for (let shard = 0; shard < shards; shard += 1) logs.push(await LogWitness.start(system.natsUrl, shard));
    return new Race(system, nats, logs, new CommandEcho(nats, shards, latestMs, random), random);
  }

  async close(): Promise<void> {
    this.echo.stop();
    for (const log of this.logs) await log.close();
    await this.nats.close();
  }

  async run(rounds: readonly RaceRound[], tasks: number, log: (line: string) => void) {
    const { links } = this.system;
    for (const link of links) link.tearing = true;
    const troubles: string[] = [];
    for (const [index, round] of rounds.entries()) {
      const began = Date.now();
      await this.#play(round, tasks).catch((error: unknown) => void troubles.push(`round ${index + 1}: ${(error as Error).stack}`));
      log(`budget-race: round ${index + 1} of ${rounds.length} (${round.kind}): ${Date.now() - began} ms`);
    }
    await this.#quiet();
    const server = await this.#served();
    const ledgers = this.#ledgers(rounds);
    const rows = RACE_KINDS.map((kind) =>
      raceRow(
        kind,
        ledgers.filter(({ round }) => round.kind === kind),
        server,
      ),
    );
    const faults = [
      ...troubles,
      ...ledgers.flatMap((ledger) => ledger.faults),
      ...unraced(ledgers),
      ...strangers(ledgers, server),
      ...this.#violations(rounds),
    ];
    const sum = (of: (link: (typeof links)[number]) => number): number => links.reduce((total, link) => total + of(link), 0);
    const torn = { breaks: sum(({ breaks }) => breaks), heldUp: sum(({ heldUp }) => heldUp) };
    return { rows, copies: this.echo.sent, answers: this.echo.answered, ...torn, faults };
  }

  async #play(round: RaceRound, tasks: number): Promise<void> {
    const { tenantMicros } = round.caps;
    if (tenantMicros !== undefined) {
      const around = { sender: this.#sender, shards: this.logs.length, newId: () => uuid(this.random) };
      await setTenantBudget(around, round.tenant, tenantMicros);
    }
    const replies = await this.#sender.send(round.runs.map((runId) => startOf(round, runId, tasks)));
    for (const reply of replies) if (reply.outcome !== 'accepted') throw new Error(`a run was not started: ${JSON.stringify(reply)}`);
    const until = Date.now() + LONGEST_ROUND_MS;
    while (!round.runs.every((runId) => this.#hasEnded(runId))) {
      if (Date.now() > until) throw new Error(`${round.runs.join(', ')} did not end within ${LONGEST_ROUND_MS} ms`);
      await sleep(20);
    }
  }

  #hasEnded(runId: string): boolean {
    for (const [shard, log] of this.logs.entries()) {
      for (const { runId: id, events } of log.commits(this.#looked[shard])) {
        if (events.some(({ type }) => type === 'RunCompleted' || type === 'RunFailed' || type === 'RunCancelled')) this.#ended.add(id);
      }
      this.#looked[shard] = log.blocks.length;
    }
    return this.#ended.has(runId);
  }

  async #quiet(): Promise<void> {
    for (const link of this.system.links) link.tearing = false;
    // Until the latest copy has come and was answered.
    while (this.echo.pending > 0) await sleep(50);
    await sleep(500);
    for (const log of this.logs) await log.caughtUp();
  }

  async #served(): Promise<Map<string, ServerCount>> {
    const response = await fetch(`${this.system.modelUrl}/sim/calls`);
    const { unkeyed, keys, forgotten } = Report.parse(await response.json());
    if (unkeyed.received > 0 || forgotten > 0) throw new Error('calls of the model server have no key, or are forgotten');
    return new Map(Object.entries(keys));
  }

  #ledgers(rounds: readonly RaceRound[]): RaceLedger[] {
    const byRun = new Map<string, RaceLedger>();
    const ledgers = rounds.map((round) => {
      const ledger = new RaceLedger(round);
      for (const runId of round.runs) byRun.set(runId, ledger);
      return ledger;
    });
    for (const log of this.logs) for (const commit of log.commits()) byRun.get(commit.runId)?.commit(commit);
    for (const ledger of ledgers) ledger.finish();
    return ledgers;
  }

  /** What the checker of the project finds. */
  #violations(rounds: readonly RaceRound[]): string[] {
    const shards = this.logs.length;
    const found: Violation[] = [];
    const audits = this.logs.map(({ blocks }, shard) => {
      const submissions = rounds.flatMap(({ runs }) => runs.map((runId) => ({ runId })));
      const ours = submissions.filter(({ runId }) => Number(runId.slice(1, 3)) === shard);
      found.push(...checkInvariants({ shards, blocks, submissions: ours, finished: true, now: Date.now() }));
      const audit = new ShardAudit(() => undefined, shards);
      for (const { seq, block } of blocks) audit.block(seq, block);
      return audit.accounts!;
    });
    compareAccounts(audits, (violation) => void found.push(violation));
    return found.map(({ invariant, clause, message }) => `${invariant} ${clause}: ${message}`);
  }
}

/** A round in which nobody was refused, or nobody got through, proves nothing. */
function unraced(ledgers: readonly RaceLedger[]): string[] {
  return ledgers.flatMap(({ round, refusals, tasks }) => {
    const completed = [...tasks.values()].filter(({ end }) => end === 'completed').length;
    const refused = Object.values(refusals).reduce((sum, count) => sum + count, 0);
    return refused > 0 && completed > 0 ? [] : [`no race in ${round.runs[0]}: ${refused} refusals, ${completed} tasks completed`];
  });
}

/** The server was asked for what no reservation allows. */
function strangers(ledgers: readonly RaceLedger[], server: ReadonlyMap<string, ServerCount>): string[] {
  const known = new Set(ledgers.flatMap(({ calls }) => [...calls.keys()]));
  return [...server.keys()].filter((key) => !known.has(key)).map((key) => `call ${key} was made and is not in the log`);
}
