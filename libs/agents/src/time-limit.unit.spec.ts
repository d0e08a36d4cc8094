import { sampleAgent } from './testing/index.js';
import { timeLimitOf } from './time-limit.js';

const said = (defaultLimitMs: number | undefined, maxMs: number | undefined, leftMs: number) => {
  const agent = sampleAgent({ limits: maxMs === undefined ? {} : { maxMs } });
  const { ms, isDefault, error } = timeLimitOf(defaultLimitMs === undefined ? {} : { defaultLimitMs }, agent, leftMs);
  return [ms, isDefault, `${error.message} ${error.remedy}`];
};

test.each([
  [
    600_000,
    undefined,
    600_000,
    600_000,
    true,
    /longer than 600 s\. That is the default limit: timeoutMs of the task .* CADRE_MODEL_TIMEOUT_MS/,
  ],
  [600_000, undefined, 90_000, 90_000, true, /longer than 90 s, which was left of its run\. Start the run with a longer deadline/],
  [
    undefined,
    undefined,
    5000,
    5000,
    false,
    /longer than 5 s, the limit of its task .* Raise timeoutMs of the task, or the deadline of the run/,
  ],
  [600_000, 2000, 600_000, 2000, false, /longer than 2000 ms, the limit of its agent\. Raise limits\.maxMs of the agent/],
])('default %s, agent %s, left %s', (byDefault, maxMs, leftMs, ms, isDefault, words) => {
  expect(said(byDefault, maxMs, leftMs)).toEqual([ms, isDefault, expect.stringMatching(words)]);
});
