import { BREAKER_RULES, DESK_TIMING } from '@cadre/scheduling';
import { BaseConfig, envInt } from '@cadre/service-kit';
import { z } from 'zod';

const NAMED_COUNTS = 'must be names and whole numbers from 0 to 10000, as in acme=50,beta=5';

/** `name=number` pairs with commas between them. */
const namedCounts = z
  .string()
  .transform((text) => text.split(',').filter((pair) => pair.trim() !== ''))
  .transform((pairs) => pairs.map((pair) => /^\s*([^=\s]+)\s*=\s*(\d{1,5})\s*$/.exec(pair)))
  .refine((found) => found.every((match) => match !== null && Number(match[2]) <= 10_000), { error: NAMED_COUNTS })
  .transform((found) => Object.fromEntries(found.map((match) => [match![1]!, Number(match![2])])));

/** Configuration of the scheduler, from the environment. Times are in milliseconds. */
export const SchedulerConfig = BaseConfig.extend({
  /** Waiting this long raises an attempt by one level of priority. */
  AGEING_MS: envInt(100, 86_400_000).default(15_000),
  /** Attempts of one tenant at work at once, over all workers; without it as many as there are slots. */
  TENANT_SLOTS: envInt(0, 10_000).optional(),
  /** The same for single tenants, whatever `TENANT_SLOTS` says: `acme=50,beta=5`. */
  TENANT_SLOTS_OF: namedCounts.prefault(''),
  /**
   * Percent of the slots for a kind of work that a tenant without a limit leaves to others, rounded down, while work of others was
   * scheduled in the last ten minutes. 0: none.
   */
  TENANT_KEPT_PERCENT: envInt(0, 90).default(DESK_TIMING.tenantSlots.kept.percent),
  /** Ready work that no live agent can do is reported after this time. */
  UNMATCHED_MS: envInt(0, 86_400_000).default(30_000),
  /**
   * So many failed attempts of an agent in a row, within the window, and it gets no work for the cool-down, then one attempt as a probe. 0:
   * never.
   */
  AGENT_BREAKER_FAILURES: envInt(0, 1000).default(BREAKER_RULES.failures),
  AGENT_BREAKER_WINDOW_MS: envInt(1, 86_400_000).default(BREAKER_RULES.windowMs),
  AGENT_BREAKER_COOL_DOWN_MS: envInt(1, 3_600_000).default(BREAKER_RULES.coolDownMs),
});
export type SchedulerConfig = z.infer<typeof SchedulerConfig>;
