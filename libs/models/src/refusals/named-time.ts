/**
 * When a server says that it is worth asking again: in `retry-after-ms`, `Retry-After`, the body (`retryDelay` of Google's RetryInfo,
 * `retry_after`, `estimated_time` of Hugging Face, "try again in 19.2s"), or the reset of the limit that is used up
 * (`x-ratelimit-reset-requests: 1m30s` of OpenAI and Groq, seconds or an epoch of others, dates of Anthropic's
 * `anthropic-ratelimit-requests-reset`). Read in November 2026: developers.openai.com/api/docs/guides/rate-limits,
 * docs.claude.com/en/api/rate-limits, console.groq.com/docs/rate-limits, cloud.google.com/apis/design/errors,
 * openrouter.ai/docs/api-reference/limits.
 */
import { isObject } from '../reading/json-spans.js';
import type { ServerRefusal } from '../server-words.js';

/** Milliseconds from now, rounded up; undefined: no time is named. @param now milliseconds since 1970 */
export function namedTimeMs(refusal: ServerRefusal, now: number): number | undefined {
  const { headers, body, words, status } = refusal;
  const named =
    number(headers['retry-after-ms']) ??
    ofRetryAfter(headers['retry-after'], now) ??
    ofFields(body, 0) ??
    ofWords(words) ??
    (status === 429 ? ofResets(headers, now, true) : ofResets(headers, now, false));
  return named === undefined ? undefined : Math.max(0, Math.ceil(named));
}

function ofRetryAfter(text: string | undefined, now: number): number | undefined {
  const seconds = number(text);
  if (seconds !== undefined) return seconds * 1000;
  const at = text ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? undefined : at - now;
}

function ofFields(value: unknown, depth: number): number | undefined {
  if (depth > 5 || typeof value !== 'object' || value === null) return undefined;
  if (isObject(value)) {
    const inMs = number(value['retry_after_ms']);
    if (inMs !== undefined) return inMs;
    for (const field of ['retryDelay', 'retry_after', 'retry_after_seconds', 'retryAfter', 'estimated_time']) {
      const given = value[field];
      const seconds = number(given);
      if (seconds !== undefined) return seconds * 1000;
      if (typeof given === 'string') return durationMs(given);
    }
  }
  for (const inner of Object.values(value)) {
    const found = ofFields(inner, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

const IN_WORDS =
  /(?:(?:try|retry|again|available|resets?|wait|reset)(?: again)?(?: after| in| for)?|after|wait for|in about)[ :]+((?:\d+(?:\.\d+)?\s*(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])[ ,]*(?:and )?)+)/i;

function ofWords(words: string): number | undefined {
  const found = IN_WORDS.exec(words)?.[1];
  return found === undefined ? undefined : durationMs(found);
}

const UNITS: readonly (readonly [unit: RegExp, ms: number])[] = [
  [/^(ms|milliseconds?)$/i, 1],
  [/^(s|secs?|seconds?)$/i, 1000],
  [/^(m|mins?|minutes?)$/i, 60_000],
  [/^(h|hrs?|hours?)$/i, 3_600_000],
  [/^(d|days?)$/i, 86_400_000],
];

/** `1m30s`, `19.2s`, `120ms`, `2 minutes and 3 seconds`. */
export function durationMs(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)];
  if (parts.length === 0) return undefined;
  return parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (UNITS.find(([pattern]) => pattern.test(unit))?.[1] ?? 0), 0);
}

/** @param limited the server refuses for a limit: a reset counts even where nothing says how much of it is left */
function ofResets(headers: Record<string, string>, now: number, limited: boolean): number | undefined {
  const resets = Object.entries(headers).flatMap(([name, value]) => {
    const remaining = remainingOf(name, headers);
    if (remaining === undefined) return [];
    const ms = resetMs(value, now);
    return ms === undefined || ms < 0 ? [] : [{ ms, spent: remaining.left === 0 }];
  });
  const spent = resets.filter((reset) => reset.spent).map(({ ms }) => ms);
  if (spent.length > 0) return Math.max(...spent);
  return limited && resets.length > 0 ? Math.min(...resets.map(({ ms }) => ms)) : undefined;
}

/** What is left of the limit that the header `name` tells the reset of; undefined: it is no such header. */
function remainingOf(name: string, headers: Record<string, string>): { left: number | undefined } | undefined {
  const plain = /^(x-)?ratelimit-reset(-.*)?$/.test(name) ? name.replace('reset', 'remaining') : undefined;
  const anthropic = /^anthropic-.*ratelimit-.*-reset$/.test(name) ? name.replace(/-reset$/, '-remaining') : undefined;
  const other = plain ?? anthropic;
  return other === undefined ? undefined : { left: number(headers[other]) };
}

function resetMs(text: string, now: number): number | undefined {
  const given = number(text);
  if (given !== undefined) {
    if (given > 1e12) return given - now;
    return given > 1e9 ? given * 1000 - now : given * 1000;
  }
  if (/^\s*[\d.]+\s*[a-z]/i.test(text) && !/\d{4}-\d{2}/.test(text)) return durationMs(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at - now;
}

function number(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  return typeof value === 'string' && /^\s*\d{1,14}(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}
