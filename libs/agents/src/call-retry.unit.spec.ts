import { CadreError } from '@cadre/contracts';
import fc from 'fast-check';
import { CALL_RETRY, attemptError, billedOf, callRetryDelayMs, isServerTrouble, isWaitedFor, nextModel } from './call-retry.js';

const failure = (code: string, retryAfterMs?: number, retriable = true) =>
  new CadreError(code, 'Because.', { retriable, ...(retryAfterMs !== undefined && { retryAfterMs }) });
const least = () => 0;
const most = () => 0.999_999;

describe('quick retries', () => {
  test.each([
    ['model-unavailable', true],
    ['model-rate-limited', false],
    ['model-loading', false],
    ['model-breaker-open', false],
    ['model-timeout', false],
    ['malformed-output', false],
    ['budget-exceeded', false],
    ['aborted', false],
  ])('of %s: %s', (code, again) => {
    expect(callRetryDelayMs(failure(code), 1, least) !== undefined).toBe(again);
  });

  test('are at most two, wait longer each time, and are spread', () => {
    const error = failure('model-unavailable');
    expect([1, 2, 3].map((tries) => callRetryDelayMs(error, tries, least))).toEqual([125, 375, undefined]);
    expect([1, 2, 3].map((tries) => callRetryDelayMs(error, tries, most))).toEqual([250, 750, undefined]);
  });

  test('are not made when the error says that they are of no use', () => {
    expect(callRetryDelayMs(failure('model-unavailable', undefined, false), 1, least)).toBeUndefined();
  });

  test('honour what the server asks for, or are left to the engine', () => {
    expect(callRetryDelayMs(failure('model-rate-limited', 1000), 1, least)).toBe(1000);
    expect(callRetryDelayMs(failure('model-rate-limited', 1000), 2, most)).toBe(1250);
    expect(callRetryDelayMs(failure('model-rate-limited', 2000), 1, least)).toBe(2000);
    expect(callRetryDelayMs(failure('model-rate-limited', 2001), 1, least)).toBeUndefined();
  });

  test('whatever comes: never early, never long', () => {
    const wait = fc.option(fc.integer({ min: 0, max: 10_000 }), { nil: undefined });
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(wait, fc.integer({ min: 1, max: 5 }), chance, (retryAfterMs, tries, random) => {
        const delay = callRetryDelayMs(failure('model-unavailable', retryAfterMs), tries, () => random);
        if (delay === undefined) return tries > CALL_RETRY.retries || (retryAfterMs ?? 0) > CALL_RETRY.maxWaitMs;
        return delay >= (retryAfterMs ?? 1) && delay <= CALL_RETRY.maxWaitMs + CALL_RETRY.spreadMs;
      }),
    );
  });
});

describe('the next model', () => {
  const chain = ['big', 'small', 'big', 'tiny'];

  test.each([
    ['model-unavailable', 'small'],
    ['model-timeout', 'small'],
    ['model-rate-limited', 'small'],
    ['model-breaker-open', 'small'],
    ['model-quota-exhausted', 'small'],
    ['model-not-found', 'small'],
    ['model-context-exceeded', 'small'],
    ['model-refused', undefined],
    ['model-rejected', undefined],
    ['model-unauthorized', undefined],
    ['budget-exceeded', undefined],
    ['model-unpriced', undefined],
    ['aborted', undefined],
  ])('after %s is %s', (code, next) => {
    expect(nextModel(chain, ['big'], failure(code, undefined, false))).toBe(next);
  });

  test('is none that failed already', () => {
    expect(nextModel(chain, ['big', 'small'], failure('model-timeout'))).toBe('tiny');
    expect(nextModel(chain, ['big', 'small', 'tiny'], failure('model-timeout'))).toBeUndefined();
    expect(nextModel(['only'], ['only'], failure('model-timeout'))).toBeUndefined();
  });
});

test('what does not surely cost nothing is billed', () => {
  expect(billedOf(new CadreError('model-rate-limited', 'Later.', { billed: 'no' }))).toBe('no');
  for (const error of [new CadreError('x-y', 'Hm.'), new Error('Hm.'), undefined, 'no']) expect(billedOf(error)).toBe('unknown');
});

test("which trouble is the server's and passes by itself", () => {
  const codes = [
    'model-unavailable',
    'model-rate-limited',
    'model-loading',
    'model-breaker-open',
    'model-timeout',
    'model-quota-exhausted',
  ];
  expect(codes.filter((code) => isServerTrouble(failure(code)))).toEqual(codes.slice(0, 4));
  expect(isServerTrouble(failure('model-unavailable', undefined, false))).toBe(false);
});

test('an attempt that no model could answer waits for the one that is back first', () => {
  const [limited, gone, loading] = [
    failure('model-rate-limited', 60_000),
    failure('model-not-found', undefined, false),
    failure('model-loading', 5000),
  ];
  expect(attemptError([limited, gone])).toBe(limited);
  expect(attemptError([limited, loading, gone])).toBe(loading);
  expect(attemptError([gone, failure('model-timeout')])).toMatchObject({ code: 'model-timeout' });
  expect(attemptError([])).toBeUndefined();
});

test('a server that may have billed its failures is waited for some times only, another one as long as it takes', () => {
  const broke = new CadreError('model-unavailable', 'Bad gateway.', { retriable: true, billed: 'unknown' });
  const gone = new CadreError('model-unavailable', 'Nobody there.', { retriable: true, billed: 'no' });
  expect([0, 7, 8].map((waited) => isWaitedFor(broke, waited))).toEqual([true, true, false]);
  expect([isWaitedFor(gone, 100), isWaitedFor(failure('model-loading'), 100), isWaitedFor(failure('model-timeout'), 0)]).toEqual([
    true,
    true,
    false,
  ]);
});
