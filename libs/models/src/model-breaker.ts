/**
 * Keeps calls away from a model server that does not work. One for each model of a server, shared by all attempts of the
 * process: after some failures in a row it refuses calls at once; when its time is up it lets exactly one call through as a probe, whose
 * outcome closes or opens it again. What the server answers by intent (4xx) says nothing against it. A server that limits or loads and
 * names a time holds later calls back until then, without opening anything. Whatever is kept back is told the last that the server said,
 * and what to do about it.
 */
import type { ModelPort, ModelQuote, ModelReply, ModelRequest } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { CircuitBreakerPolicy } from 'cockatiel';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerChange {
  server: string;
  model: string;
  state: BreakerState;
}

export interface ModelBreakerOptions {
  /** Base URL, for people and figures. */
  server: string;
  model: string;
  /** Failures in a row that open it. Default 5. */
  failures?: number;
  /** How long it stays open before it probes, in milliseconds. Default 5000. */
  openMs?: number;
  /** Whether its calls are let go by a gate that heeds what the server says of its limits: then nothing is held back here. */
  isGoverned?(): boolean;
  /** Told of each change of state. Must not throw. */
  onChange?(change: BreakerChange): void;
}

const DEFAULTS = { failures: 5, openMs: 5000 };
/** Others that wait for a probe are told to come back after this time. */
const PROBE_WAIT_MS = 500;
/** No server holds a model back for longer than this by one answer. */
const LONGEST_HOLD_MS = 60_000;
/** Timers may fire this early. */
const EARLY_MS = 2;

export class ModelBreaker implements ModelPort {
  private readonly options: ModelBreakerOptions & typeof DEFAULTS;
  private readonly breaker: CircuitBreakerPolicy;
  private openUntil = 0;
  private heldUntil = 0;
  /** The last that the server failed with, and why calls are held back. */
  private lastFailure: CadreError | undefined;
  private hold: CadreError | undefined;

  constructor(
    private readonly inner: ModelPort,
    options: ModelBreakerOptions,
  ) {
    this.options = { ...DEFAULTS, ...options };
    const { failures, openMs, server, model } = this.options;
    const counts = handleWhen((error) => error instanceof Inconclusive || isServerFailure(error));
    this.breaker = circuitBreaker(counts, { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failures) });
    this.breaker.onStateChange((state) => {
      if (state === CircuitState.Open) this.openUntil = Date.now() + openMs;
      options.onChange?.({ server, model, state: nameOf(state) });
    });
  }

  quote(request: ModelRequest): ModelQuote {
    return this.inner.quote(request);
  }

  /**
   * Errors: those of the port within; `model-breaker-open` when the call was kept back, and the server's own once more when it is too
   * early.
   */
  async complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const holdMs = this.heldUntil - Date.now();
    if (this.hold && holdMs > EARLY_MS) throw again(this.hold, this.hold.code, '', holdMs);
    // The library would let others wait for the end of the probe, which may take minutes.
    if (this.breaker.state === CircuitState.HalfOpen) throw this.refusal(PROBE_WAIT_MS);
    const isProbe = this.breaker.state === CircuitState.Open;
    const call = (): Promise<ModelReply> => this.inner.complete(request, signal);
    try {
      return await this.breaker.execute(() => (isProbe ? probing(call, signal) : call()));
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw this.refusal(Math.max(1, this.openUntil - Date.now()));
      throw this.noted(error instanceof Inconclusive ? error.error : error);
    }
  }

  private noted(error: unknown): unknown {
    if (!(error instanceof CadreError)) return error;
    if (isServerFailure(error)) this.lastFailure = error;
    if (this.options.isGoverned?.() || !HOLDS.has(error.code) || error.retryAfterMs === undefined) return error;
    const until = Date.now() + Math.min(error.retryAfterMs, LONGEST_HOLD_MS);
    if (until >= this.heldUntil) [this.heldUntil, this.hold] = [until, error];
    return error;
  }

  private refusal(waitMs: number): CadreError {
    const { failures, server, model } = this.options;
    const kept = `${model} has failed ${failures} times in a row there and is asked again in ${Math.ceil(waitMs / 1000)} s.`;
    const cause = this.lastFailure ?? new CadreError('model-unavailable', `The model server at ${server} does not work.`);
    return again(cause, 'model-breaker-open', `${/[.!?]$/.test(cause.message) ? '' : '.'} ${kept}`, waitMs);
  }
}

/** A probe that ended without telling anything of the server. */
class Inconclusive extends Error {
  constructor(readonly error: unknown) {
    super('The probe was stopped.');
  }
}

/** What says, with a time or without, that the server takes no calls now. */
const HOLDS: ReadonlySet<string> = new Set(['model-rate-limited', 'model-loading', 'model-unavailable']);

/** In the words of the server, for a call that was not sent. */
function again(cause: CadreError, code: string, more: string, retryAfterMs: number): CadreError {
  const { message, remedy } = cause;
  return new CadreError(code, message + more, {
    retriable: true,
    billed: 'no',
    retryAfterMs,
    cause,
    ...(remedy !== undefined && { remedy }),
  });
}

/** A probe that is stopped from outside has not shown that the server works. */
async function probing(call: () => Promise<ModelReply>, signal: AbortSignal): Promise<ModelReply> {
  try {
    return await call();
  } catch (error) {
    throw signal.aborted ? new Inconclusive(error) : error;
  }
}

const FAILURES: ReadonlySet<string> = new Set(['model-unavailable', 'model-loading', 'model-timeout']);

function isServerFailure(error: unknown): boolean {
  return error instanceof CadreError && FAILURES.has(error.code);
}

function nameOf(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half-open' : 'open';
}
