/**
 * All model servers of a process, as the models file names them: each target behind the breaker and the gate of its own server, with the
 * key of the tenant who asks. The file may be replaced at any time; what has not changed in it keeps what was learnt about it.
 */
import type { CallGate, ModelPort, ModelQuote, ModelReply, ModelRequest } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import type { ModelLimitTable } from '@cadre/contracts';
import { APIS } from '../apis.js';
import { ModelBreaker } from '../model-breaker.js';
import type { BreakerChange } from '../model-breaker.js';
import { RemoteModel } from '../remote-model.js';
import { PriceBook } from '../prices/price-book.js';
import { settingsOf } from './models-file.js';
import type { KeyReference, ModelsFile, ServerEntry, Target } from './models-file.js';
import { RoutedModel } from './routed-model.js';
import type { Route, RoutedModelOptions, RoutedTarget } from './routed-model.js';

export interface ModelServersParts {
  /** Gives what a reference names. Error `model-key-missing`. */
  keyOf(reference: KeyReference): string;
  /** Where calls of a server wait for what it allows; undefined: nowhere. Asked again for what has changed. */
  gateOf?(server: string, limits: ModelLimitTable): CallGate | undefined;
  prices: PriceBook;
  /** For agents and runs that name none, where the file does not say. */
  defaultModel: string;
  timeoutMs?: number;
  idleMs?: number;
  onWarning?(message: string): void;
  onBreaker?(change: BreakerChange): void;
  onFallback?: RoutedModelOptions['onFallback'];
  random(): number;
  now(): number;
}

/** Runs name models; not every name that was ever asked for is remembered. */
const MAX_TARGETS = 500;

export class ModelServers implements ModelPort {
  private readonly targets = new Map<string, RoutedTarget>();
  private readonly gates = new Map<string, CallGate | undefined>();
  private readonly routed: RoutedModel;

  constructor(
    private file: ModelsFile,
    private readonly parts: ModelServersParts,
  ) {
    this.routed = new RoutedModel({
      routeOf: (model) => this.routeOf(model),
      names: () => Object.keys(this.file.models),
      defaultModel: () => this.defaultModel,
      random: () => parts.random(),
      now: () => parts.now(),
      ...(parts.onFallback && { onFallback: parts.onFallback }),
    });
  }

  get defaultModel(): string {
    return this.file.default ?? this.parts.defaultModel;
  }

  /** What is asked from here on. Calls on their way end as they began. */
  replace(file: ModelsFile): void {
    this.file = file;
    const kept = new Set(Object.values(file.models).flatMap(({ targets }) => targets.map((target) => this.keyFor(target))));
    for (const key of this.targets.keys()) if (!kept.has(key)) this.targets.delete(key);
  }

  quote(request: ModelRequest): ModelQuote {
    return this.routed.quote(request);
  }

  complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    return this.routed.complete(request, signal);
  }

  /** The targets of a name, or of every name of the file. */
  targetsOf(model: string): RoutedTarget[] {
    return this.routeOf(model)?.targets ?? [];
  }

  private routeOf(model: string): Route | undefined {
    const { models, others } = this.file;
    const entry = Object.hasOwn(models, model) ? models[model] : undefined;
    if (entry) return { policy: entry.policy, targets: entry.targets.map((target) => this.target(target)) };
    return others === undefined ? undefined : { policy: 'order', targets: [this.target({ server: others, model, weight: 1 })] };
  }

  /** The server's entry is part of it: what changes there makes another target. */
  private keyFor(target: Target): string {
    return JSON.stringify([this.file.servers[target.server], target]);
  }

  private target(target: Target): RoutedTarget {
    const key = this.keyFor(target);
    const known = this.targets.get(key);
    if (known) return known;
    const server = this.file.servers[target.server]!;
    const { contextTokens } = settingsOf(server, target);
    const port = this.portOf(server, target);
    const made = { name: `${target.server}/${target.model}`, model: target.model, weight: target.weight, contextTokens, port };
    if (this.targets.size >= MAX_TARGETS) this.targets.delete([...this.targets.keys()][0]!);
    this.targets.set(key, made);
    return made;
  }

  private portOf(server: ServerEntry, target: Target): ModelPort {
    const { onBreaker } = this.parts;
    const gate = this.gateOf(server);
    return new ModelBreaker(new TenantKeys((key) => this.adapter(server, target, key, gate), server), {
      server: server.url,
      model: target.model,
      isGoverned: () => gate?.governs(target.model) ?? false,
      ...(onBreaker && { onChange: onBreaker }),
    });
  }

  private adapter(server: ServerEntry, target: Target, key: KeyReference | undefined, gate: CallGate | undefined): RemoteModel {
    const { keyOf, prices, onWarning } = this.parts;
    const { maxOutputTokens, contextTokens, temperature, responseFormat, extra } = settingsOf(server, target);
    const headers = Object.entries(server.headers).map(([name, value]) => [name, typeof value === 'string' ? value : keyOf(value)]);
    const { timeoutMs = this.parts.timeoutMs, idleMs = this.parts.idleMs } = server;
    return new RemoteModel({
      ...{ baseUrl: server.url, defaultModel: target.model, api: APIS[server.api] },
      ...(key && { apiKey: keyOf(key) }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(idleMs !== undefined && { idleMs }),
      ...(responseFormat && { responseFormat }),
      ...(contextTokens !== undefined && { contextTokens }),
      ...{ maxOutputTokens },
      ...(headers.length > 0 && { headers: Object.fromEntries(headers) as Record<string, string> }),
      ...(extra && { fields: extra }),
      ...(temperature === 'omit' && { temperature: false }),
      prices: target.price ? new PriceBook({ ...prices.own, [target.model]: target.price }) : prices,
      ...(gate && { gate }),
      ...(onWarning && { onWarning }),
    });
  }

  private gateOf({ url, limits }: ServerEntry): CallGate | undefined {
    const key = JSON.stringify([url, limits]);
    if (!this.gates.has(key)) this.gates.set(key, this.parts.gateOf?.(url, limits));
    return this.gates.get(key);
  }
}

/** One adapter for each key: a tenant with a key of its own is asked for with it. */
class TenantKeys implements ModelPort {
  private readonly ports = new Map<string, ModelPort>();

  constructor(
    private readonly make: (key: KeyReference | undefined) => ModelPort,
    private readonly server: Pick<ServerEntry, 'key' | 'keys'>,
  ) {}

  quote(request: ModelRequest): ModelQuote {
    return this.portFor(request).quote(request);
  }

  async complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    return this.portFor(request).complete(request, signal);
  }

  private portFor({ tenant = '' }: ModelRequest): ModelPort {
    const { key, keys } = this.server;
    const own = Object.hasOwn(keys, tenant) ? tenant : '';
    const known = this.ports.get(own);
    if (known) return known;
    const made = this.make(own === '' ? key : keys[own]);
    this.ports.set(own, made);
    return made;
  }
}

/** Reads keys from variables and files. Error `model-key-missing`. @param readFile throws when there is none */
export function keyReader(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): ModelServersParts['keyOf'] {
  const missing = (what: string, remedy: string, cause?: unknown) =>
    new CadreError('model-key-missing', `The key of a model server is not there: ${what}.`, { remedy, cause, billed: 'no' });
  return (reference) => {
    if ('env' in reference) {
      const value = env[reference.env] ?? '';
      if (value === '') throw missing(`the variable ${reference.env} is not set`, `Set ${reference.env} where the workers run.`);
      return value;
    }
    try {
      return readFile(reference.file).trim();
    } catch (cause) {
      throw missing(`the file ${reference.file} cannot be read`, 'Mount it where the workers run.', cause);
    }
  };
}
