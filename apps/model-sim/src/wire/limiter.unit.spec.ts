import { Limiter, NO_LIMITS, parseLimits } from './limiter.js';

test('limits are read, and what is none is not', () => {
  expect(parseLimits('')).toEqual(NO_LIMITS);
  expect(parseLimits('rpm:600, tpm:1000,concurrent:2,burst-ms:500')).toEqual({
    ...{ requestsPerMinute: 600, tokensPerMinute: 1000, concurrent: 2, burstMs: 500 },
  });
  expect(['rpm', 'rpm:0', 'rpm:x', 'rps:5', 'rpm:-1', 'toString:1'].map(parseLimits)).toEqual(Array(6).fill(undefined));
});

test('a minute of requests at once, then one by one as the bucket fills; a refusal says when and takes nothing', () => {
  const limiter = new Limiter({ ...NO_LIMITS, requestsPerMinute: 60 }, 0);
  for (let n = 0; n < 60; n += 1) expect(limiter.enter(1, 0)).toBeUndefined();
  expect(limiter.enter(1, 0)).toEqual({ limit: 'requests', retryAfterMs: 1000 });
  expect(limiter.enter(1, 999)).toEqual({ limit: 'requests', retryAfterMs: 1 });
  expect(limiter.enter(1, 1000)).toBeUndefined();
  expect(limiter.headers(1000)).toEqual({
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': '60.000s',
  });
  expect(limiter.report).toEqual({ accepted: 61, refused: { requests: 2, tokens: 0, concurrent: 0 } });
});

test('a small burst enforces the limit over shorter times', () => {
  const limiter = new Limiter({ ...NO_LIMITS, requestsPerMinute: 600, burstMs: 1000 }, 0);
  const accepted = Array.from({ length: 30 }, () => limiter.enter(1, 0)).filter((refusal) => refusal === undefined);
  expect(accepted).toHaveLength(10);
});

test('tokens and requests at once; the limit that takes longest is named', () => {
  const limiter = new Limiter({ ...NO_LIMITS, tokensPerMinute: 6000, concurrent: 2 }, 0);
  expect(limiter.enter(5000, 0)).toBeUndefined();
  expect(limiter.enter(2000, 0)).toEqual({ limit: 'tokens', retryAfterMs: 10_000 });
  expect(limiter.enter(1000, 0)).toBeUndefined();
  expect(limiter.enter(1, 60_000)).toMatchObject({ limit: 'concurrent' });
  limiter.leave();
  expect(limiter.enter(100_000, 60_000)).toBeUndefined();
});
