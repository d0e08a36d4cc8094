/**
 * The calls of this process in one line. One ask at a time speaks for all of them: what waits, what has ended. It is asked only while there
 * is something to tell. A pass is good for a short time from its granting, which is reckoned from when the ask was sent, so that no clock
 * but ours matters.
 */
import { CadreError, GOVERNOR_BATCH, GOVERNOR_TIMING } from '@cadre/contracts';
import type { GovernorAnswer, GovernorAsk } from '@cadre/contracts';
import { pause } from '@cadre/engine';
import type { Clock } from '@cadre/engine';
import { abortError } from '../abort.js';
import type { CallEnding, CallLeave, GateCall, Governor } from './call-gate.js';

export interface GateLineParts {
  identity: Pick<GovernorAsk, 'worker' | 'server' | 'model' | 'limits'>;
  governor: Governor;
  /** Need not tell the time of day, but must not be set. */
  clock: Clock;
  /** How long a call has waited, whether it got leave or was given up. */
  onWaited(ms: number, granted: boolean): void;
  onRefused(): void;
}

interface Waiting {
  tenant: string;
  tokens: number;
  since: number;
  leave(pass: string): void;
}

/** Calls that end together are told together. */
const GATHER_MS = 50;
/** Where calls at once are limited, those on their way are told this often. */
const ALIVE_MS = 500;
const RETRY_MS = 200;

export class GateLine {
  private readonly waiting = new Map<number, Waiting>();
  private readonly running = new Set<string>();
  private ended: GovernorAsk['ended'] = [];
  private pauseMs: number | undefined;
  private lastCall = 0;
  private working = false;
  private resting = new AbortController();
  /** The last ask was not answered. */
  private unheard = false;

  constructor(private readonly parts: GateLineParts) {}

  enter({ tokens, tenant = 'default', patienceMs }: GateCall, signal: AbortSignal): Promise<CallLeave> {
    const { clock, onWaited } = this.parts;
    return new Promise((resolve, reject) => {
      const call = (this.lastCall += 1);
      const since = clock.now();
      let stopTimer = () => {};
      const give = (granted: boolean) => {
        stopTimer();
        this.waiting.delete(call);
        signal.removeEventListener('abort', onAbort);
        onWaited(clock.now() - since, granted);
      };
      const onAbort = () => {
        give(false);
        reject(abortError(signal));
      };
      const leave = (pass: string) => {
        give(true);
        resolve(this.leaveOf(pass));
      };
      if (signal.aborted) return reject(abortError(signal));
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiting.set(call, { tenant, tokens, since, leave });
      const onImpatient = () => {
        give(false);
        reject(this.busy(patienceMs!));
      };
      if (patienceMs !== undefined) stopTimer = clock.after(patienceMs, onImpatient);
      this.wake();
    });
  }

  private busy(waitedMs: number): CadreError {
    const { server, model } = this.parts.identity;
    const which = model === '*' ? '' : ` for ${model}`;
    const message = `The model server at ${server} has had no room${which} for ${waitedMs} ms.`;
    return new CadreError('model-busy', message, { retriable: true, billed: 'no' });
  }

  private leaveOf(pass: string): CallLeave {
    this.running.add(pass);
    return {
      over: ({ tokens, unused, pauseMs }: CallEnding) => {
        if (!this.running.delete(pass)) return;
        if (pauseMs !== undefined) this.refused(pauseMs);
        this.end({ pass, ...(tokens !== undefined && { tokens }), ...(unused && { unused }) });
        this.wake();
      },
    };
  }

  private refused(pauseMs: number): void {
    this.pauseMs = Math.max(this.pauseMs ?? 0, pauseMs);
    this.parts.onRefused();
  }

  private end(ended: GovernorAsk['ended'][number]): void {
    this.ended.push(ended);
    // What could not be told for so long no longer counts.
    if (this.ended.length > 20 * GOVERNOR_BATCH.ended) this.ended.splice(0, GOVERNOR_BATCH.ended);
  }

  private wake(): void {
    this.resting.abort();
    if (!this.working) void this.work();
  }

  private async work(): Promise<void> {
    this.working = true;
    for (let restMs = this.restMs(); restMs !== undefined; restMs = this.restMs()) {
      await this.rest(restMs);
      await this.askOnce();
    }
    this.working = false;
  }

  /** How long it may take until the governor hears of us; undefined: there is nothing to tell. */
  private restMs(): number | undefined {
    if (this.waiting.size > 0) return 0;
    // Whoever comes next tells it.
    if (this.unheard && this.running.size === 0) return undefined;
    if (this.ended.length > 0 || this.pauseMs !== undefined) return GATHER_MS;
    return this.limitsConcurrent && this.running.size > 0 ? ALIVE_MS : undefined;
  }

  private get limitsConcurrent(): boolean {
    return this.parts.identity.limits.concurrent !== undefined;
  }

  /** Cut short by a call that comes to wait, and by one that is over. */
  private async rest(ms: number): Promise<void> {
    const { clock } = this.parts;
    for (let until = clock.now() + ms; this.waiting.size === 0 && clock.now() < until;) {
      this.resting = new AbortController();
      await pause(clock, until - clock.now(), this.resting.signal);
      until = Math.min(until, clock.now() + (this.restMs() ?? 0));
    }
  }

  private async askOnce(): Promise<void> {
    const { identity, governor, clock } = this.parts;
    const sentAt = clock.now();
    const { pauseMs } = this;
    const ended = this.ended.slice(0, GOVERNOR_BATCH.ended);
    const running = this.limitsConcurrent && { running: [...this.running] };
    const ask = { ...identity, calls: this.first(sentAt), ended, ...running, ...(pauseMs !== undefined && { pauseMs }) };
    let answer: GovernorAnswer;
    try {
      answer = await governor.ask(ask);
    } catch {
      // Nobody leads just now. Calls go on waiting: letting them go could break the limit.
      this.unheard = true;
      await pause(clock, RETRY_MS);
      return;
    }
    this.unheard = false;
    this.ended = this.ended.slice(ended.length);
    if (this.pauseMs === pauseMs) this.pauseMs = undefined;
    this.take(answer, sentAt);
  }

  private take({ grants, heldMs }: GovernorAnswer, sentAt: number): void {
    const now = this.parts.clock.now();
    const inTime = now <= sentAt + Math.min(heldMs, now - sentAt) + GOVERNOR_TIMING.useMs;
    for (const { call, pass } of grants) {
      const waiting = this.waiting.get(call);
      if (waiting && inTime) waiting.leave(pass);
      else this.end({ pass, unused: true });
    }
  }

  /** The first ones of each tenant, in turn. */
  private first(now: number): GovernorAsk['calls'] {
    const byTenant = new Map<string, GovernorAsk['calls']>();
    for (const [call, { tenant, tokens, since }] of this.waiting) {
      const entry = { call, tenant, tokens, waitedMs: now - since };
      const calls = byTenant.get(tenant);
      if (calls) calls.push(entry);
      else byTenant.set(tenant, [entry]);
    }
    const found: GovernorAsk['calls'] = [];
    const most = Math.min(GOVERNOR_BATCH.calls, this.waiting.size);
    for (let place = 0; found.length < most; place += 1) {
      for (const calls of byTenant.values()) {
        const entry = calls[place];
        if (entry && found.length < most) found.push(entry);
      }
    }
    return found;
  }
}
