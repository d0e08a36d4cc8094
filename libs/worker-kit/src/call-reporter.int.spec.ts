import type { CallRecord } from '@cadre/contracts';
import { CallReporter } from './call-reporter.js';

const record = (n: number): CallRecord => ({
  n,
  kind: 'tool',
  name: 't',
  ok: true,
  note: '',
  at: 0,
  durationMs: 0,
  inputTokens: 0,
  outputTokens: 0,
  costMicros: 0,
});

test('collects for a moment, sends in order, one message at a time, and drains', async () => {
  const sent: number[][] = [];
  let underway = 0;
  const reporter = new CallReporter(async (calls) => {
    underway += 1;
    expect(underway).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    sent.push(calls.map((call) => call.n));
    underway -= 1;
  });
  reporter.add(record(1));
  reporter.add(record(2));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(sent).toEqual([[1, 2]]);
  for (let n = 3; n <= 253; n += 1) reporter.add(record(n));
  await reporter.drain();
  expect(sent.map((calls) => calls.length)).toEqual([2, 100, 100, 51]);
  expect(sent.flat()).toEqual(Array.from({ length: 253 }, (_, index) => index + 1));
});
