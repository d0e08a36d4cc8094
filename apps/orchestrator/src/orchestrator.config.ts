import { BaseConfig } from '@cadre/service-kit';
import { z } from 'zod';

/** Configuration of the orchestrator, from the environment. */
export const OrchestratorConfig = BaseConfig.extend({
  /** A snapshot is saved after this many blocks. */
  SNAPSHOT_BLOCKS: z.coerce.number().int().min(1).default(2000),
  /** Blocks kept in the log before a snapshot, so that readers which lag need no snapshot themselves. */
  LOG_KEEP_BLOCKS: z.coerce.number().int().min(0).default(20_000),
  /** How long the id of an ended run is remembered, in hours: a repeated start within that time does not run twice. */
  RETENTION_HOURS: z.coerce
    .number()
    .min(0.01)
    .default(7 * 24),
});
export type OrchestratorConfig = z.infer<typeof OrchestratorConfig>;
