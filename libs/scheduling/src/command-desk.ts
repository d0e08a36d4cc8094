/**
 * Sends each finding as a command once, and keeps at it until it is answered. A finding that does not hold any more before that is
 * withdrawn; one that still holds a while after the answer (clocks differ, the log lags) is sent again.
 */
import type { Command, CommandReply } from '@cadre/contracts';
import type { Chance, Clock, CommandSender } from '@cadre/engine';

type Bare<C> = C extends Command ? Omit<C, 'id'> : never;
export type BareCommand = Bare<Command>;

export interface Finding {
  /** Equal findings have equal keys. */
  key: string;
  /** For figures: why, or what. */
  label: string;
  command: BareCommand;
}

interface Case {
  withdrawn: AbortController;
  answeredAt?: number;
}

const AGAIN_AFTER_MS = 1000;

export class CommandDesk {
  readonly #cases = new Map<string, Case>();

  constructor(
    private readonly sender: CommandSender,
    private readonly clock: Clock,
    private readonly chance: Chance,
    private readonly onReply: (finding: Finding, reply: CommandReply) => void,
  ) {}

  /** Takes all findings of the moment. */
  take(findings: readonly Finding[], now: number): void {
    const keys = new Set(findings.map((finding) => finding.key));
    for (const [key, { withdrawn, answeredAt }] of this.#cases) {
      if (keys.has(key) && (answeredAt === undefined || now - answeredAt < AGAIN_AFTER_MS)) continue;
      withdrawn.abort();
      this.#cases.delete(key);
    }
    for (const finding of findings) if (!this.#cases.has(finding.key)) void this.#send(finding);
  }

  withdrawAll(): void {
    this.take([], 0);
  }

  async #send(finding: Finding): Promise<void> {
    const entry: Case = { withdrawn: new AbortController() };
    this.#cases.set(finding.key, entry);
    try {
      const command = { ...finding.command, id: this.chance.newId() } as Command;
      const [reply] = await this.sender.send([command], entry.withdrawn.signal);
      if (reply) this.onReply(finding, reply);
    } catch {
      // Withdrawn, or the connection is closed for good: if the finding still holds, the next sweep takes it up again.
    }
    entry.answeredAt = this.clock.now();
  }
}
