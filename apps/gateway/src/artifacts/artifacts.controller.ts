import { ArtifactList, CadreError, ThinkingTrace, type ArtifactRef, type Content, type RunId, type RunView } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';
import { traceOf } from '@cadre/service-kit';
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { BLOBS } from '../gateway-tokens.js';
import { HistoryClient } from '../history/history-client.js';
import { KnownShard } from '../runs/known-shard.js';
import { artifactPath } from '../runs/run-links.js';
import { DEFAULT_TENANT } from '../tenant.js';
import { sendBody } from './send-body.js';

@ApiTags('Artifacts')
@Controller('v1/runs/:runId')
export class ArtifactsController {
  constructor(
    private readonly history: HistoryClient,
    @Inject(BLOBS) private readonly blobs: Blobs,
  ) {}

  @Get('artifacts')
  @Described({
    summary: 'List the artifacts of a run',
    ok: {
      status: 200,
      description: 'Those so far; of several versions of a name the last',
      schema: ArtifactList,
      example: EXAMPLES.artifacts,
    },
    problems: [404, 503],
  })
  async list(@Param('runId', KnownShard) runId: RunId, @Req() http: FastifyRequest): Promise<ArtifactList> {
    const run = await this.history.run(DEFAULT_TENANT, runId, traceOf(http));
    return { artifacts: artifactsOf(run).map((artifact) => ({ ...artifact, href: artifactPath(runId, artifact.name) })) };
  }

  @Get('artifacts/*')
  @Described({
    summary: 'Download an artifact',
    ok: { status: 200, description: 'Its content, under its own media type', content: 'application/octet-stream' },
    also: { status: 304, description: 'The content is the one named by If-None-Match' },
    problems: [404, 503],
    wildcard: { name: 'name', description: 'The name of the artifact; it may hold slashes', example: 'charts/rain.svg' },
  })
  async download(@Param('runId', KnownShard) runId: RunId, @Req() http: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const name = (http.params as { '*'?: string })['*'] ?? '';
    const run = await this.history.run(DEFAULT_TENANT, runId, traceOf(http));
    const artifact = artifactsOf(run).find((each) => each.name === name);
    if (!artifact) {
      throw new CadreError('not-found', `The run has no artifact ${JSON.stringify(name.slice(0, 200))}.`, {
        remedy: `see /v1/runs/${runId}/artifacts for those it has`,
      });
    }
    await sendBody(artifact, { name, blobs: this.blobs }, http, reply);
  }

  @Get('answer')
  @Described({
    summary: 'Get the answer of a run as Markdown',
    ok: { status: 200, description: 'The whole answer', content: 'text/markdown' },
    problems: [404, 409, 503],
  })
  async answer(@Param('runId', KnownShard) runId: RunId, @Req() http: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const run = await this.history.run(DEFAULT_TENANT, runId, traceOf(http));
    if (run.answer === undefined) throw noAnswer(run);
    const text = await this.textOf(run.answer);
    await reply.header('content-type', 'text/markdown; charset=utf-8').header('x-content-type-options', 'nosniff').send(text);
  }

  @Get('tasks/:taskId/thinking')
  @Described({
    summary: 'Get what the agent of a task thought on the way to its result',
    description: 'Only of agents whose definition has `thinking`, in runs with the option `collectThinking`. No task reads it.',
    ok: { status: 200, description: 'The trace', schema: ThinkingTrace, example: EXAMPLES.thinking },
    problems: [404, 503],
  })
  async thinking(
    @Param('runId', KnownShard) runId: RunId,
    @Param('taskId') taskId: string,
    @Req() http: FastifyRequest,
  ): Promise<ThinkingTrace> {
    const run = await this.history.run(DEFAULT_TENANT, runId, traceOf(http));
    const content = run.tasks.find((task) => task.taskId === taskId)?.thinking;
    if (content === undefined) throw noThinking(run, taskId);
    return ThinkingTrace.parse(JSON.parse(await this.textOf(content)));
  }

  private async textOf(content: Content): Promise<string> {
    return 'text' in content ? content.text : new TextDecoder().decode(await this.blobs.get(content.ref));
  }
}

/** The run's own list is complete when it has ended; until then its tasks have more. */
function artifactsOf(run: RunView): ArtifactRef[] {
  const byName = new Map<string, ArtifactRef>();
  for (const artifact of [...run.tasks.flatMap((task) => task.artifacts), ...run.artifacts]) byName.set(artifact.name, artifact);
  return [...byName.values()];
}

function noThinking({ runId, options }: RunView, taskId: string): CadreError {
  return new CadreError('not-found', `There is no trace of what was thought on ${JSON.stringify(taskId.slice(0, 200))}.`, {
    remedy: options.collectThinking
      ? `see /v1/runs/${runId} for its tasks; those that have succeeded and whose agent thinks have \`thinking\``
      : 'start the run with the option collectThinking',
  });
}

function noAnswer(run: RunView): CadreError {
  if (run.endedAt === undefined) {
    return new CadreError('not-found', 'The run has no answer yet.', { remedy: `follow /v1/runs/${run.runId}/events until it has ended` });
  }
  return new CadreError('run-ended', `The run has ended without an answer (${run.status}).`, {
    remedy: `see /v1/runs/${run.runId} for the reason`,
  });
}
