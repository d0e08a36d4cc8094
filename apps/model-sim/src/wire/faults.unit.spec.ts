import { NO_FAULTS, faultFor, parseFaults, type Faults } from './faults.js';

const parsed = (text: string): Faults => parseFaults(text)!;

test.each<[string, Partial<Faults> | undefined]>([
  ['', {}],
  ['malformed:2', { malformed: 2 }],
  ['seed:7, 429:0.25,retry-after:1.5', { seed: 7, retryAfterSeconds: 1.5, chances: [{ kind: '429', probability: 0.25 }] }],
  [
    'reset@3,500@5-8,slow-ms:20',
    {
      slowMs: 20,
      script: [
        { kind: 'reset', first: 3, last: 3 },
        { kind: '500', first: 5, last: 8 },
      ],
    },
  ],
  ['malformed', undefined],
  ['other:1', undefined],
  ['429:2', undefined],
  ['429:0.1-3', undefined],
  ['reset@0', undefined],
  ['seed@3', undefined],
  ['malformed:0.5', undefined],
])('faults "%s"', (text, expected) => {
  expect(parseFaults(text)).toEqual(expected && { ...NO_FAULTS, ...expected });
});

test('a script plays by the number of the call, and goes before chance', () => {
  const faults = parsed('429:1,reset@3-4');
  const kinds = [1, 2, 3, 4, 5].map((number) => faultFor(faults, { number, key: undefined, times: number }));
  expect(kinds).toEqual(['429', '429', 'reset', 'reset', '429']);
});

test('chance hits about as often as asked, by the seed, and each try of a call anew', () => {
  const hits = (text: string) =>
    Array.from({ length: 2000 }, (_, n) => faultFor(parsed(text), { number: n, key: `k${n % 1000}`, times: n < 1000 ? 1 : 2 }));
  const once = hits('seed:3,500:0.2');
  expect(once).toEqual(hits('seed:3,500:0.2'));
  expect(once).not.toEqual(hits('seed:4,500:0.2'));
  expect(once.slice(0, 1000)).not.toEqual(once.slice(1000));
  const share = once.filter((kind) => kind === '500').length / once.length;
  expect(share).toBeGreaterThan(0.15);
  expect(share).toBeLessThan(0.25);
});

test('the order in which calls arrive does not change their faults', () => {
  const faults = parsed('reset:0.5');
  const of = (number: number) => faultFor(faults, { number, key: 'k', times: 1 });
  expect(of(1)).toBe(of(99));
});
