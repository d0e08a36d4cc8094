/**
 * The file that names the model servers and the models that agents may ask for: its shape, and how it is read. Keys stand in it by
 * reference only.
 */
import { CadreError, ModelLimitTable } from '@cadre/contracts';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { API_NAMES } from '../apis.js';
import { Price } from '../prices/price.js';

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,59}$/, 'a name is lower-case letters, digits and -');
const ModelName = z.string().min(1).max(200);

/** Where a key is found: an environment variable, or a file that holds nothing else. */
export const KeyReference = z.union(
  [z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) }), z.strictObject({ file: z.string().min(1) })],
  'a key is given by reference: {env: NAME} or {file: PATH}',
);
export type KeyReference = z.infer<typeof KeyReference>;

/** Fields that are sent as they are, with each request. */
const ExtraFields = z.record(z.string().min(1), z.json());

const tokens = z.int().min(16).max(10_000_000);

/** What may be said of a server, and, in its place, of one model of it. */
const wishes = {
  /** Input and output of one call together. */
  contextTokens: z.int().min(100).max(100_000_000).optional(),
  /** `omit`: none is sent, so that the server's own holds. */
  temperature: z.literal('omit', 'is omit, or left out: the agent says which').optional(),
  /** Whether an answer format is asked for, and whether the server takes one beside tools. */
  responseFormat: z.enum(['auto', 'none', 'beside-tools']).optional(),
  extra: ExtraFields.optional(),
};

/** It is shown to people and written to logs, so that no secret may be in it. */
export const ServerUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL, such as http://127.0.0.1:8080/v1' })
  .refine((url) => !URL.canParse(url) || new URL(url).username + new URL(url).password === '', {
    error: 'must be without user and password (in a models file, `headers` takes an Authorization header by reference)',
  });

export const ServerEntry = z.strictObject({
  /** Base of its API; of OpenAI-compatible ones it often ends in /v1. */
  url: ServerUrl.transform((url) => url.replace(/\/+$/, '')),
  api: z.enum(API_NAMES).default('chat'),
  key: KeyReference.optional(),
  /** A tenant's own key; other tenants have `key`. */
  keys: z.record(z.string().min(1), KeyReference).default({}),
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/, 'is no name of a header'), z.union([z.string(), KeyReference])).default({}),
  /** What it allows the whole fleet, by model; `*` is all others together. */
  limits: ModelLimitTable.default({}),
  /** Longest wait for the first sign of an answer. */
  timeoutMs: z.int().min(100).max(3_600_000).optional(),
  /** Longest silence of the server within one call. */
  idleMs: z.int().min(100).max(3_600_000).optional(),
  /** Output tokens of one call, by model; `*` is all others. */
  maxOutputTokens: z.record(ModelName, tokens).optional(),
  ...wishes,
});
export type ServerEntry = z.infer<typeof ServerEntry>;

export const Target = z.strictObject({
  server: Name,
  model: ModelName,
  /** For the policy `weighted`. */
  weight: z.number().positive().max(1000).default(1),
  price: Price.optional(),
  /** Output tokens of one call. */
  maxOutputTokens: tokens.optional(),
  ...wishes,
});
export type Target = z.infer<typeof Target>;

export const ModelEntry = z.strictObject({
  /** `order`: the first that works. `weighted`: by chance. `cheapest`: the one that costs least of those whose window fits. */
  policy: z.enum(['order', 'weighted', 'cheapest']).default('order'),
  targets: z.array(Target).min(1).max(20),
});
export type ModelEntry = z.infer<typeof ModelEntry>;

/** The whole file. */
export const ModelsFile = z
  .strictObject({
    servers: z.record(Name, ServerEntry).refine((servers) => Object.keys(servers).length > 0, 'name at least one server'),
    /** The names that agents and runs ask for. */
    models: z.record(ModelName, ModelEntry).default({}),
    /** For agents and runs that name no model. Left out: CADRE_MODEL. */
    default: ModelName.optional(),
    /** The server that is asked for every other name, as it is. Left out: other names are refused. */
    others: Name.optional(),
  })
  .superRefine((file, context) => {
    const check = (server: string, path: (string | number)[]) => {
      if (Object.hasOwn(file.servers, server)) return;
      context.addIssue({
        code: 'custom',
        path,
        message: `there is no server ${server}; there are: ${Object.keys(file.servers).join(', ')}`,
      });
    };
    for (const [name, { targets }] of Object.entries(file.models)) {
      for (const [place, { server }] of targets.entries()) check(server, ['models', name, 'targets', place, 'server']);
    }
    if (file.others !== undefined) check(file.others, ['others']);
    if (file.default !== undefined && file.others === undefined && !Object.hasOwn(file.models, file.default)) {
      context.addIssue({ code: 'custom', path: ['default'], message: `there is no model ${file.default} in the file` });
    }
  });
export type ModelsFile = z.infer<typeof ModelsFile>;

/** @param path for people. Error `models-file-invalid`, with all that is wrong and where */
export function parseModelsFile(text: string, path: string): ModelsFile {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (cause) {
    throw invalid(path, [(cause as Error).message.split('\n')[0]!], cause);
  }
  const parsed = ModelsFile.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  throw invalid(
    path,
    parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`),
  );
}

function invalid(path: string, faults: string[], cause?: unknown): CadreError {
  const more = faults.length > 10 ? `; and ${faults.length - 10} more` : '';
  return new CadreError(
    'models-file-invalid',
    `The models file ${path} is not as it should be: ${faults.slice(0, 10).join('; ')}${more}.`,
    {
      remedy: 'docs/MODELS.md shows its shape; `cadre models list` checks it.',
      cause,
    },
  );
}

export type TargetSettings = Pick<Target, keyof typeof wishes> & { maxOutputTokens: Record<string, number> };

/** What one target is to be called with: its own wishes before those of its server. */
export function settingsOf(server: ServerEntry, target: Target): TargetSettings {
  const { contextTokens, temperature, responseFormat } = { ...defined(server), ...defined(target) };
  const maxOutputTokens = { ...server.maxOutputTokens, ...(target.maxOutputTokens && { [target.model]: target.maxOutputTokens }) };
  const extra = { ...server.extra, ...target.extra };
  return {
    maxOutputTokens,
    ...defined({ contextTokens, temperature, responseFormat }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}
