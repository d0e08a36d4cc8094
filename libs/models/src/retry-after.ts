/** When a server says that it is worth asking again. */

/** As far as a `Failure` can say it. */
const LONGEST_MS = 3_600_000;

/**
 * Milliseconds to wait by `retry-after-ms`, else by `Retry-After` (seconds, or a date of HTTP), rounded up and at most an hour;
 * undefined where neither says anything that can be read.
 * @param now milliseconds since 1970
 */
export function retryAfterMs(headers: { get(name: string): string | null } | undefined, now: number): number | undefined {
  const ms = numberOf(headers?.get('retry-after-ms'));
  if (ms !== undefined) return bounded(ms);
  const text = headers?.get('retry-after');
  const seconds = numberOf(text);
  if (seconds !== undefined) return bounded(seconds * 1000);
  const at = text ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? undefined : bounded(at - now);
}

function numberOf(text: string | null | undefined): number | undefined {
  return text && /^\s*\d{1,12}(\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

function bounded(ms: number): number {
  return Math.min(LONGEST_MS, Math.max(0, Math.ceil(ms)));
}
