import { CallList, CancelAccepted, CancelRequest, PlanView, RunAccepted, RunPage, RunView, type RunId } from '@cadre/contracts';
import { inputProblem, traceOf } from '@cadre/service-kit';
import { Controller, Get, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { WorkerRoster } from '../agents/worker-roster.js';
import { HistoryClient } from '../history/history-client.js';
import { DEFAULT_TENANT } from '../tenant.js';
import { KnownShard } from './known-shard.js';
import { ListRunsQuery } from './list-runs-query.js';
import { RunIntake } from './run-intake.js';
import { planOf } from './run-plan.js';
import { runLinks } from './run-links.js';
import { assertKey, refusal, RunStarter } from './run-starter.js';
import { SubmissionReader } from './submission-reader.js';
import { withWaits } from './waits.js';

@ApiTags('Runs')
@Controller('v1/runs')
export class RunsController {
  constructor(
    private readonly submissions: SubmissionReader,
    private readonly starter: RunStarter,
    private readonly intake: RunIntake,
    private readonly history: HistoryClient,
    private readonly workers: WorkerRoster,
  ) {}

  @Post()
  @Described({
    summary: 'Start a run',
    description:
      'Takes a goal, with input files when sent as multipart/form-data, and up to 8 MiB of JSON: a plan may have 10,000 tasks. Answered after the run is stored. With an Idempotency-Key the same request may be sent again: it arrives at the same run (200).',
    ok: { status: 202, description: 'The run is stored and will be worked on', schema: RunAccepted, example: EXAMPLES.accepted },
    also: { status: 200, description: 'The same request came before; this is its run', schema: RunAccepted },
    problems: [400, 409, 413, 415, 422, 503],
  })
  async start(
    @Req() http: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('idempotency-key') key?: string,
  ): Promise<RunAccepted> {
    assertKey(key);
    const { request, uploaded } = await this.submissions.read(http);
    if (!uploaded) await this.intake.assertInputsStored(request);
    return this.starter.start(request, key, http, reply);
  }

  @Get()
  @Described({
    summary: 'List runs, newest first',
    ok: { status: 200, description: 'One page', schema: RunPage, example: EXAMPLES.page },
    problems: [400, 503],
  })
  list(@Query({ schema: ListRunsQuery }) query: ListRunsQuery, @Req() http: FastifyRequest): Promise<RunPage> {
    return this.history.list(DEFAULT_TENANT, query, traceOf(http));
  }

  @Get(':runId')
  @Described({
    summary: 'Get a run with its tasks, its answer and its artifacts',
    ok: { status: 200, description: 'The run as far as it is known', schema: RunView, example: EXAMPLES.run },
    problems: [404, 503],
  })
  async get(@Param('runId', KnownShard) runId: RunId, @Req() http: FastifyRequest): Promise<RunView> {
    return withWaits(await this.history.run(DEFAULT_TENANT, runId, traceOf(http)), this.workers, Date.now());
  }

  @Get(':runId/plan')
  @Described({
    summary: 'Get the plan of a run',
    description:
      'As it could be sent again, with all defaults. With the option `planOnly` a run ends with its plan: ask for it, change it, and send it with the run that is to do the work.',
    ok: { status: 200, description: 'All its tasks, those of scopes once', schema: PlanView, example: EXAMPLES.plan },
    problems: [404, 503],
  })
  plan(@Param('runId', KnownShard) runId: RunId, @Req() http: FastifyRequest): Promise<PlanView> {
    return planOf(this.history, DEFAULT_TENANT, runId, traceOf(http));
  }

  @Get(':runId/calls')
  @Described({
    summary: 'List the model and tool calls of a run',
    ok: { status: 200, description: 'The calls so far, in order; at most 2,000', schema: CallList, example: EXAMPLES.calls },
    problems: [404, 503],
  })
  async calls(@Param('runId', KnownShard) runId: RunId, @Req() http: FastifyRequest): Promise<CallList> {
    return await this.history.calls(DEFAULT_TENANT, runId, traceOf(http));
  }

  @Post(':runId/cancel')
  @HttpCode(202)
  @Described({
    summary: 'Cancel a run',
    description:
      'May be repeated. Nothing starts any more; attempts that run may wind up for `cancelGraceMs` of the run. It is over when its event RunCancelled has come.',
    ok: { status: 202, description: 'The run is being cancelled, or was already', schema: CancelAccepted, example: EXAMPLES.cancelled },
    problems: [400, 404, 409, 503],
  })
  async cancel(@Param('runId', KnownShard) runId: RunId, @Req() http: FastifyRequest): Promise<CancelAccepted> {
    const parsed = CancelRequest.safeParse(http.body ?? {});
    if (!parsed.success) throw inputProblem(parsed.error.issues);
    const outcome = await this.intake.cancel(DEFAULT_TENANT, runId, parsed.data.reason, traceOf(http));
    if (outcome.outcome === 'rejected') throw refusal(outcome, undefined);
    return { runId, status: 'cancelling', links: runLinks(runId) };
  }
}
