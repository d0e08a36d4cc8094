import { BaseConfig, envInt } from '@cadre/service-kit';
import type { z } from 'zod';

/** Configuration of the scheduler, from the environment. Times are in milliseconds. */
export const SchedulerConfig = BaseConfig.extend({
  /** Waiting this long raises an attempt by one level of priority. */
  AGEING_MS: envInt(100, 86_400_000).default(15_000),
  /** Ready work that no live agent can do is reported after this time. */
  UNMATCHED_MS: envInt(0, 86_400_000).default(30_000),
});
export type SchedulerConfig = z.infer<typeof SchedulerConfig>;
