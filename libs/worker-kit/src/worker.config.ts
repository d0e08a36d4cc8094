import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BaseConfig, envInt, envUrl } from '@cadre/service-kit';
import { z } from 'zod';

/** What every worker reads from the environment. */
export const WorkerConfig = BaseConfig.extend({
  /** Base of an OpenAI-compatible API, often ending in /v1. Default: the deterministic model server of `cadre dev`. */
  OPENAI_BASE_URL: envUrl().default('http://127.0.0.1:7401/v1'),
  /** Local servers need none. */
  OPENAI_API_KEY: z.string().min(1).optional(),
  /** For agents and runs that name no model. */
  CADRE_MODEL: z.string().min(1).max(200).default('cadre-sim-1'),
  /** Longest time of one model call, in milliseconds. */
  CADRE_MODEL_TIMEOUT_MS: envInt(100, 3_600_000).default(120_000),
  /** `none`: do not ask for JSON by `response_format`; for servers that then suppress tool calls. */
  CADRE_RESPONSE_FORMAT: z.enum(['auto', 'none'], { error: 'must be auto or none' }).default('auto'),
  /** Prices of models: JSON, or the path of a JSON file. */
  CADRE_PRICES: z.string().optional(),
  /** Attempts worked on at once; default: as the worker's specialty says. */
  CADRE_SLOTS: envInt(1, 1000).optional(),
  /** Where the attempts' private folders are made. */
  CADRE_WORK_DIR: z.string().min(1).default(join(tmpdir(), 'cadre-work')),
  /** How long attempts may take to finish at shutdown before they are handed back, in milliseconds. */
  SHUTDOWN_GRACE_MS: envInt(0, 600_000).default(3000),
});
export type WorkerConfig = z.infer<typeof WorkerConfig>;
