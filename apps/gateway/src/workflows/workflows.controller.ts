import { CadreError, RunAccepted, WorkflowList, WorkflowName, WorkflowVersion } from '@cadre/contracts';
import { WorkflowStore } from '@cadre/event-log';
import { Controller, Get, Headers, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { RunIntake } from '../runs/run-intake.js';
import { parseRunRequest } from '../runs/run-request.js';
import { assertKey, RunStarter } from '../runs/run-starter.js';
import { DEFAULT_TENANT } from '../tenant.js';
import { WorkflowTriggers } from './workflow-triggers.js';
import { parseWorkflow, parseWorkflowRun, requestOf } from './workflow-request.js';

export const VersionQuery = z.strictObject({
  /** Default: the newest. */
  version: z.coerce.number({ error: 'must be a whole number' }).int().min(1).optional(),
});
export type VersionQuery = z.infer<typeof VersionQuery>;

@ApiTags('Workflows')
@Controller('v1/workflows')
export class WorkflowsController {
  constructor(
    private readonly store: WorkflowStore,
    private readonly intake: RunIntake,
    private readonly starter: RunStarter,
    private readonly triggers: WorkflowTriggers,
  ) {}

  @Get()
  @Described({
    summary: 'List workflows',
    ok: { status: 200, description: 'The newest version of each, by name', schema: WorkflowList, example: EXAMPLES.workflows },
    problems: [503],
  })
  async list(): Promise<WorkflowList> {
    return { workflows: await this.store.list(DEFAULT_TENANT) };
  }

  @Get(':name')
  @Described({
    summary: 'Get a workflow',
    ok: { status: 200, description: 'A version of it', schema: WorkflowVersion, example: EXAMPLES.workflowVersion },
    problems: [400, 404, 503],
  })
  get(@Param('name') name: string, @Query({ schema: VersionQuery }) { version }: VersionQuery): Promise<WorkflowVersion> {
    return this.need(name, version);
  }

  @Put(':name')
  @Described({
    summary: 'Keep a workflow',
    description:
      'As a new version, unless it is the same as the newest. Versions are never changed: a run goes on with the one that it was started with. At most 256 KiB.',
    ok: { status: 201, description: 'The new version', schema: WorkflowVersion, example: EXAMPLES.workflowVersion },
    also: { status: 200, description: 'It is the newest version already', schema: WorkflowVersion },
    problems: [400, 413, 422, 503],
  })
  async put(
    @Param('name') name: string,
    @Req() http: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowVersion> {
    const { kept, isNew } = await this.store.put(DEFAULT_TENANT, parseWorkflow(http.body, name), Date.now());
    this.triggers.learn(DEFAULT_TENANT, kept);
    void reply.status(isNew ? 201 : 200);
    return kept;
  }

  @Post(':name/runs')
  @Described({
    summary: 'Start a run of a workflow',
    description:
      'With the parameters given, and the defaults of the others. The run has the label `workflow`: its name and version. With an Idempotency-Key the same request may be sent again.',
    ok: { status: 202, description: 'The run is stored and will be worked on', schema: RunAccepted, example: EXAMPLES.accepted },
    also: { status: 200, description: 'The same request came before; this is its run', schema: RunAccepted },
    problems: [400, 404, 409, 413, 422, 503],
  })
  async run(
    @Param('name') name: string,
    @Req() http: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('idempotency-key') key?: string,
  ): Promise<RunAccepted> {
    assertKey(key);
    const asked = parseWorkflowRun(http.body);
    const request = parseRunRequest(requestOf(await this.need(name, asked.version), asked));
    await this.intake.assertInputsStored(request);
    return this.starter.start(request, key, http, reply);
  }

  private async need(name: string, version: number | undefined): Promise<WorkflowVersion> {
    const found = WorkflowName.safeParse(name).success ? await this.store.get(DEFAULT_TENANT, name, version) : undefined;
    if (found) return found;
    const which = version === undefined ? '' : `version ${version} of `;
    throw new CadreError('not-found', `There is no ${which}workflow ${JSON.stringify(name.slice(0, 64))}.`, {
      remedy: 'see GET /v1/workflows',
    });
  }
}
