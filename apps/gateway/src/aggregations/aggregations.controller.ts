import { AggregationRequest, RunAccepted, shardOf, type Json } from '@cadre/contracts';
import { InputProblem, inputProblem, SERVICE_CONTEXT, traceOf, type ServiceContext } from '@cadre/service-kit';
import { Controller, Headers, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { checkedRequest } from '../runs/run-request.js';
import { assertKey, RunStarter } from '../runs/run-starter.js';
import { assertStorable } from '../runs/storable.js';
import { DEFAULT_TENANT } from '../tenant.js';
import { aggregationRun } from './aggregation-plan.js';
import { RunResults } from './run-results.js';

@ApiTags('Runs')
@Controller('v1/aggregations')
export class AggregationsController {
  constructor(
    private readonly results: RunResults,
    private readonly starter: RunStarter,
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
  ) {}

  @Post()
  @Described({
    summary: 'Aggregate the results of runs',
    description:
      'Starts a run that puts together what at most 100 runs have come to: by a rule of the engine, which takes no agent, or by one (`summary`, `custom`). Their answers and artifacts are named by their run ids. The run has the label `aggregation`, and can be aggregated like any other. With an Idempotency-Key the same request may be sent again.',
    ok: { status: 202, description: 'The run is stored and will be worked on', schema: RunAccepted, example: EXAMPLES.accepted },
    also: { status: 200, description: 'The same request came before; this is its run', schema: RunAccepted },
    problems: [400, 404, 409, 413, 422, 503],
  })
  async start(
    @Req() http: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('idempotency-key') key?: string,
  ): Promise<RunAccepted> {
    assertKey(key);
    const asked = this.parse(http.body);
    const results = await this.results.read(DEFAULT_TENANT, asked, traceOf(http));
    const request = checkedRequest(aggregationRun(asked, results));
    return this.starter.start(request, key, http, reply, asked as unknown as Json);
  }

  /** @throws InputProblem `invalid-request` */
  private parse(value: unknown): AggregationRequest {
    assertStorable(value);
    const parsed = AggregationRequest.safeParse(value ?? {});
    if (!parsed.success) throw inputProblem(parsed.error.issues);
    const { runs } = parsed.data;
    const errors = runs.flatMap((runId, index) => {
      if (runs.indexOf(runId) !== index) return [{ path: `runs[${index}]`, message: `${runId} is named twice` }];
      return shardOf(runId) < this.context.config.CADRE_SHARDS ? [] : [{ path: `runs[${index}]`, message: `there is no run ${runId}` }];
    });
    if (errors.length === 0) return parsed.data;
    throw new InputProblem(
      'invalid-request',
      `The request is not valid: ${errors.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
      { errors },
    );
  }
}
