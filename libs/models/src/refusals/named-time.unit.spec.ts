import fc from 'fast-check';
import { ServerRefusal } from '../server-words.js';
import { durationMs, namedTimeMs } from './named-time.js';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const at = (ms: number) => new Date(NOW + ms);
const timeOf = (body: unknown, headers: Record<string, string> = {}, status = 429) =>
  namedTimeMs(new ServerRefusal(status, body, headers), NOW);
const said = (message: string) => ({ error: { message } });

test.each<[string, Record<string, string>, number | undefined]>([
  ['seconds', { 'retry-after': '7' }, 7000],
  ['a date', { 'retry-after': at(60_000).toUTCString() }, 60_000],
  ['a date in the past', { 'retry-after': at(-60_000).toUTCString() }, 0],
  ['milliseconds before seconds', { 'retry-after-ms': '120.5', 'retry-after': '1' }, 121],
  ['what is none', { 'retry-after': 'later' }, undefined],
  [
    'OpenAI, minutes',
    {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '1m30s',
      'x-ratelimit-remaining-tokens': '90',
      'x-ratelimit-reset-tokens': '6h0m0s',
    },
    90_000,
  ],
  [
    'both used up: the later',
    {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '120ms',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '19.2s',
    },
    19_200,
  ],
  ['nothing said of what is left: the sooner', { 'x-ratelimit-reset-requests': '20', 'x-ratelimit-reset-tokens': '3s' }, 3000],
  ['an epoch in seconds', { 'x-ratelimit-reset': String((NOW + 20_000) / 1000) }, 20_000],
  ['an epoch in milliseconds', { 'x-ratelimit-reset': String(NOW + 20_000) }, 20_000],
  ['the draft of the IETF', { 'ratelimit-reset': '11', 'ratelimit-remaining': '0' }, 11_000],
  ['Anthropic', { 'anthropic-ratelimit-requests-remaining': '0', 'anthropic-ratelimit-requests-reset': at(25_000).toISOString() }, 25_000],
])('of headers: %s', (_, headers, ms) => {
  expect(timeOf(said('Limit.'), headers)).toBe(ms);
});

test('a reset says nothing where the status is another and something is left', () => {
  const headers = { 'x-ratelimit-remaining-requests': '5', 'x-ratelimit-reset-requests': '1m30s' };
  expect(timeOf(said('No.'), headers, 503)).toBeUndefined();
  expect(timeOf(said('No.'), { ...headers, 'x-ratelimit-remaining-requests': '0' }, 503)).toBe(90_000);
});

test.each<[string, unknown, number | undefined]>([
  [
    'OpenAI',
    said(
      'Rate limit reached for gpt-4o in organization x on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 19.2s. Visit https://x',
    ),
    19_200,
  ],
  ['Groq', said('Rate limit reached … Please try again in 1m12.5s.'), 72_500],
  ['Groq, short', said('Please try again in 640ms.'), 640],
  [
    'Google',
    [
      {
        error: {
          code: 429,
          message: 'Quota exceeded.',
          details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '20.100s' }],
        },
      },
    ],
    20_100,
  ],
  ['Google, by words', [said('Quota exceeded for this minute. Please retry in 20.1s.')], 20_100],
  ['Azure', said('Please retry after 26 seconds.'), 26_000],
  ['Hugging Face', { error: 'Model x is currently loading', estimated_time: 20.5 }, 20_500],
  ['a gateway', { detail: 'Too many requests', retry_after: 3 }, 3000],
  ['words with units', said('Wait 2 minutes and 3 seconds.'), 123_000],
  ['hours', said('Limit of the day. Try again in 11h6m40s'), 40_000_000],
  ['text', 'Slow down, try again in 5 seconds', 5000],
  ['no time', said('Rate limit reached: 30 requests per 60 seconds.'), undefined],
])('of the body: %s', (_, body, ms) => {
  expect(timeOf(body)).toBe(ms);
});

test.each([
  ['1m30s', 90_000],
  ['19.2s', 19_200],
  ['6h0m0s', 21_600_000],
  ['120ms', 120],
  ['', undefined],
])('%s lasts %s ms', (text, ms) => expect(durationMs(text)).toBe(ms));

test('whatever is sent, a time is none or not negative', () => {
  const name = fc.constantFrom('retry-after', 'retry-after-ms', 'x-ratelimit-reset', 'x-ratelimit-remaining');
  fc.assert(
    fc.property(fc.jsonValue(), fc.dictionary(name, fc.string()), (body, headers) => {
      const ms = timeOf(body, headers);
      expect(ms === undefined || (ms >= 0 && Number.isInteger(ms))).toBe(true);
    }),
  );
});
