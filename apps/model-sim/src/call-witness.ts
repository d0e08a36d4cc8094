/**
 * Writes down what was really asked of the server and what work it did, whatever became of the answer. Tests read it as the witness that is
 * independent of every record of Cadre's own.
 */
import type { FaultKind } from './wire/faults.js';

/** Millionths of a US dollar per token, as the price table of the model has it. */
const PRICE = { input: 0.1, output: 0.4 };
/** Of each key all is kept until it is one of too many; the totals count on. */
const MAX_KEYS = 200_000;

export interface KeyCount {
  /** Requests that came in. */
  received: number;
  /** Requests for which the model worked, which is what a provider bills. */
  done: number;
  inputTokens: number;
  outputTokens: number;
  costMicros: number;
  /** What became of each request: `answered`, a fault, `limited`, or `gone` when the caller did not wait. */
  outcomes: Record<string, number>;
}

export interface CallReport {
  total: KeyCount;
  /** By the header `X-Cadre-Call`, else `Idempotency-Key`. */
  keys: Record<string, KeyCount>;
  /** Requests without a key. */
  unkeyed: KeyCount;
  /** Keys that are no longer listed. */
  forgotten: number;
}

export interface WitnessedCall {
  number: number;
  key: string | undefined;
  /** How often the key has come, this time included. */
  times: number;
}

export class CallWitness {
  #total = nothing();
  #unkeyed = nothing();
  #keys = new Map<string, KeyCount>();
  #forgotten = 0;

  /** Counts a request that came in. */
  receive(key: string | undefined): WitnessedCall {
    const counts = this.#countsOf(key);
    for (const count of counts) count.received += 1;
    return { number: this.#total.received, key, times: counts[1]!.received };
  }

  /** The model has worked for it. */
  done({ key }: WitnessedCall, inputTokens: number, outputTokens: number): void {
    // Of sums of fractions a millionth of a millionth may be too much.
    const costMicros = Math.ceil((inputTokens * PRICE.input + outputTokens * PRICE.output) * (1 - 1e-12));
    for (const count of this.#countsOf(key)) {
      count.done += 1;
      count.inputTokens += inputTokens;
      count.outputTokens += outputTokens;
      count.costMicros += costMicros;
    }
  }

  /** What became of it. */
  ended({ key }: WitnessedCall, outcome: FaultKind | 'answered' | 'gone' | 'rejected' | 'limited'): void {
    for (const count of this.#countsOf(key)) count.outcomes[outcome] = (count.outcomes[outcome] ?? 0) + 1;
  }

  report(): CallReport {
    return { total: this.#total, keys: Object.fromEntries(this.#keys), unkeyed: this.#unkeyed, forgotten: this.#forgotten };
  }

  reset(): void {
    this.#total = nothing();
    this.#unkeyed = nothing();
    this.#keys = new Map();
    this.#forgotten = 0;
  }

  /** @returns the total, and that of the key */
  #countsOf(key: string | undefined): [KeyCount, KeyCount] {
    if (key === undefined) return [this.#total, this.#unkeyed];
    let count = this.#keys.get(key);
    if (count === undefined) {
      this.#forgetOldest();
      this.#keys.set(key, (count = nothing()));
    }
    return [this.#total, count];
  }

  #forgetOldest(): void {
    if (this.#keys.size < MAX_KEYS) return;
    for (const oldest of this.#keys.keys()) {
      this.#keys.delete(oldest);
      this.#forgotten += 1;
      return;
    }
  }
}

function nothing(): KeyCount {
  return { received: 0, done: 0, inputTokens: 0, outputTokens: 0, costMicros: 0, outcomes: {} };
}
