/** Settings of the model server. It takes part in nothing but HTTP, so it has no NATS settings. */
import { BaseConfig, envInt } from '@cadre/service-kit';
import { z } from 'zod';
import { parseFaults, type Faults } from './wire/faults.js';
import { parseLimits, type Limits } from './wire/limiter.js';

export const ModelSimConfig = BaseConfig.pick({ HTTP_HOST: true, LOG_LEVEL: true, CADRE_READY_FILE: true }).extend({
  HTTP_PORT: envInt(0, 65_535).default(0),
  /** How long each answer takes, in milliseconds. */
  MODEL_SIM_LATENCY_MS: envInt(0, 600_000).default(0),
  /**
   * For tests, as `429:0.1,reset@3,malformed:1`: what goes wrong, by chance or by the number of the call. All of it is in `wire/faults.ts`.
   */
  MODEL_SIM_FAULTS: z
    .string()
    .default('')
    .transform((text, context): Faults => {
      const faults = parseFaults(text);
      if (faults !== undefined) return faults;
      context.addIssue({ code: 'custom', message: 'must be empty or look like malformed:1,429:0.1,reset@3,hang@5-8,retry-after:2,seed:7' });
      return z.NEVER;
    }),
  /** What the server allows, as `rpm:600,tpm:100000,concurrent:8`; see `wire/limiter.ts`. */
  MODEL_SIM_LIMITS: z
    .string()
    .default('')
    .transform((text, context): Limits => {
      const limits = parseLimits(text);
      if (limits !== undefined) return limits;
      context.addIssue({ code: 'custom', message: 'must be empty or look like rpm:600,tpm:100000,concurrent:8,burst-ms:1000' });
      return z.NEVER;
    }),
});
export type ModelSimConfig = z.infer<typeof ModelSimConfig>;
