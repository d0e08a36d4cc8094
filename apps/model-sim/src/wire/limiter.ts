/**
 * Limits as hosted servers have them. `MODEL_SIM_LIMITS` is a list, parted by commas: `rpm:600` (requests a minute), `tpm:100000` (tokens a
 * minute, input and output as they are), `concurrent:8` (requests at once), `burst-ms:1000` (default 60000).
 *
 * Each is a token bucket that fills without pause, as Anthropic documents it and as the reset times in OpenAI's headers behave; it holds
 * what comes in during `burst-ms`. Both say that a limit per minute may be enforced over shorter times, which a small burst stands for. A
 * refusal is a 429 with `Retry-After`, takes nothing, and is counted.
 */
export interface Limits {
  requestsPerMinute: number | undefined;
  tokensPerMinute: number | undefined;
  concurrent: number | undefined;
  burstMs: number;
}

export type LimitKind = 'requests' | 'tokens' | 'concurrent';

export interface LimitReport {
  accepted: number;
  refused: Record<LimitKind, number>;
}

export interface Refusal {
  limit: LimitKind;
  retryAfterMs: number;
}

export const NO_LIMITS: Limits = { requestsPerMinute: undefined, tokensPerMinute: undefined, concurrent: undefined, burstMs: 60_000 };

const NAMES = {
  rpm: 'requestsPerMinute',
  tpm: 'tokensPerMinute',
  concurrent: 'concurrent',
  'burst-ms': 'burstMs',
} as const satisfies Record<string, keyof Limits>;
const MINUTE = 60_000;
/** Of a server that is full nobody knows when it will not be. */
const FULL_RETRY_MS = 1000;

/** Reads a list of limits; undefined where it names no known limit. */
export function parseLimits(text: string): Limits | undefined {
  const limits: Limits = { ...NO_LIMITS };
  for (const part of text.split(',').filter((each) => each.trim() !== '')) {
    const [, name = '', value] = /^\s*([a-z-]+):(\d{1,10})\s*$/.exec(part) ?? [];
    if (!Object.hasOwn(NAMES, name) || Number(value) < 1) return undefined;
    limits[NAMES[name as keyof typeof NAMES]] = Number(value);
  }
  return limits;
}

/** Fills by a rate, holds at most so much, starts full. */
class Bucket {
  readonly capacity: number;
  private level: number;

  constructor(
    readonly perMinute: number,
    burstMs: number,
    private at: number,
  ) {
    this.capacity = Math.max(1, (perMinute * burstMs) / MINUTE);
    this.level = this.capacity;
  }

  remaining(now: number): number {
    this.level = Math.min(this.capacity, this.level + ((now - this.at) * this.perMinute) / MINUTE);
    this.at = now;
    return this.level;
  }

  /** 0: there is room now. What never fits has it when the bucket is full. */
  waitMs(amount: number, now: number): number {
    const missing = Math.min(amount, this.capacity) - this.remaining(now);
    return missing <= 1e-9 ? 0 : (missing * MINUTE) / this.perMinute;
  }

  fullMs(now: number): number {
    return ((this.capacity - this.remaining(now)) * MINUTE) / this.perMinute;
  }

  take(amount: number): void {
    this.level -= amount;
  }
}

/** Times are milliseconds of any clock that only goes on. */
export class Limiter {
  private readonly buckets: { limit: 'requests' | 'tokens'; bucket: Bucket }[] = [];
  private open = 0;
  readonly report: LimitReport = { accepted: 0, refused: { requests: 0, tokens: 0, concurrent: 0 } };

  constructor(
    private readonly limits: Limits,
    now: number,
  ) {
    const { requestsPerMinute, tokensPerMinute, burstMs } = limits;
    if (requestsPerMinute) this.buckets.push({ limit: 'requests', bucket: new Bucket(requestsPerMinute, burstMs, now) });
    if (tokensPerMinute) this.buckets.push({ limit: 'tokens', bucket: new Bucket(tokensPerMinute, burstMs, now) });
  }

  /** Takes a request in, to be followed by `leave`, or refuses it. */
  enter(tokens: number, now: number): Refusal | undefined {
    const refusal = this.refusalOf(tokens, now);
    if (refusal) {
      this.report.refused[refusal.limit] += 1;
      return refusal;
    }
    for (const { limit, bucket } of this.buckets) bucket.take(limit === 'requests' ? 1 : tokens);
    this.open += 1;
    this.report.accepted += 1;
    return undefined;
  }

  leave(): void {
    this.open -= 1;
  }

  /** `x-ratelimit-…`, as OpenAI has them. */
  headers(now: number): Record<string, string> {
    const entries = this.buckets.flatMap(({ limit, bucket }) => [
      [`x-ratelimit-limit-${limit}`, String(bucket.perMinute)],
      [`x-ratelimit-remaining-${limit}`, String(Math.max(0, Math.floor(bucket.remaining(now))))],
      [`x-ratelimit-reset-${limit}`, `${(bucket.fullMs(now) / 1000).toFixed(3)}s`],
    ]);
    return Object.fromEntries(entries) as Record<string, string>;
  }

  private refusalOf(tokens: number, now: number): Refusal | undefined {
    const { concurrent } = this.limits;
    if (concurrent && this.open >= concurrent) return { limit: 'concurrent', retryAfterMs: FULL_RETRY_MS };
    const waits = this.buckets.map(({ limit, bucket }) => ({
      limit,
      retryAfterMs: Math.ceil(bucket.waitMs(limit === 'requests' ? 1 : tokens, now) - 1e-6),
    }));
    return waits.filter(({ retryAfterMs }) => retryAfterMs > 0).sort((a, b) => b.retryAfterMs - a.retryAfterMs)[0];
  }
}
