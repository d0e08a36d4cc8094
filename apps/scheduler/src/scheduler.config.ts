import { BREAKER_RULES } from '@cadre/scheduling';
import { BaseConfig, envInt } from '@cadre/service-kit';
import type { z } from 'zod';

/** Configuration of the scheduler, from the environment. Times are in milliseconds. */
export const SchedulerConfig = BaseConfig.extend({
  /** Waiting this long raises an attempt by one level of priority. */
  AGEING_MS: envInt(100, 86_400_000).default(15_000),
  /** Ready work that no live agent can do is reported after this time. */
  UNMATCHED_MS: envInt(0, 86_400_000).default(30_000),
  /** So many failed attempts of an agent in a row, within the window, and it gets no work for the cool-down, then one attempt as a probe. 0: never. */
  AGENT_BREAKER_FAILURES: envInt(0, 1000).default(BREAKER_RULES.failures),
  AGENT_BREAKER_WINDOW_MS: envInt(1, 86_400_000).default(BREAKER_RULES.windowMs),
  AGENT_BREAKER_COOL_DOWN_MS: envInt(1, 3_600_000).default(BREAKER_RULES.coolDownMs),
});
export type SchedulerConfig = z.infer<typeof SchedulerConfig>;
