import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Labels, ModelLimitTable } from '@cadre/contracts';
import { SingleServer } from '@cadre/models';
import { BaseConfig, envInt } from '@cadre/service-kit';
import { z } from 'zod';

const LIMITS_SHAPE = 'must be JSON like {"*": {"requestsPerMinute": 600, "tokensPerMinute": 200000, "concurrent": 8}}';

function readLimits(text: string, context: z.RefinementCtx): ModelLimitTable {
  try {
    const parsed = ModelLimitTable.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    const why = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`);
    context.addIssue({ code: 'custom', message: `${LIMITS_SHAPE} (${why.slice(0, 3).join('; ')})` });
  } catch (error) {
    context.addIssue({ code: 'custom', message: `${LIMITS_SHAPE} (${(error as Error).message})` });
  }
  return z.NEVER;
}

function readLabels(text: string, context: z.RefinementCtx): Labels {
  const given = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const pairs = given.map((part) => [part.split('=', 1)[0] as string, part.includes('=') ? part.slice(part.indexOf('=') + 1) : 'true']);
  const parsed = Labels.safeParse(Object.fromEntries(pairs));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const why = issue?.code === 'invalid_key' ? issue.issues[0]?.message : issue?.message;
  context.addIssue({ code: 'custom', message: `must be labels like gpu=true,region=eu (${issue?.path.join('.')}: ${why})` });
  return z.NEVER;
}

/** What every worker reads from the environment. */
export const WorkerConfig = BaseConfig.extend({
  ...SingleServer.shape,
  /** Path of the file that names several model servers and models (docs/MODELS.md). With it the OPENAI variables say nothing. */
  CADRE_MODELS: z.string().min(1).optional(),
  /** For agents and runs that name no model. */
  CADRE_MODEL: z.string().min(1).max(200).default('cadre-sim-1'),
  /** How long a model server may take for the first sign of its answer, in milliseconds. */
  CADRE_MODEL_TIMEOUT_MS: envInt(100, 3_600_000).default(120_000),
  /** How long it may then be silent; default: as long. */
  CADRE_MODEL_IDLE_MS: envInt(100, 3_600_000).optional(),
  /** Prices of models: JSON, or the path of a JSON file. */
  CADRE_PRICES: z.string().optional(),
  /** MCP servers whose tools agents may have: the path of a YAML or JSON file, or JSON. See docs/MCP.md. */
  CADRE_MCP_SERVERS: z.string().min(1).optional(),
  /**
   * What the model server allows the whole fleet: by model name, `*` for all other models together; requestsPerMinute, tokensPerMinute,
   * concurrent. JSON. Calls wait until there is room. All workers of a server should have the same; else the least of them holds. See ADR
   * 24.
   */
  MODEL_LIMITS: z.string().transform(readLimits).prefault('{}'),
  /** What tasks and definitions may ask for of this worker: `gpu=true,region=eu`. See docs/DEFINING-AGENTS.md. */
  CADRE_LABELS: z.string().transform(readLabels).optional(),
  /** Attempts worked on at once; default: as the worker's specialty says. */
  CADRE_SLOTS: envInt(1, 1000).optional(),
  /** Where the attempts' private folders are made. */
  CADRE_WORK_DIR: z.string().min(1).default(join(tmpdir(), 'cadre-work')),
  /** How long attempts may take to finish at shutdown before they are handed back, in milliseconds. */
  SHUTDOWN_GRACE_MS: envInt(0, 600_000).default(3000),
});
export type WorkerConfig = z.infer<typeof WorkerConfig>;
