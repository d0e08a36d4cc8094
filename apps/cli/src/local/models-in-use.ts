/**
 * The model servers that this environment names, as the workers would use them: those of the models file, or the one of the OPENAI
 * variables.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CadreError } from '@cadre/contracts';
import type { KeyReference, ModelServers, ModelsFile, PriceBook, ServerEntry, ServerLook, Target } from '@cadre/models';
import type { Terminal } from '../terminal.js';

export interface TargetInUse {
  /** The name that agents ask for. */
  model: string;
  target: Target;
  server: ServerEntry;
  /** US dollars per million tokens, and where that comes from; undefined: not known. */
  price?: { input: number; output: number; source: string };
  /** The variable or file that is to hold the key and does not. */
  keyMissing?: string;
  /** Through which it is asked. */
  proxy?: string;
}

export interface ModelsInUse {
  /** Of the models file; undefined: there is none. */
  path?: string;
  file: ModelsFile;
  defaultModel: string;
  targets: TargetInUse[];
  servers: ModelServers;
  /** Asks a server for its list of models. Never rejects. */
  look(server: ServerEntry): Promise<ServerLook>;
}

/** Error `models-file-invalid`, `models-file-missing`, `model-settings-invalid`, `prices-invalid`. @param path goes before CADRE_MODELS */
export async function modelsInUse(
  { env, cwd }: Pick<Terminal, 'env' | 'cwd'>,
  builtInUrl: string,
  path = env['CADRE_MODELS'] || undefined,
): Promise<ModelsInUse> {
  // The library is large, and most commands do without it.
  const models = await import('@cadre/models');
  const { ModelServers, keyReader, loadPrices, lookAtServer, parseModelsFile, proxyFor } = models;
  const own = (env['OPENAI_BASE_URL'] ?? '') === '' ? { OPENAI_BASE_URL: builtInUrl } : env;
  const file = path === undefined ? models.singleServer(models.readSingleServer(own)) : parseModelsFile(textOf(resolve(cwd, path)), path);
  const keyOf = keyReader(env, (name) => readFileSync(resolve(cwd, name), 'utf8'));
  const prices = loadPrices(env['CADRE_PRICES']);
  const defaultModel = file.default ?? (env['CADRE_MODEL'] || 'cadre-sim-1');
  const named = Object.entries(file.models).flatMap(([model, { targets }]) => targets.map((target) => ({ model, target })));
  const asked =
    Object.hasOwn(file.models, defaultModel) || file.others === undefined
      ? []
      : [{ model: defaultModel, target: { server: file.others, model: defaultModel, weight: 1 } }];
  const targets = [...asked, ...named].map(({ model, target }): TargetInUse => {
    const server = file.servers[target.server]!;
    const price = priceOf(prices, target, server);
    const keyMissing = missingKey(server, keyOf);
    const proxy = proxyFor(server.url, env);
    return {
      model,
      target,
      server,
      ...(price && { price }),
      ...(keyMissing !== undefined && { keyMissing }),
      ...(proxy !== undefined && { proxy }),
    };
  });
  const servers = new ModelServers(file, {
    keyOf,
    prices,
    defaultModel,
    timeoutMs: 120_000,
    random: () => Math.random(),
    now: () => Date.now(),
  });
  return { ...(path !== undefined && { path }), file, defaultModel, targets, servers, look: (server) => lookAtServer(server, keyOf) };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CadreError('models-file-missing', `The models file ${path} cannot be read.`, {
      remedy: 'Check CADRE_MODELS (or --file).',
      cause,
    });
  }
}

function priceOf(prices: PriceBook, target: Target, server: ServerEntry): TargetInUse['price'] {
  if (target.price) return { input: target.price.input, output: target.price.output, source: 'models file' };
  const known = prices.find(target.model, server.url);
  return known && { input: known.price.input, output: known.price.output, source: known.source };
}

function missingKey({ key }: ServerEntry, keyOf: (reference: KeyReference) => string): string | undefined {
  if (!key) return undefined;
  try {
    keyOf(key);
    return undefined;
  } catch {
    return 'env' in key ? key.env : key.file;
  }
}
