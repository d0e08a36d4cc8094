/** Holds the lines of all model servers with limits, for one term as the leading scheduler. */
import type { GovernorAnswer, GovernorAsk } from '@cadre/contracts';
import { LineDesk } from './line-desk.js';
import type { LineSurroundings } from './line-desk.js';

export interface LineView {
  server: string;
  model: string;
  /** Passes of the last minute or so that count, and their tokens. */
  requests: number;
  tokens: number;
  /** Passes whose calls are not known to be over. */
  open: number;
  /** For so long the server wants no calls. */
  pausedMs: number;
}

export interface GovernorReports {
  granted(line: Pick<GovernorAsk, 'server' | 'model'>, passes: number): void;
}

export class ModelGovernor {
  private readonly lines = new Map<string, { desk: LineDesk; server: string; model: string }>();
  private readonly around: LineSurroundings;

  constructor(
    around: Omit<LineSurroundings, 'startedAt'>,
    private readonly reports: GovernorReports,
  ) {
    this.around = { ...around, startedAt: around.clock.now() };
  }

  /** Answered at once where something may be granted or nothing waits, else after a while. Rejects when the store does not answer. */
  ask(ask: GovernorAsk): Promise<GovernorAnswer> {
    const { server, model } = ask;
    const name = `${server} ${model}`;
    let line = this.lines.get(name);
    if (!line) {
      const desk = new LineDesk(name, this.around, (passes) => this.reports.granted({ server, model }, passes));
      this.lines.set(name, (line = { desk, server, model }));
    }
    return line.desk.ask(ask);
  }

  views(): LineView[] {
    const now = this.around.clock.now();
    return [...this.lines.values()].flatMap(({ desk, server, model }) => {
      const use = desk.use(now);
      return use ? [{ server, model, ...use }] : [];
    });
  }

  /** Grants nothing more; asks that wait are answered with nothing. */
  stop(): void {
    for (const { desk } of this.lines.values()) desk.stop();
  }
}
