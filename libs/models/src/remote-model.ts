/**
 * A model behind a server: asks in the dialect that the server takes, learns from what it refuses, and reads what it answers. One class for
 * all APIs; what differs between them is a `WireApi`.
 */
import type { CallEnding, CallGate, CallLeave, ModelPort, ModelQuote, ModelReply, ModelRequest } from '@cadre/agents';
import type { Json } from '@cadre/contracts';
import type { Dispatcher } from 'undici';
import { CHAT_API } from './chat/chat-api.js';
import { FIRST_DIALECT } from './dialect.js';
import type { Dialect } from './dialect.js';
import { dispatcherFor } from './dispatcher.js';
import { abortError, modelError } from './errors.js';
import { LearnedModel } from './learned-model.js';
import { PriceBook } from './prices/price-book.js';
import { PromptWatch } from './prompt-watch.js';
import { maxInputTokens } from './quote.js';
import { refusedPart } from './refusals/refused-part.js';
import { tokenFault } from './refusals/token-limits.js';
import { ServerRefusal } from './server-words.js';
import { post } from './transport.js';
import type { SilenceLimits } from './transport.js';
import type { WireApi, WireReply, WireRequest } from './wire-api.js';

export interface RemoteModelOptions {
  /** Like `https://api.openai.com/v1`. */
  baseUrl: string;
  /** Local servers need none. */
  apiKey?: string;
  /** Used when a request names none. */
  defaultModel: string;
  /** How the server is spoken to. Default: OpenAI's chat completions. */
  api?: WireApi;
  /** How long the server may take for the first sign of an answer; of a server that does not stream: for the whole. Default two minutes. */
  timeoutMs?: number;
  /** How long it may be silent once it has begun. Default: `timeoutMs`. */
  idleMs?: number;
  /**
   * Whether a JSON answer is asked for by the API's own means. `auto` (default): where no tools are offered, since many servers that are
   * asked for both give no calls. `beside-tools`: always. `none`: never.
   */
  responseFormat?: 'auto' | 'none' | 'beside-tools';
  /** What models write at most in one answer, by name; `*` for all others. What a server refuses as too much is learnt besides. */
  maxOutputTokens?: Readonly<Record<string, number>>;
  /** Tokens that a model can hold, input and output together, where the operator knows it. */
  contextTokens?: number;
  /** Headers of the operator's own, and fields for the body of each request (`chat_template_kwargs` and the like); they go over ours. */
  headers?: Readonly<Record<string, string>>;
  fields?: Readonly<Record<string, Json>>;
  /** False: no temperature is sent, so that the server's own holds. */
  temperature?: boolean;
  prices?: PriceBook;
  /** Asked before each request; the time that a call waits there is not limited here. */
  gate?: CallGate;
  /** Told once for each thing to warn of. */
  onWarning?(message: string): void;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const CHARACTERS_PER_TOKEN = 4;
/** Changes of one request; each is of another part, so this is never reached by a server that means what it says. */
const MAX_CHANGES = 8;

/**
 * A cap that is too large for a server that does not say what would not be is made smaller by this, down to what hardly holds an answer.
 */
const GUESS_DIVISOR = 4;
const LEAST_GUESS = 256;

/** Of which server and model. */
type MarkedReply = WireReply & { from: string };

/** One request on its way through the dialects. */
interface Asking {
  request: ModelRequest;
  model: string;
  learned: LearnedModel;
  dialect: Dialect;
  cap: number;
  /** The server has not said what it takes. */
  isCapGuessed?: true;
  /** Every change so far was named by a refusal. */
  sure: boolean;
  /** What was said, to tell a refusal that comes again. */
  heard: Set<string>;
}

export class RemoteModel implements ModelPort {
  private readonly api: WireApi;
  private readonly limits: SilenceLimits;
  private readonly prices: PriceBook;
  private readonly dispatcher: Dispatcher;
  private readonly learned = new Map<string, LearnedModel>();
  private readonly prompts = new PromptWatch();
  private readonly warned = new Set<string>();

  constructor(private readonly options: RemoteModelOptions) {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, idleMs = timeoutMs } = options;
    this.api = options.api ?? CHAT_API;
    this.limits = { first: { name: 'CADRE_MODEL_TIMEOUT_MS', ms: timeoutMs }, between: { name: 'CADRE_MODEL_IDLE_MS', ms: idleMs } };
    this.prices = options.prices ?? new PriceBook();
    this.dispatcher = dispatcherFor(options.baseUrl);
  }

  quote(request: ModelRequest): ModelQuote {
    const model = request.model || this.options.defaultModel;
    const tokens = { maxInputTokens: maxInputTokens(request), maxOutputTokens: this.capOf(request, model) };
    const contextTokens = this.learnedOf(model).contextTokens ?? this.options.contextTokens;
    const price = this.prices.quote(model, this.options.baseUrl, tokens);
    return { model, ...tokens, ...(contextTokens !== undefined && { contextTokens }), ...price };
  }

  /** Errors as `ModelPort` says; `aborted` (or the signal's own `CadreError`) when the signal aborts. */
  async complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const model = request.model || this.options.defaultModel;
    const learned = this.learnedOf(model);
    const cap = this.capOf(request, model);
    const first: Asking = { request, model, learned, dialect: learned.ways, cap, sure: true, heard: new Set() };
    let firstRefusal: ServerRefusal | undefined;
    for (let asking = first; ;) {
      try {
        const reply = await this.askInTurn(asking, signal);
        if (asking.dialect !== first.dialect) learned.worked(asking.dialect, asking.sure);
        if (asking.isCapGuessed) learned.learn({ kind: 'cap', most: asking.cap }, request);
        return reply;
      } catch (error) {
        const next = error instanceof ServerRefusal ? this.otherwise(asking, error) : undefined;
        // What is said of our own changes helps nobody: the first refusal does.
        if (!next) throw modelError(firstRefusal ?? error, this.options.baseUrl, cap);
        firstRefusal ??= error as ServerRefusal;
        asking = next;
      }
    }
  }

  /** The same in another way; undefined: the refusal is final. */
  private otherwise(asking: Asking, refusal: ServerRefusal): Asking | undefined {
    const { request, learned, dialect, cap, heard } = asking;
    if (heard.size >= MAX_CHANGES || refusal.late) return undefined;
    // Whatever it waits for from here on, it has been sent once.
    const again = { ...asking, request: { ...request, onHeld: () => undefined }, heard: new Set([...heard, refusal.words]) };
    const fault = refusal.status >= 400 && refusal.status < 500 ? tokenFault(refusal, cap) : undefined;
    if (fault?.kind === 'cap-unnamed') {
      const guess = Math.floor(cap / GUESS_DIVISOR);
      return guess >= LEAST_GUESS ? { ...again, cap: guess, isCapGuessed: true } : undefined;
    }
    if (heard.has(refusal.words)) return undefined;
    if (fault) {
      learned.learn(fault, request);
      const fits = fault.kind === 'cap' ? Math.min(cap, fault.most) : learned.capOf(request, cap);
      return fault.kind !== 'too-long' && fits < cap ? { ...again, cap: fits } : undefined;
    }
    const change = refusedPart(refusal, { dialect, ...this.sent(request, dialect) });
    return change && { ...again, dialect: { ...dialect, ...change.to }, sure: asking.sure && change.named };
  }

  private sent(request: ModelRequest, dialect: Dialect) {
    const opaque = request.messages.some((each) => each.role === 'assistant' && (each.extra ?? each.toolCalls.some((call) => call.extra)));
    const tools = request.tools.length > 0;
    return { format: this.wantsFormat(request) && dialect.format !== 'none', effort: request.effort !== undefined, tools, opaque };
  }

  private wantsFormat({ responseSchema, tools }: ModelRequest): boolean {
    const { responseFormat = 'auto' } = this.options;
    return responseSchema !== undefined && responseFormat !== 'none' && (tools.length === 0 || responseFormat === 'beside-tools');
  }

  private learnedOf(model: string): LearnedModel {
    let learned = this.learned.get(model);
    if (!learned)
      this.learned.set(model, (learned = new LearnedModel({ ...FIRST_DIALECT, temperature: this.options.temperature ?? true })));
    return learned;
  }

  private capOf(request: ModelRequest, model: string): number {
    const { maxOutputTokens: set = {} } = this.options;
    return Math.max(this.api.leastOutputTokens, this.learnedOf(model).capOf(request, set[model] ?? set['*']));
  }

  /** Each request counts for the server's limits, also one that is asked again in another way. */
  private async askInTurn(asking: Asking, signal: AbortSignal): Promise<ModelReply> {
    const { gate } = this.options;
    if (!gate?.governs(asking.model)) return this.describe(await this.ask(asking, signal), asking);
    const leave = await this.waitInTurn(gate, asking, signal);
    try {
      const reply = this.describe(await this.ask(asking, signal), asking);
      leave.over({ tokens: reply.inputTokens + reply.outputTokens });
      return reply;
    } catch (error) {
      leave.over(endingOf(error, this.options.baseUrl));
      throw error;
    }
  }

  private async waitInTurn(gate: CallGate, { request, model, cap }: Asking, signal: AbortSignal): Promise<CallLeave> {
    const tokens = maxInputTokens(request) + cap;
    request.onHeld?.(true);
    try {
      return await gate.enter({ model, tokens, tenant: request.tenant, patienceMs: request.patienceMs }, signal);
    } catch (error) {
      throw signal.aborted ? abortError(signal, false) : error;
    } finally {
      if (!signal.aborted) request.onHeld?.(false);
    }
  }

  private async ask(asking: Asking, signal: AbortSignal): Promise<MarkedReply> {
    const { baseUrl, apiKey, headers, fields } = this.options;
    const { request, model, dialect, cap: maxOutputTokens } = asking;
    const from = `${withoutSecrets(baseUrl)} ${model}`;
    const wanted = this.wantsFormat(request) ? request : withoutFormat(request);
    const asked: WireRequest = { request: wanted, model, from, dialect, maxOutputTokens };
    const answer = await post({
      url: `${baseUrl.replace(/\/+$/, '')}${this.api.path}`,
      headers: { ...this.api.headers(apiKey), ...(request.callKey !== undefined && { 'x-cadre-call': request.callKey }), ...headers },
      body: JSON.stringify({ ...this.api.body(asked), ...fields }),
      ...{ dispatcher: this.dispatcher, server: baseUrl, limits: this.limits, signal },
      collector: () => this.api.collector((delta) => request.onDelta?.(delta)),
    });
    return { ...this.api.read(answer, asked), from };
  }

  private describe(read: MarkedReply, { request, model: asked, cap }: Asking): ModelReply {
    const { warnings = [], usage, serviceTier, ...said } = read;
    const model = read.model ?? asked;
    const inputTokens = usage?.inputTokens ?? estimateTokens([request.messages, request.tools]);
    const outputTokens = usage?.outputTokens ?? estimateTokens([said.text, said.reasoning ?? '', said.toolCalls]);
    if (!usage) this.warn(`The model server does not count the tokens of ${model}; they are estimated from the number of characters.`);
    for (const warning of warnings) this.warn(`${asked}: ${warning}`);
    const used = { ...usage, inputTokens, outputTokens };
    const bill = this.prices.bill({ asked, answered: read.model, server: this.options.baseUrl }, used, serviceTier);
    if (!bill.priced) this.warn(`The price of the model ${model} is not known, so its cost is not counted. Set it in CADRE_PRICES.`);
    if (usage && (inputTokens > maxInputTokens(request) || outputTokens > cap)) {
      this.warn(`The model server counts more tokens of ${model} than the request can have, so calls may cost more than was reserved.`);
    }
    if (usage) this.learnedOf(asked).counted(request, inputTokens);
    const warning = usage && this.prompts.counted({ ...request, model: asked }, inputTokens) ? CUT_PROMPT : undefined;
    if (warning) this.warn(`${asked}: ${warning}`);
    const { reasoningTokens, cachedInputTokens, cacheWriteTokens } = usage ?? {};
    return {
      ...said,
      model,
      inputTokens,
      outputTokens,
      ...(cachedInputTokens !== undefined && { cachedInputTokens }),
      ...(cacheWriteTokens !== undefined && { cacheWriteTokens }),
      ...(reasoningTokens !== undefined && { reasoningTokens }),
      ...bill,
      ...(!usage && { estimated: true }),
      ...(warning && { warning }),
    };
  }

  private warn(message: string): void {
    if (this.warned.has(message)) return;
    this.warned.add(message);
    this.options.onWarning?.(message);
  }
}

const CUT_PROMPT =
  'The model server seems to have cut the prompt without saying so: it counts fewer tokens than were sent. Raise its window (Ollama: OLLAMA_CONTEXT_LENGTH or num_ctx, llama.cpp: --ctx-size).';

/** A server that names no time wants to be left alone for a moment. */
const PAUSE_MS = 1000;

/** What a failed request was for the server's limits. */
function endingOf(error: unknown, server: string): CallEnding {
  const { code, billed, retryAfterMs } = modelError(error, server);
  if (code === 'model-rate-limited') return { tokens: 0, pauseMs: retryAfterMs ?? PAUSE_MS };
  return billed === 'no' ? { tokens: 0 } : {};
}

function withoutFormat({ responseSchema: _, ...request }: ModelRequest): ModelRequest {
  return request;
}

/** It stands in records. */
function withoutSecrets(baseUrl: string): string {
  if (!URL.canParse(baseUrl)) return baseUrl;
  const { origin, pathname } = new URL(baseUrl);
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}

function estimateTokens(parts: unknown[]): number {
  return Math.ceil(JSON.stringify(parts).length / CHARACTERS_PER_TOKEN);
}
