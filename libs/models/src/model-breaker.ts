/**
 * Keeps calls away from a model server that does not work. One breaker for each model of a server, shared by all attempts of the process:
 * after some failures in a row it refuses calls at once; when its time is up it lets exactly one call through as a probe, whose outcome
 * closes or opens it again. What the server answers by intent (4xx) says nothing against it. A 429 that names a time holds later calls
 * back until then, without opening anything.
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
  /** Used when a request names none. */
  defaultModel: string;
  /** Failures in a row that open it. Default 5. */
  failures?: number;
  /** How long it stays open before it probes, in milliseconds. Default 5000. */
  openMs?: number;
  /** Whether calls of the model are let go by a gate that heeds what the server says of its limits: then nothing is held back here. */
  isGoverned?(model: string): boolean;
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
/** Runs name models; not every name that was ever asked for is remembered. */
const MAX_LINES = 500;

export class ModelBreaker implements ModelPort {
  private readonly lines = new Map<string, ModelLine>();

  constructor(
    private readonly inner: ModelPort,
    private readonly options: ModelBreakerOptions,
  ) {}

  quote(request: ModelRequest): ModelQuote {
    return this.inner.quote(request);
  }

  /** Errors: those of the port within; `model-breaker-open` when the call was kept back, and `model-rate-limited` when it is too early. */
  async complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const line = this.lineOf(request.model || this.options.defaultModel);
    return line.run(() => this.inner.complete(request, signal), signal);
  }

  /** The models asked for so far and how they stand. */
  states(): { model: string; state: BreakerState }[] {
    return [...this.lines.values()].map(({ model, state }) => ({ model, state }));
  }

  private lineOf(model: string): ModelLine {
    const known = this.lines.get(model);
    if (known) return known;
    if (this.lines.size >= MAX_LINES) {
      const idle = [...this.lines.values()].find(({ state }) => state === 'closed');
      if (idle) this.lines.delete(idle.model);
    }
    const line = new ModelLine(model, { ...DEFAULTS, ...this.options });
    this.lines.set(model, line);
    return line;
  }
}

/** A probe that ended without telling anything of the server. */
class Inconclusive extends Error {
  constructor(readonly error: unknown) {
    super('The probe was stopped.');
  }
}

/** One model of one server. */
class ModelLine {
  private readonly breaker: CircuitBreakerPolicy;
  private openUntil = 0;
  private heldUntil = 0;

  constructor(
    readonly model: string,
    private readonly options: ModelBreakerOptions & typeof DEFAULTS,
  ) {
    const counts = handleWhen((error) => error instanceof Inconclusive || isServerFailure(error));
    const { failures, openMs } = options;
    this.breaker = circuitBreaker(counts, { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failures) });
    this.breaker.onStateChange((state) => {
      if (state === CircuitState.Open) this.openUntil = Date.now() + openMs;
      options.onChange?.({ server: options.server, model, state: nameOf(state) });
    });
  }

  get state(): BreakerState {
    return nameOf(this.breaker.state);
  }

  async run(call: () => Promise<ModelReply>, signal: AbortSignal): Promise<ModelReply> {
    const holdMs = this.heldUntil - Date.now();
    if (holdMs > EARLY_MS) throw this.held(holdMs);
    // The library would let others wait for the end of the probe, which may take minutes.
    if (this.breaker.state === CircuitState.HalfOpen) throw this.refusal(PROBE_WAIT_MS);
    const isProbe = this.breaker.state === CircuitState.Open;
    try {
      return await this.breaker.execute(() => (isProbe ? probing(call, signal) : call()));
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw this.refusal(Math.max(1, this.openUntil - Date.now()));
      throw this.noted(error instanceof Inconclusive ? error.error : error);
    }
  }

  private noted(error: unknown): unknown {
    if (this.options.isGoverned?.(this.model)) return error;
    if (error instanceof CadreError && error.code === 'model-rate-limited' && error.retryAfterMs !== undefined) {
      this.heldUntil = Math.max(this.heldUntil, Date.now() + Math.min(error.retryAfterMs, LONGEST_HOLD_MS));
    }
    return error;
  }

  private held(waitMs: number): CadreError {
    const message = `The model server at ${this.options.server} asked to wait before ${this.model} is called again.`;
    return new CadreError('model-rate-limited', message, { retriable: true, billed: 'no', retryAfterMs: waitMs });
  }

  private refusal(waitMs: number): CadreError {
    const message = `The model ${this.model} at ${this.options.server} has failed ${this.options.failures} times in a row, so it is not called for a while.`;
    return new CadreError('model-breaker-open', message, { retriable: true, billed: 'no', retryAfterMs: waitMs });
  }
}

/** A probe that is stopped from outside has not shown that the server works. */
async function probing(call: () => Promise<ModelReply>, signal: AbortSignal): Promise<ModelReply> {
  try {
    return await call();
  } catch (error) {
    throw signal.aborted ? new Inconclusive(error) : error;
  }
}

function isServerFailure(error: unknown): boolean {
  return error instanceof CadreError && (error.code === 'model-unavailable' || error.code === 'model-timeout');
}

function nameOf(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half-open' : 'open';
}
