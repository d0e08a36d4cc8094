/** A model behind any server that speaks the OpenAI wire format (chat completions with tools). */
import type { CallEnding, CallGate, CallLeave, ModelPort, ModelQuote, ModelReply, ModelRequest } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import OpenAI, { APIError } from 'openai';
import { FIRST_DIALECT, easierDialect } from './dialect.js';
import type { Dialect } from './dialect.js';
import { abortError, modelError, timeoutError } from './errors.js';
import { PriceBook } from './prices/price-book.js';
import { maxInputTokens } from './quote.js';
import { Completion, readChoice, requestBody } from './wire.js';

export interface OpenAiModelOptions {
  /** Like `https://api.openai.com/v1`. */
  baseUrl: string;
  /** Local servers need none. */
  apiKey?: string;
  /** Used when a request names none. */
  defaultModel: string;
  /** Longest time of one call, its whole answer included. Default two minutes. */
  timeoutMs?: number;
  /** `none`: never ask for JSON by `response_format`, for servers that then suppress tool calls. Default `auto`. */
  responseFormat?: 'auto' | 'none';
  prices?: PriceBook;
  /** Asked before each request; the time that a call waits there is not part of `timeoutMs`. */
  gate?: CallGate;
  /** Told once for each thing to warn of. */
  onWarning?(message: string): void;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const CHARACTERS_PER_TOKEN = 4;

export class OpenAiModel implements ModelPort {
  private readonly client: OpenAI;
  private readonly timeoutMs: number;
  private readonly prices: PriceBook;
  private readonly dialects = new Map<string, Dialect>();
  private readonly warned = new Set<string>();

  constructor(private readonly options: OpenAiModelOptions) {
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.prices = options.prices ?? new PriceBook();
    this.client = new OpenAI({
      baseURL: options.baseUrl,
      apiKey: options.apiKey || 'none',
      maxRetries: 0,
      timeout: this.timeoutMs,
      logLevel: 'off',
    });
  }

  quote(request: ModelRequest): ModelQuote {
    const model = request.model || this.options.defaultModel;
    const tokens = { maxInputTokens: maxInputTokens(request), maxOutputTokens: request.maxOutputTokens };
    return { model, ...tokens, ...this.prices.quote(model, this.options.baseUrl, tokens) };
  }

  /** Errors as `ModelPort` says; `aborted` (or the signal's own `CadreError`) when the signal aborts. */
  async complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const model = request.model || this.options.defaultModel;
    for (let dialect = this.dialectOf(model), asked = request; ;) {
      try {
        const reply = await this.askInTurn(asked, model, dialect, signal);
        this.dialects.set(model, dialect);
        return reply;
      } catch (error) {
        const easier =
          error instanceof APIError && error.status !== undefined
            ? easierDialect(dialect, error, { json: Boolean(request.responseSchema), effort: request.effort !== undefined })
            : undefined;
        if (!easier) throw modelError(error, this.options.baseUrl, this.timeoutMs);
        dialect = easier;
        // Whatever it waits for from here on, it has been sent once.
        asked = { ...request, onHeld: () => undefined };
      }
    }
  }

  private dialectOf(model: string): Dialect {
    const first: Dialect = this.options.responseFormat === 'none' ? { ...FIRST_DIALECT, format: 'none' } : FIRST_DIALECT;
    return this.dialects.get(model) ?? first;
  }

  /** Each request counts for the server's limits, also one that is asked again in an easier way. */
  private async askInTurn(request: ModelRequest, model: string, dialect: Dialect, signal: AbortSignal): Promise<ModelReply> {
    const { gate } = this.options;
    if (!gate?.governs(model)) return this.describe(await this.ask(request, model, dialect, signal), request, model);
    const leave = await this.waitInTurn(gate, request, model, signal);
    try {
      const reply = this.describe(await this.ask(request, model, dialect, signal), request, model);
      leave.over({ tokens: reply.inputTokens + reply.outputTokens });
      return reply;
    } catch (error) {
      leave.over(endingOf(error, this.options.baseUrl, this.timeoutMs));
      throw error;
    }
  }

  private async waitInTurn(gate: CallGate, request: ModelRequest, model: string, signal: AbortSignal): Promise<CallLeave> {
    const tokens = maxInputTokens(request) + request.maxOutputTokens;
    request.onHeld?.(true);
    try {
      return await gate.enter({ model, tokens, tenant: request.tenant, patienceMs: request.patienceMs }, signal);
    } catch (error) {
      throw signal.aborted ? abortError(signal, false) : error;
    } finally {
      if (!signal.aborted) request.onHeld?.(false);
    }
  }

  /** The SDK's own timeout ends with the headers, and so does its care for the signal; ours hold until the body is read. */
  private async ask(request: ModelRequest, model: string, dialect: Dialect, signal: AbortSignal): Promise<Completion> {
    if (signal.aborted) throw abortError(signal, false);
    const stop = new AbortController();
    let rejectAll: (error: CadreError) => void = () => undefined;
    const stopped = new Promise<never>((_, reject) => (rejectAll = reject));
    const end = (error: CadreError) => {
      stop.abort();
      rejectAll(error);
    };
    const onAbort = () => end(abortError(signal, true));
    const timer = setTimeout(() => end(timeoutError(this.options.baseUrl, this.timeoutMs)), this.timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const answer: unknown = await Promise.race([
        this.client.chat.completions.create(requestBody(request, model, dialect), {
          signal: stop.signal,
          ...(request.callKey !== undefined && { headers: { 'X-Cadre-Call': request.callKey } }),
        }),
        stopped,
      ]);
      return readCompletion(answer, this.options.baseUrl);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  private describe(completion: Completion, request: ModelRequest, asked: string): ModelReply {
    const model = completion.model ?? asked;
    const choice = readChoice(completion);
    const { usage } = completion;
    const inputTokens = usage?.prompt_tokens ?? estimateTokens([request.messages, request.tools]);
    const outputTokens = usage?.completion_tokens ?? estimateTokens([choice.text, choice.toolCalls]);
    if (!usage) this.warn(`The model server does not count the tokens of ${model}; they are estimated from the number of characters.`);
    const used = { inputTokens, outputTokens, cachedInputTokens: usage?.prompt_tokens_details?.cached_tokens ?? 0 };
    const bill = this.prices.bill({ asked, answered: completion.model, server: this.options.baseUrl }, used);
    if (!bill.priced) this.warn(`The price of the model ${model} is not known, so its cost is not counted. Set it in CADRE_PRICES.`);
    if (usage && (inputTokens > maxInputTokens(request) || outputTokens > request.maxOutputTokens)) {
      this.warn(`The model server counts more tokens of ${model} than the request can have, so calls may cost more than was reserved.`);
    }
    return {
      model,
      ...choice,
      inputTokens,
      outputTokens,
      ...bill,
      ...(!usage && { estimated: true }),
    };
  }

  private warn(message: string): void {
    if (this.warned.has(message)) return;
    this.warned.add(message);
    this.options.onWarning?.(message);
  }
}

/** A server that names no time wants to be left alone for a moment. */
const PAUSE_MS = 1000;

/** What a failed request was for the server's limits. */
function endingOf(error: unknown, server: string, timeoutMs: number): CallEnding {
  const { code, billed, retryAfterMs } = modelError(error, server, timeoutMs);
  if (code === 'model-rate-limited') return { tokens: 0, pauseMs: retryAfterMs ?? PAUSE_MS };
  return billed === 'no' ? { tokens: 0 } : {};
}

function readCompletion(answer: unknown, server: string): Completion {
  const parsed = Completion.safeParse(answer);
  if (parsed.success) return parsed.data;
  const why = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`).slice(0, 3);
  throw new CadreError(
    'model-unavailable',
    `The model server at ${server} sent something else than a chat completion (${why.join('; ')}).`,
    {
      retriable: true,
      billed: 'unknown',
      remedy: 'Check that OPENAI_BASE_URL is the base of an OpenAI-compatible API; it often ends in /v1.',
    },
  );
}

function estimateTokens(parts: unknown[]): number {
  return Math.ceil(JSON.stringify(parts).length / CHARACTERS_PER_TOKEN);
}
