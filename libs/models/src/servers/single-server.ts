/**
 * The one model server of an installation without a models file: settings of the environment, the same for workers and for the command
 * line.
 */
import { CadreError, type ModelLimitTable } from '@cadre/contracts';
import { z } from 'zod';
import { API_NAMES } from '../apis.js';
import { ModelsFile, ServerUrl } from './models-file.js';

const CAPS_SHAPE = 'must be a number of tokens, or JSON like {"llama3.3": 4096, "*": 16384}';
const Caps = z.record(z.string().min(1).max(200), z.int().min(16).max(10_000_000));

function readCaps(text: string, context: z.RefinementCtx): Readonly<Record<string, number>> {
  const caps = Caps.safeParse(/^\s*\d+\s*$/.test(text) ? { '*': Number(text) } : parsedJson(text));
  if (caps.success) return caps.data;
  context.addIssue({ code: 'custom', message: CAPS_SHAPE });
  return z.NEVER;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export const SingleServer = z.object({
  /** Base of its API; an OpenAI-compatible one often ends in /v1. Default: the deterministic model server of `cadre dev`. */
  OPENAI_BASE_URL: ServerUrl.default('http://127.0.0.1:7401/v1'),
  /** Which API it speaks: OpenAI's chat completions, OpenAI's Responses, or Anthropic's Messages. */
  CADRE_MODEL_API: z.enum(API_NAMES, { error: `must be one of ${API_NAMES.join(', ')}` }).default('chat'),
  /** Local servers need none. */
  OPENAI_API_KEY: z.string().min(1).optional(),
  /** Whether a JSON answer is asked for by `response_format`: where no tools are offered, never, or always. */
  CADRE_RESPONSE_FORMAT: z.enum(['auto', 'none', 'beside-tools'], { error: 'must be auto, none or beside-tools' }).default('auto'),
  /** What a model writes at most in one answer: a number of tokens, or JSON by model name, `*` for all others. */
  CADRE_MAX_OUTPUT_TOKENS: z.string().transform(readCaps).optional(),
});
export type SingleServer = z.infer<typeof SingleServer>;

/** A models file of this server, which is asked for every name as it is. @param limits what it allows the whole fleet */
export function singleServer(settings: SingleServer, limits: ModelLimitTable = {}): ModelsFile {
  const { OPENAI_BASE_URL: url, CADRE_MODEL_API: api, CADRE_RESPONSE_FORMAT: responseFormat } = settings;
  const key = settings.OPENAI_API_KEY === undefined ? {} : { key: { env: 'OPENAI_API_KEY' } };
  const caps = settings.CADRE_MAX_OUTPUT_TOKENS ? { maxOutputTokens: settings.CADRE_MAX_OUTPUT_TOKENS } : {};
  return ModelsFile.parse({ servers: { default: { url, api, ...key, limits, responseFormat, ...caps } }, others: 'default' });
}

/** Error `model-settings-invalid` names what is wrong. @param env an empty value counts as not set */
export function readSingleServer(env: Readonly<Record<string, string | undefined>>): SingleServer {
  const set = Object.fromEntries(Object.entries(env).filter(([name, value]) => name in SingleServer.shape && value !== ''));
  const parsed = SingleServer.safeParse(set);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new CadreError('model-settings-invalid', `The settings of the model server are not as they should be: ${faults.join('; ')}.`, {
    remedy: 'docs/MODELS.md says what they may be.',
  });
}
