/** OpenAI's wire format: `GET /v1/models`, `POST /v1/chat/completions`. */
import { setTimeout as delay } from 'node:timers/promises';
import { Metrics, type CounterMetric } from '@cadre/service-kit';
import { Body, Controller, Get, Headers, Inject, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { WitnessedCall } from './call-witness.js';
import type { ModelSimConfig } from './model-sim.config.js';
import { SimState } from './sim-state.js';
import { complete, MODEL, responseBody, streamChunks, type Completion } from './wire/completion.js';
import { faultFor, type FaultKind } from './wire/faults.js';
import type { Refusal } from './wire/limiter.js';
import { OpenAiError, invalidRequest, unknownModel } from './wire/openai-error.js';
import { ChatRequest } from './wire/request.js';
import { loadTokenCounter } from './wire/tokens.js';

export const MODEL_SIM_CONFIG = 'MODEL_SIM_CONFIG';

const MODEL_CARD = { id: MODEL, object: 'model', created: 1_767_225_600, owned_by: 'cadre' };

@Controller()
export class CompletionsController {
  private readonly metrics = new Metrics('model-sim');
  private readonly completions: CounterMetric;
  private readonly tokens: CounterMetric;

  constructor(
    @Inject(MODEL_SIM_CONFIG) private readonly config: ModelSimConfig,
    @Inject(SimState) private readonly state: SimState,
  ) {
    this.completions = this.metrics.counter('cadre_model_sim_completions_total', 'Chat completions answered', ['finish']);
    this.tokens = this.metrics.counter('cadre_model_sim_tokens_total', 'Tokens counted', ['direction']);
  }

  @Get('v1/models')
  models(): object {
    return { object: 'list', data: [MODEL_CARD] };
  }

  @Get('v1/models/:id')
  model(@Param('id') id: string): object {
    if (id !== MODEL) throw unknownModel(id, MODEL);
    return MODEL_CARD;
  }

  @Post('v1/chat/completions')
  async create(@Headers() headers: Record<string, string | undefined>, @Body() body: unknown, @Res() reply: FastifyReply): Promise<void> {
    const { witness, faults } = this.state;
    const call = witness.receive(headers['x-cadre-call'] ?? headers['idempotency-key']);
    const fault = faultFor(faults, call);
    if (fault !== undefined && this.refused(fault, call, reply)) return;
    const { request, completion } = await this.read(body, call);
    const { limiter } = this.state;
    const { prompt_tokens: input, completion_tokens: output } = completion.usage;
    const refusal = limiter.enter(input + output, performance.now());
    void reply.headers(limiter.headers(performance.now()));
    if (refusal) return this.limit(refusal, call, reply);
    try {
      await this.answer(request, completion, call, fault, reply);
    } finally {
      limiter.leave();
    }
  }

  private async answer(
    request: ChatRequest,
    completion: Completion,
    call: WitnessedCall,
    fault: FaultKind | undefined,
    reply: FastifyReply,
  ): Promise<void> {
    const { witness, faults } = this.state;
    this.bill(completion, call);
    const waitMs = this.config.MODEL_SIM_LATENCY_MS + (fault === 'slow' ? faults.slowMs : 0);
    if (!(await waited(reply, waitMs))) return witness.ended(call, 'gone');
    witness.ended(call, fault ?? 'answered');
    if (fault !== undefined && fault !== 'slow') return spoil(fault, reply, completion);
    if (request.stream !== true) {
      await reply.status(200).send(responseBody(completion));
      return;
    }
    await sendStream(reply, completion, request.stream_options?.include_usage === true);
  }

  @Get('livez')
  live(): object {
    return { status: 'live' };
  }

  @Get('readyz')
  ready(): object {
    return { status: 'ready' };
  }

  @Get('metrics')
  async figures(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', this.metrics.contentType).send(await this.metrics.text());
  }

  /** Faults that come before any work. @returns whether it is one */
  private refused(fault: FaultKind, call: WitnessedCall, reply: FastifyReply): boolean {
    if (fault === 'refuse') resetConnection(reply);
    else if (fault !== '429' && fault !== '500' && fault !== '503') return false;
    this.state.witness.ended(call, fault);
    if (fault === 'refuse') return true;
    const { retryAfterSeconds } = this.state.faults;
    if (retryAfterSeconds !== undefined && fault !== '500') void reply.header('retry-after', String(retryAfterSeconds));
    const [message, code] =
      fault === '429' ? ['Too many requests.', 'rate_limit_exceeded'] : ['The server fails on request.', 'server_error'];
    void reply.status(Number(fault)).send(new OpenAiError(Number(fault), message, code).body());
    return true;
  }

  private limit({ limit, retryAfterMs }: Refusal, call: WitnessedCall, reply: FastifyReply): void {
    this.state.witness.ended(call, 'limited');
    const message = `Rate limit reached for ${limit}. Please try again in ${(retryAfterMs / 1000).toFixed(3)}s.`;
    void reply
      .status(429)
      .headers({ 'retry-after': String(Math.ceil(retryAfterMs / 1000)), 'retry-after-ms': String(retryAfterMs) })
      .send(new OpenAiError(429, message, 'rate_limit_exceeded', null, limit).body());
  }

  private async read(body: unknown, call: WitnessedCall): Promise<{ request: ChatRequest; completion: Completion }> {
    const parsed = ChatRequest.safeParse(body);
    const model = parsed.data?.model;
    if (!parsed.success || model !== MODEL) this.state.witness.ended(call, 'rejected');
    if (!parsed.success) throw invalidRequest(parsed.error);
    if (parsed.data.model !== MODEL) throw unknownModel(parsed.data.model, MODEL);
    const completion = complete(parsed.data, await loadTokenCounter(), this.state.faults);
    return { request: parsed.data, completion };
  }

  /** What a provider bills. */
  private bill({ usage, finish }: Completion, call: WitnessedCall): void {
    const { prompt_tokens: input, completion_tokens: output } = usage;
    this.state.witness.done(call, input, output);
    this.completions.inc({ finish });
    this.tokens.inc({ direction: 'in' }, input);
    this.tokens.inc({ direction: 'out' }, output);
  }
}

/** Faults that lose an answer for which the work is done. */
function spoil(fault: FaultKind, reply: FastifyReply, completion: Completion): void {
  const body = JSON.stringify(responseBody(completion));
  const half = body.slice(0, Math.floor(body.length / 2));
  if (fault === 'garbage') return void reply.status(200).header('content-type', 'application/json').send(half);
  if (fault === 'reset') return resetConnection(reply);
  reply.hijack();
  if (fault === 'hang') return;
  reply.raw.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  reply.raw.write(half, () => reply.raw.destroy());
}

function resetConnection(reply: FastifyReply): void {
  reply.hijack();
  reply.raw.socket?.resetAndDestroy();
}

/** @returns false if the caller went away meanwhile */
async function waited(reply: FastifyReply, ms: number): Promise<boolean> {
  if (ms === 0) return true;
  const gone = new AbortController();
  const onClose = (): void => gone.abort();
  reply.raw.once('close', onClose);
  await delay(ms, undefined, { signal: gone.signal }).catch(() => undefined);
  reply.raw.off('close', onClose);
  return !gone.signal.aborted;
}

async function sendStream(reply: FastifyReply, completion: Completion, includeUsage: boolean): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', connection: 'keep-alive' });
  for (const chunk of streamChunks(completion, includeUsage)) {
    if (raw.destroyed) return;
    if (raw.write(`data: ${JSON.stringify(chunk)}\n\n`)) continue;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        raw.off('drain', go).off('close', go);
        resolve();
      };
      raw.once('drain', go).once('close', go);
    });
  }
  raw.end('data: [DONE]\n\n');
}
