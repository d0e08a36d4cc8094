/**
 * One model port over several servers: a name that agents ask for stands for targets, and a policy says in which order they are tried.
 * Another target is tried within the same call only while the one before has surely cost nothing and said nothing; what may have been
 * billed ends the call, so that each reservation pays for one answer. A conversation stays with the target that it began with, whose cache
 * knows it.
 */
import type { ModelPort, ModelQuote, ModelReply, ModelRequest } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import type { ModelEntry } from './models-file.js';

/** A model at a server, behind its breaker and its gate. */
export interface RoutedTarget {
  /** For people: `server/model`. */
  name: string;
  model: string;
  weight: number;
  /** Input and output together; undefined: not known. */
  contextTokens?: number | undefined;
  port: ModelPort;
}

export interface Route {
  policy: ModelEntry['policy'];
  targets: RoutedTarget[];
}

export interface RoutedModelOptions {
  /** What a name stands for; undefined: nothing. */
  routeOf(model: string): Route | undefined;
  /** The names that are known, for people. */
  names(): string[];
  /** For requests that name none. */
  defaultModel(): string;
  /** From 0 up to 1. */
  random(): number;
  now(): number;
  /** A target was left for another one. */
  onFallback?(change: { model: string; from: string; to: string; error: CadreError }): void;
}

/** For so long others are preferred to a target that failed in a way that may have been billed. */
const AVOIDED_MS = 30_000;
/** Where the bytes of a request say nothing better. */
const BYTES_PER_TOKEN = 4;

/** What ends the call at once: another server would do no better, or must not be asked. */
const FINAL: ReadonlySet<string> = new Set(['model-refused', 'model-rejected', 'model-busy', 'aborted', 'model-batch-refused']);

export class RoutedModel implements ModelPort {
  /** By who gave a turn (`ModelReply.from`). */
  private readonly givers = new Map<string, RoutedTarget>();
  private readonly avoided = new Map<RoutedTarget, number>();

  constructor(private readonly options: RoutedModelOptions) {}

  /**
   * The dearest of the targets: whichever of them answers, it costs no more. A target that cannot be asked at all, for want of its key,
   * says nothing.
   */
  quote(request: ModelRequest): ModelQuote {
    const model = request.model || this.options.defaultModel();
    const quotes = this.routeOf(model).targets.flatMap((target, _, { length }) => {
      try {
        return [target.port.quote({ ...request, model: target.model })];
      } catch (error) {
        if (length === 1) throw error;
        return [];
      }
    });
    if (quotes.length === 0) throw this.unusable(model);
    const windows = quotes.flatMap(({ contextTokens }) => contextTokens ?? []);
    return {
      model,
      // A conversation that fits the largest window can go on there.
      ...(windows.length === quotes.length && { contextTokens: Math.max(...windows) }),
      maxInputTokens: Math.max(...quotes.map((quote) => quote.maxInputTokens)),
      maxOutputTokens: Math.max(...quotes.map((quote) => quote.maxOutputTokens)),
      maxCostMicros: Math.max(...quotes.map((quote) => quote.maxCostMicros)),
      // Whichever target it comes to.
      minCostMicros: Math.max(...quotes.map(({ minCostMicros, maxCostMicros }) => minCostMicros ?? maxCostMicros)),
      priced: quotes.every((quote) => quote.priced),
    };
  }

  /** Errors: the last target's. */
  async complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const model = request.model || this.options.defaultModel();
    const targets = this.inTurn(this.routeOf(model), request);
    for (const [place, target] of targets.entries()) {
      let spoke = false;
      const onDelta = request.onDelta && ((delta: { text?: string; reasoning?: string }) => ((spoke = true), request.onDelta?.(delta)));
      try {
        const reply = await target.port.complete({ ...request, model: target.model, ...(onDelta && { onDelta }) }, signal);
        this.avoided.delete(target);
        if (reply.from !== undefined) this.givers.set(reply.from, target);
        return reply;
      } catch (error) {
        const next = targets[place + 1];
        const passing = !signal.aborted && !spoke && error instanceof CadreError && !FINAL.has(error.code) ? error : undefined;
        if (passing) this.avoided.set(target, this.options.now() + AVOIDED_MS);
        if (!passing || !next || passing.billed !== 'no') throw error;
        this.options.onFallback?.({ model, from: target.name, to: next.name, error: passing });
      }
    }
    throw new Error(`the model ${model} has no targets`);
  }

  private unusable(model: string): CadreError {
    return new CadreError('model-key-missing', `None of the targets of the model ${model} has its key.`, {
      billed: 'no',
      remedy: '`cadre models list` says which variables and files are missing.',
    });
  }

  private routeOf(model: string): Route {
    const route = this.options.routeOf(model);
    if (route) return route;
    const names = this.options.names().join(', ');
    throw new CadreError('model-not-found', `There is no model ${model} in the models file; there are: ${names}.`, {
      billed: 'no',
      remedy: 'Add it to the models file, or ask for one that is there.',
    });
  }

  /** All targets, the best first. */
  private inTurn({ policy, targets }: Route, request: ModelRequest): RoutedTarget[] {
    const giver = this.giverOf(request);
    const fits = this.fittingIn(request);
    const now = this.options.now();
    const rank = (target: RoutedTarget) =>
      (fits(target) ? 0 : 4) + ((this.avoided.get(target) ?? 0) > now ? 2 : 0) + (target === giver ? 0 : 1);
    // The sort is stable: among equals the policy's order stays.
    return this.byPolicy(policy, targets, request).sort((a, b) => rank(a) - rank(b));
  }

  private byPolicy(policy: ModelEntry['policy'], targets: RoutedTarget[], request: ModelRequest): RoutedTarget[] {
    if (policy === 'order') return [...targets];
    if (policy === 'weighted') {
      // Each draws an exponential time with its weight as rate; the first of them is each with the chance of its weight.
      const drawn = targets.map((target) => ({ target, at: -Math.log(1 - this.options.random()) / target.weight }));
      return drawn.sort((a, b) => a.at - b.at).map(({ target }) => target);
    }
    const costs = new Map(targets.map((target) => [target, dearestOf(target, request)]));
    const cost = (target: RoutedTarget): number => costs.get(target) ?? Infinity;
    return [...targets].sort((a, b) => Number(cost(a) > cost(b)) - Number(cost(a) < cost(b)));
  }

  private giverOf({ messages }: ModelRequest): RoutedTarget | undefined {
    const last = messages.findLast((message) => message.role === 'assistant');
    return last?.role === 'assistant' && last.from !== undefined ? this.givers.get(last.from) : undefined;
  }

  private fittingIn(request: ModelRequest): (target: RoutedTarget) => boolean {
    const { messages, tools, maxOutputTokens } = request;
    const tokens = Buffer.byteLength(JSON.stringify([messages, tools])) / BYTES_PER_TOKEN + maxOutputTokens;
    return ({ contextTokens }) => contextTokens === undefined || tokens <= contextTokens;
  }
}

/** In micro-dollars; undefined: without a price, or not to be asked at all. */
function dearestOf({ port, model }: RoutedTarget, request: ModelRequest): number | undefined {
  try {
    const { priced, maxCostMicros } = port.quote({ ...request, model });
    return priced ? maxCostMicros : undefined;
  } catch {
    return undefined;
  }
}
