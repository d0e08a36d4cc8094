/** OpenAI's wire format: `GET /v1/models`, `POST /v1/chat/completions`. */
import { setTimeout as delay } from 'node:timers/promises';
import { Metrics, type CounterMetric } from '@cadre/service-kit';
import { Body, Controller, Get, Inject, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { ModelSimConfig } from './model-sim.config.js';
import { complete, MODEL, responseBody, streamChunks, type Completion } from './wire/completion.js';
import { invalidRequest, unknownModel } from './wire/openai-error.js';
import { ChatRequest } from './wire/request.js';
import { loadTokenCounter } from './wire/tokens.js';

export const MODEL_SIM_CONFIG = 'MODEL_SIM_CONFIG';

const MODEL_CARD = { id: MODEL, object: 'model', created: 1_767_225_600, owned_by: 'cadre' };

@Controller()
export class CompletionsController {
  private readonly metrics = new Metrics('model-sim');
  private readonly completions: CounterMetric;
  private readonly tokens: CounterMetric;

  constructor(@Inject(MODEL_SIM_CONFIG) private readonly config: ModelSimConfig) {
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
  async create(@Body() body: unknown, @Res() reply: FastifyReply): Promise<void> {
    const parsed = ChatRequest.safeParse(body);
    if (!parsed.success) throw invalidRequest(parsed.error);
    const request = parsed.data;
    if (request.model !== MODEL) throw unknownModel(request.model, MODEL);
    const completion = complete(request, await loadTokenCounter(), this.config.MODEL_SIM_FAULTS);
    if (!(await this.waited(reply))) return;
    this.completions.inc({ finish: completion.finish });
    this.tokens.inc({ direction: 'in' }, completion.usage.prompt_tokens);
    this.tokens.inc({ direction: 'out' }, completion.usage.completion_tokens);
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

  /** @returns false if the caller went away meanwhile */
  private async waited(reply: FastifyReply): Promise<boolean> {
    if (this.config.MODEL_SIM_LATENCY_MS === 0) return true;
    const gone = new AbortController();
    const onClose = (): void => gone.abort();
    reply.raw.once('close', onClose);
    await delay(this.config.MODEL_SIM_LATENCY_MS, undefined, { signal: gone.signal }).catch(() => undefined);
    reply.raw.off('close', onClose);
    return !gone.signal.aborted;
  }
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
