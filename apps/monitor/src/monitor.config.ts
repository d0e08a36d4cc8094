import { BaseConfig, envInt } from '@cadre/service-kit';
import { z } from 'zod';

/** Configuration of the monitor, from the environment. */
export const MonitorConfig = BaseConfig.extend({
  /** PostgreSQL for the history. Without it: PGlite, in `CADRE_HISTORY_DIR` or in memory. */
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\/\S+$/, 'must be a URL such as postgres://user:password@host:5432/cadre')
    .optional(),
  /** Folder for PGlite; one monitor at a time. */
  CADRE_HISTORY_DIR: z.string().min(1).optional(),
  /** How long a query about an unknown run waits for the history to catch up with the log, in milliseconds. */
  CATCH_UP_MS: envInt(0, 10_000).default(2000),
});
export type MonitorConfig = z.infer<typeof MonitorConfig>;
