/** Keeps one scheduler at its duty: waits for the lease, leads for a term, and stands by again when it is lost. */
import type { CommandReply } from '@cadre/contracts';
import { pause, type Chance, type Clock, type CommandSender, type Lease, type Leases, type ShardLog } from '@cadre/engine';
import { CommandDesk, type Finding } from './command-desk.js';
import type { DeskTiming } from './offer-desk.js';
import type { HeartbeatEar, OfferLine } from './ports.js';
import { SchedulingTerm, type TermReports } from './scheduling-term.js';

const LEASE = 'scheduler';
const RETRY_MS = 500;

/** What surrounds the keeper of a term. */
export interface TermKeeperSurroundings {
  holder: string;
  leases: Leases;
  logs: readonly ShardLog[];
  ear: HeartbeatEar;
  line: OfferLine;
  sender: CommandSender;
  clock: Clock;
  chance: Chance;
}

export interface TermKeeperReports extends TermReports {
  leading(epoch: number): void;
  /** The term is over. */
  standby(epoch: number): void;
  /** What went wrong; it is tried again. */
  stopped(cause: unknown): void;
  answered(finding: Finding, reply: CommandReply): void;
}

export class TermKeeper {
  readonly #stopping = new AbortController();
  #term: SchedulingTerm | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(
    private readonly around: TermKeeperSurroundings,
    private readonly timing: Partial<DeskTiming>,
    private readonly reports: TermKeeperReports,
  ) {}

  /** The term, while this scheduler leads. */
  get term(): SchedulingTerm | undefined {
    return this.#term;
  }

  start(): void {
    this.#working = this.#work();
  }

  /** Ends the term, if there is one, and hands the lease over. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { leases, holder, clock } = this.around;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#serveTerm(await leases.acquire(LEASE, holder, signal));
      } catch (cause) {
        if (signal.aborted) return;
        this.reports.stopped(cause);
        await pause(clock, RETRY_MS, signal);
      }
    }
  }

  async #serveTerm(lease: Lease): Promise<void> {
    const { sender, clock, chance, logs, ear, line } = this.around;
    const commands = new CommandDesk(sender, clock, chance, (finding, reply) => this.reports.answered(finding, reply));
    try {
      this.#term = new SchedulingTerm({ lease, logs, ear, line, commands, clock, reports: this.reports, timing: this.timing });
      this.reports.leading(lease.epoch);
      await this.#term.serve(this.#stopping.signal);
    } finally {
      this.#term = undefined;
      this.reports.standby(lease.epoch);
      await lease.release().catch(() => undefined);
    }
  }
}
