/**
 * One line of calls to a model server and what is left of its allowance: a state machine with the time as input. A pass lets one call be
 * made. In no minute are more passes used than requests are allowed, nor passes for more tokens: a pass counts with the upper bound of its
 * call until the call's real use is told, and for good when it never is. Requests are spread over the minute, since servers enforce their
 * limits over shorter times too.
 */
import { HEARTBEAT } from '@cadre/contracts';
import type { GovernorAsk, ModelLimits } from '@cadre/contracts';
import { CallLedger, COUNTED_MS } from './call-ledger.js';
import type { LedgerSlot, SavedSlot } from './call-ledger.js';
import { effectiveLimits } from './effective-limits.js';
import type { EffectiveLimits } from './effective-limits.js';
import { TurnList } from './turn-list.js';
import type { HeldAsk } from './turn-list.js';

/** What a successor must know. Ages and rests of times, since clocks differ. */
export interface SavedLine {
  slots: SavedSlot[];
  pausedMs?: number;
}

export interface Grant {
  worker: string;
  call: number;
  pass: string;
}

interface OpenPass {
  worker: string;
  call: number;
  slot: LedgerSlot;
  tokens: number;
}

/** So much of the pace may be saved up. */
const BURST_MS = 500;
/** No answer of a server pauses its line for longer. */
const LONGEST_PAUSE_MS = 60_000;
/** For so long the limits that a worker has named hold, once it is silent. */
const LIMITS_MS = 60_000;

export class GovernedLine {
  private readonly ledger: CallLedger;
  private readonly passes = new Map<string, OpenPass>();
  private readonly workers = new Map<string, { heardAt: number; limits: ModelLimits; older: number }>();
  private readonly turns = new TurnList();
  private pausedUntil: number;
  private level: number;
  private levelAt: number;
  private lastPass = 0;

  /**
   * @param term distinguishes its passes from those of other holders
   * @param knownFrom when the holder began to hear the workers: what is on its way is known `HEARTBEAT.lostAfterMs` later
   * @param saved of the holder before; undefined: nothing was granted for as long as it would count
   */
  constructor(
    private readonly term: string,
    private readonly knownFrom: number,
    saved: SavedLine | undefined,
    now: number,
  ) {
    this.ledger = new CallLedger(saved?.slots ?? [], now);
    this.pausedUntil = now + (saved?.pausedMs ?? 0);
    this.level = saved ? 0 : Infinity;
    this.levelAt = now;
  }

  /** Takes in what a worker tells, and with it that no earlier answer is on its way to it any more. */
  hear(ask: GovernorAsk, now: number): void {
    this.forget(now);
    for (const { pass, tokens, unused } of ask.ended) this.end(pass, unused ? 'unused' : tokens);
    const listed = new Set(ask.calls.map(({ call }) => call));
    const running = ask.running && new Set(ask.running);
    for (const [pass, { worker, call }] of this.passes) {
      // Its answer was lost, and nobody uses it any more.
      if (worker === ask.worker && (listed.has(call) || (running && !running.has(pass)))) this.end(pass, 'unused');
    }
    const older = ask.running?.filter((pass) => !pass.startsWith(`${this.term}-`)).length ?? 0;
    this.workers.set(ask.worker, { heardAt: now, limits: ask.limits, older });
    if (ask.pauseMs !== undefined) {
      this.pausedUntil = Math.max(this.pausedUntil, now + Math.min(ask.pauseMs, LONGEST_PAUSE_MS));
    }
  }

  /** The next calls that may be made: the tenants in turn, and of each the call that has waited longest. */
  decide(asks: readonly HeldAsk[], now: number): Grant[] {
    this.forget(now);
    const limits = effectiveLimits(Array.from(this.workers.values(), (worker) => worker.limits));
    this.refill(limits.requestsPerMinute, now);
    const grants: Grant[] = [];
    if (now < this.pausedUntil) return grants;
    if (limits.concurrent !== Infinity && now < this.knownFrom + HEARTBEAT.lostAfterMs) return grants;
    for (const { tenant, worker, call, tokens } of this.turns.inOrder(asks)) {
      const counted = Math.min(tokens, limits.tokensPerMinute);
      // Nobody goes past the one whose turn it is, or a large call would wait for ever.
      if (!this.fits(counted, limits)) break;
      this.turns.served(tenant);
      grants.push(this.grant(worker, call, counted, now));
    }
    return grants;
  }

  /** Grants that could not be stored. */
  takeBack(grants: readonly Grant[]): void {
    for (const { pass } of grants) this.end(pass, 'unused');
  }

  save(now: number): SavedLine {
    const pausedMs = Math.ceil(this.pausedUntil - now);
    return { slots: this.ledger.save(now), ...(pausedMs > 0 && { pausedMs }) };
  }

  /** Of the last minute, and the calls on their way that are known. */
  use(now: number): { requests: number; tokens: number; open: number; pausedMs: number } {
    this.forget(now);
    const { requests, tokens } = this.ledger;
    return { requests, tokens, open: this.onTheirWay, pausedMs: Math.max(0, this.pausedUntil - now) };
  }

  private get onTheirWay(): number {
    let older = 0;
    for (const worker of this.workers.values()) older += worker.older;
    return this.passes.size + older;
  }

  private fits(tokens: number, limits: EffectiveLimits): boolean {
    const { requestsPerMinute, tokensPerMinute, concurrent } = limits;
    if (requestsPerMinute !== Infinity && (this.level < 1 || this.ledger.requests >= requestsPerMinute)) return false;
    if (this.ledger.tokens + tokens > tokensPerMinute) return false;
    return concurrent === Infinity || this.onTheirWay < concurrent;
  }

  private grant(worker: string, call: number, tokens: number, now: number): Grant {
    this.lastPass += 1;
    const pass = `${this.term}-${this.lastPass.toString(36)}`;
    this.level -= 1;
    this.passes.set(pass, { worker, call, tokens, slot: this.ledger.add(tokens, now) });
    return { worker, call, pass };
  }

  /** @param used tokens, undefined where nobody knows: then the bound stands */
  private end(name: string, used: number | 'unused' | undefined): void {
    const pass = this.passes.get(name);
    if (!pass) return;
    this.passes.delete(name);
    if (used === 'unused') {
      this.level += 1;
      this.ledger.correct(pass.slot, -1, -pass.tokens);
    } else if (used !== undefined) this.ledger.correct(pass.slot, 0, used - pass.tokens);
  }

  private refill(perMinute: number, now: number): void {
    const perMs = perMinute / COUNTED_MS;
    const most = 1 + perMs * BURST_MS;
    this.level = perMinute === Infinity ? Infinity : Math.min(most, this.level + (now - this.levelAt) * perMs);
    this.levelAt = now;
  }

  /** The calls of a lost worker are no longer on their way, and what they may have used stays counted. */
  private forget(now: number): void {
    this.ledger.expire(now);
    for (const [name, worker] of this.workers) {
      if (now - worker.heardAt >= HEARTBEAT.lostAfterMs) worker.older = 0;
      if (now - worker.heardAt >= LIMITS_MS && this.workers.size > 1) this.workers.delete(name);
    }
    const limited = Array.from(this.workers.values()).some(({ limits }) => limits.concurrent !== undefined);
    for (const [name, { worker, slot }] of this.passes) {
      const heardAt = this.workers.get(worker)?.heardAt ?? -Infinity;
      const over = limited ? now - heardAt >= HEARTBEAT.lostAfterMs : !this.ledger.counts(slot);
      if (over) this.passes.delete(name);
      else if (!limited) return; // they are in the order of their slots
    }
  }
}
