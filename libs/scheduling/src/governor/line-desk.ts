/**
 * Answers the asks of one line. What is decided is stored before it is told, each write following the one before: a holder that another one
 * has followed finds that out by its next write and tells nothing more. So whatever happens to leases, a pass is counted by whoever grants
 * the next.
 */
import { GOVERNOR_TIMING } from '@cadre/contracts';
import type { GovernorAnswer, GovernorAsk } from '@cadre/contracts';
import { pause } from '@cadre/engine';
import type { Clock } from '@cadre/engine';
import { COUNTED_MS } from './call-ledger.js';
import { GovernedLine } from './governed-line.js';
import type { Grant } from './governed-line.js';
import type { GovernorStore } from './governor-store.js';
import type { HeldAsk } from './turn-list.js';

export interface LineSurroundings {
  store: GovernorStore;
  /** Need not tell the time of day, but must not be set. */
  clock: Clock;
  /** Letters and digits; no other holder has it. */
  term: string;
  startedAt: number;
}

interface Waiting extends HeldAsk {
  answer(answer: GovernorAnswer): void;
}

/** While calls wait, decisions are made this often, each stored by one write. */
const BATCH_MS = 100;
const WRITE_TRIES = 3;

export class LineDesk {
  private loading: Promise<GovernedLine> | undefined;
  private line: GovernedLine | undefined;
  private revision = 0;
  private writes = 0;
  private readonly waiting = new Map<string, Waiting>();
  private working = false;
  private stopped = false;

  constructor(
    private readonly name: string,
    private readonly around: LineSurroundings,
    private readonly onGranted: (passes: number) => void,
  ) {}

  /** Rejects when the store does not answer. */
  async ask(ask: GovernorAsk): Promise<GovernorAnswer> {
    const { clock } = this.around;
    const arrivedAt = clock.now();
    const line = await this.loaded();
    this.waiting.get(ask.worker)?.answer(nothing);
    this.waiting.delete(ask.worker);
    line.hear(ask, clock.now());
    if (ask.calls.length === 0 || this.stopped) return nothing;
    return new Promise((answer) => {
      this.waiting.set(ask.worker, { ask, arrivedAt, answer });
      if (!this.working) void this.work();
    });
  }

  use(now: number): ReturnType<GovernedLine['use']> | undefined {
    return this.line?.use(now);
  }

  stop(): void {
    this.stopped = true;
    this.sendAway();
  }

  private loaded(): Promise<GovernedLine> {
    const { store, clock, term, startedAt } = this.around;
    this.loading ??= store.read(this.name).then(
      ({ revision, record }) => {
        this.revision = revision;
        this.line = new GovernedLine(term, startedAt, record, clock.now());
        return this.line;
      },
      (error: unknown) => {
        this.loading = undefined;
        throw error;
      },
    );
    return this.loading;
  }

  private async work(): Promise<void> {
    const { clock } = this.around;
    this.working = true;
    while (this.waiting.size > 0) {
      await this.decide();
      this.letGo(clock.now());
      if (this.waiting.size > 0) await pause(clock, BATCH_MS);
    }
    this.working = false;
  }

  private async decide(): Promise<void> {
    const { line } = this;
    const decidedAt = this.around.clock.now();
    const asks = new Map(this.waiting);
    const grants = line?.decide([...asks.values()], decidedAt) ?? [];
    if (!line || grants.length === 0) return;
    const stored = await this.store(line);
    if (stored !== 'stored') {
      line.takeBack(grants);
      if (stored === 'fenced') this.beginAnew();
      return;
    }
    this.onGranted(grants.length);
    for (const [worker, own] of byWorker(grants)) {
      const held = asks.get(worker)!;
      if (this.waiting.get(worker) === held) this.waiting.delete(worker);
      held.answer({ grants: own, heldMs: decidedAt - held.arrivedAt });
    }
  }

  private async store(line: GovernedLine): Promise<'stored' | 'fenced' | 'failed'> {
    const { store, clock, term } = this.around;
    this.writes += 1;
    for (let tries = 0; tries < WRITE_TRIES && !this.stopped; tries += 1) {
      const record = { ...line.save(clock.now()), by: term, write: this.writes };
      const result = await store.write(this.name, record, this.revision, COUNTED_MS);
      if (result.written) {
        this.revision = result.revision;
        return 'stored';
      }
      const entry = await store.read(this.name).catch(() => undefined);
      if (!entry) continue;
      // An entry whose time was up leaves a mark with a revision of its own; nobody else has granted anything.
      if (entry.record && entry.record.by !== term) return 'fenced';
      this.revision = entry.revision;
      if (entry.record?.write === this.writes) return 'stored';
    }
    return 'failed';
  }

  /** Another holder has written: what it granted is read with the next ask. */
  private beginAnew(): void {
    this.line = undefined;
    this.loading = undefined;
    this.sendAway();
  }

  private letGo(now: number): void {
    for (const [worker, { arrivedAt, answer }] of this.waiting) {
      if (now - arrivedAt < GOVERNOR_TIMING.holdMs) continue;
      this.waiting.delete(worker);
      answer(nothing);
    }
  }

  private sendAway(): void {
    for (const { answer } of this.waiting.values()) answer(nothing);
    this.waiting.clear();
  }
}

const nothing: GovernorAnswer = { grants: [], heldMs: 0 };

function byWorker(grants: readonly Grant[]): Map<string, GovernorAnswer['grants']> {
  const found = new Map<string, GovernorAnswer['grants']>();
  for (const { worker, call, pass } of grants) {
    const own = found.get(worker);
    if (own) own.push({ call, pass });
    else found.set(worker, [{ call, pass }]);
  }
  return found;
}
