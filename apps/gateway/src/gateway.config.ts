import { BaseConfig, envInt } from '@cadre/service-kit';
import type { z } from 'zod';

const MIB = 1024 * 1024;

export const GatewayConfig = BaseConfig.extend({
  /** Largest uploaded file, in bytes; the blob store takes up to 64 MiB. */
  UPLOAD_MAX_BYTES: envInt(1, 64 * MIB).default(64 * MIB),
  /** Most files of one request. */
  UPLOAD_MAX_FILES: envInt(1, 50).default(20),
  /** Memory that uploads under way may take together, in bytes; beyond it uploads are refused for the moment. */
  UPLOAD_MEMORY_BYTES: envInt(MIB, 16 * 1024 * MIB).default(512 * MIB),
  /** How long to wait for an orchestrator or a monitor before a request is answered with 503, in milliseconds. */
  ANSWER_TIMEOUT_MS: envInt(100, 120_000).default(10_000),
  /** How often a comment keeps a quiet event stream open, in milliseconds. */
  SSE_KEEPALIVE_MS: envInt(100, 120_000).default(15_000),
  /** A cron time that nobody was there for is made up for, once, when it is not longer ago than this, in milliseconds. */
  CRON_CATCH_UP_MS: envInt(0, 86_400_000).default(3_600_000),
  /** Events from outside worked on at once. */
  INGRESS_PARALLEL: envInt(1, 1000).default(32),
});
export type GatewayConfig = z.infer<typeof GatewayConfig>;
