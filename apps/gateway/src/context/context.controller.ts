import { randomUUID } from 'node:crypto';
import {
  ContextArtifactView,
  ContextDeleted,
  ContextGrants,
  ContextGrantsList,
  ContextLineage,
  ContextPage,
  RunLineage,
  type ContextName,
  type RunId,
} from '@cadre/contracts';
import { runLineage, SharedContext, traceArtifacts, type Blobs, type ContextCaller, type GetEnd } from '@cadre/engine';
import { traceOf } from '@cadre/service-kit';
import { Controller, Delete, Get, Headers, Inject, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { sendBody } from '../artifacts/send-body.js';
import { BLOBS } from '../gateway-tokens.js';
import { HistoryClient } from '../history/history-client.js';
import { KnownShard } from '../runs/known-shard.js';
import { assertKey } from '../runs/run-starter.js';
import { DEFAULT_TENANT } from '../tenant.js';
import {
  ContextDeleteQuery,
  ContextListQuery,
  ContextVersionQuery,
  nameOf,
  parseAgent,
  parseGrants,
  parsePut,
  refusalProblem,
} from './context-request.js';

const CALLER: ContextCaller = { tenant: DEFAULT_TENANT, by: { kind: 'user' } };
const wildcard = { name: 'name', description: 'The name of the artifact; it may hold slashes', example: EXAMPLES.contextArtifact.name };

@ApiTags('Context')
@Controller('v1')
export class ContextController {
  constructor(
    private readonly context: SharedContext,
    private readonly history: HistoryClient,
    @Inject(BLOBS) private readonly blobs: Blobs,
  ) {}

  @Get('context')
  @Described({
    summary: 'List the artifacts of the context store',
    description: 'By name: all, those whose names begin with a prefix, or whose newest version has a tag.',
    ok: { status: 200, description: 'The newest version of each', schema: ContextPage, example: EXAMPLES.contextPage },
    problems: [400, 503],
  })
  list(@Query({ schema: ContextListQuery }) { cursor, ...query }: ContextListQuery): Promise<ContextPage> {
    return this.context.list(CALLER, { ...query, after: cursor });
  }

  @Get('context/artifacts/*')
  @Described({
    summary: 'Get the content of an artifact',
    ok: { status: 200, description: 'Under its own media type; `Cadre-Version` has its version', content: 'application/octet-stream' },
    also: { status: 304, description: 'The content is the one named by If-None-Match' },
    problems: [400, 404, 503],
    wildcard,
  })
  async content(
    @Query({ schema: ContextVersionQuery }) { version }: ContextVersionQuery,
    @Req() http: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const name = nameOf(http);
    const found = await this.need(name, version);
    void reply.header('cadre-version', String(found.version.version));
    await sendBody(found.version.body, { name, blobs: this.blobs }, http, reply);
  }

  @Put('context/artifacts/*')
  @Described({
    summary: 'Keep an artifact',
    description:
      'As the next version of that name. With `expects` only if that is the newest version (0: only if there is none); else 409 with `presentVersion`. At most 8 MiB. With an Idempotency-Key the same request may be sent again.',
    ok: { status: 201, description: 'It is kept', schema: ContextArtifactView, example: EXAMPLES.contextArtifact },
    also: { status: 200, description: 'The same request came before', schema: ContextArtifactView },
    problems: [400, 404, 409, 413, 503],
    wildcard,
  })
  async put(
    @Req() http: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('idempotency-key') key: string = randomUUID(),
  ): Promise<ContextArtifactView> {
    assertKey(key);
    const name = nameOf(http);
    const end = await this.context.put(CALLER, { ...parsePut(http.body, name), key, from: [] });
    if (!end.ok) throw refusalProblem(end.refusal);
    // A repetition may come when the artifact has been deleted since.
    if (end.artifact === undefined) throw refusalProblem({ kind: 'not-found', name });
    void reply.status(end.isNew ? 201 : 200);
    return end.artifact;
  }

  @Delete('context/artifacts/*')
  @Described({
    summary: 'Delete an artifact with all its versions',
    description: 'Numbers of versions go on if it is made again within a day. With `expects` only if that is the newest version.',
    ok: { status: 200, description: 'It is gone', schema: ContextDeleted, example: EXAMPLES.contextDeleted },
    problems: [400, 404, 409, 503],
    wildcard,
  })
  async remove(
    @Query({ schema: ContextDeleteQuery }) { expects }: ContextDeleteQuery,
    @Req() http: FastifyRequest,
    @Headers('idempotency-key') key: string = randomUUID(),
  ): Promise<ContextDeleted> {
    assertKey(key);
    const name = nameOf(http);
    const end = await this.context.remove(CALLER, { name, key, expects });
    if (!end.ok) throw refusalProblem(end.refusal);
    return { name, version: end.version };
  }

  @Get('context/versions/*')
  @Described({
    summary: 'List the versions of an artifact',
    ok: { status: 200, description: 'Those that are kept, oldest first', schema: ContextArtifactView, example: EXAMPLES.contextArtifact },
    problems: [400, 404, 503],
    wildcard,
  })
  async versions(@Req() http: FastifyRequest): Promise<ContextArtifactView> {
    return (await this.need(nameOf(http))).artifact;
  }

  @Get('context/lineage/*')
  @Described({
    summary: 'Get what an artifact was made from',
    ok: {
      status: 200,
      description: 'The version, then the versions that its maker had read, and so on back',
      schema: ContextLineage,
      example: EXAMPLES.contextLineage,
    },
    problems: [400, 404, 503],
    wildcard,
  })
  async lineage(@Query({ schema: ContextVersionQuery }) query: ContextVersionQuery, @Req() http: FastifyRequest): Promise<ContextLineage> {
    const name = nameOf(http);
    const { version, body } = (await this.need(name, query.version)).version;
    return { name, version, ...(await traceArtifacts(this.context, CALLER, [{ artifact: name, version, sha256: body.sha256 }])) };
  }

  @Get('context/grants')
  @Described({
    summary: 'List what agents may do with the context store',
    ok: {
      status: 200,
      description: 'By agent; what is not granted is forbidden',
      schema: ContextGrantsList,
      example: EXAMPLES.contextGrantsList,
    },
    problems: [503],
  })
  async grants(): Promise<ContextGrantsList> {
    return { grants: await this.context.grants(DEFAULT_TENANT) };
  }

  @Put('context/grants/:agent')
  @Described({
    summary: 'Say what an agent may do with the context store',
    description: 'In the place of all that it had; an empty list takes everything away. It also has to be granted the tools.',
    ok: { status: 200, description: 'It holds for calls that begin from now on', schema: ContextGrants, example: EXAMPLES.contextGrants },
    problems: [400, 503],
  })
  async grant(@Param('agent') agent: string, @Req() http: FastifyRequest): Promise<ContextGrants> {
    return this.context.setGrants(DEFAULT_TENANT, parseAgent(agent), parseGrants(http.body).rules);
  }

  @Get('runs/:runId/lineage')
  @Described({
    summary: 'Get what the answer of a run rests on',
    description:
      'From the answer back: tasks with those whose results they used, the inputs, and what was read and written of the context store.',
    ok: { status: 200, description: 'As far as the run has come', schema: RunLineage, example: EXAMPLES.runLineage },
    problems: [404, 503],
  })
  async runLineage(@Param('runId', KnownShard) runId: RunId, @Req() http: FastifyRequest): Promise<RunLineage> {
    const run = await this.history.run(DEFAULT_TENANT, runId, traceOf(http));
    const lineage = runLineage(run);
    const read = lineage.tasks.flatMap((task) => task.read);
    const { steps, more } = await traceArtifacts(this.context, CALLER, read);
    return { ...lineage, context: steps, more: more || run.leftOut !== undefined };
  }

  private async need(name: ContextName, version?: number): Promise<Extract<GetEnd, { ok: true }>> {
    const found = await this.context.get(CALLER, name, version);
    if (!found.ok) throw refusalProblem(found.refusal);
    return found;
  }
}
