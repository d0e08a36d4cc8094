import { MemoryView, RunId, type AgentName, type MemoryRecord } from '@cadre/contracts';
import { AgentMemories, memoryTokens } from '@cadre/engine';
import { InputProblem } from '@cadre/service-kit';
import { Controller, Delete, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { parseAgent } from '../context/context-request.js';
import { DEFAULT_TENANT } from '../tenant.js';

const MemoryQuery = z.strictObject({ runId: RunId.optional() });
type MemoryQuery = z.infer<typeof MemoryQuery>;

@ApiTags('Agents')
@Controller('v1/agents')
export class MemoriesController {
  constructor(private readonly memories: AgentMemories) {}

  @Get(':agent/memory')
  @Described({
    summary: 'Get what an agent remembers',
    description:
      'What it was asked and answered in earlier tasks: with `runId` in that run, else in all runs, as the scope of its memory is. `tokens` is an estimate of all of it.',
    ok: {
      status: 200,
      description: 'Its messages, oldest first, and the summary of older ones',
      schema: MemoryView,
      example: EXAMPLES.memory,
    },
    problems: [400, 404, 503],
  })
  async get(@Param('agent') agent: string, @Query({ schema: MemoryQuery }) { runId }: MemoryQuery): Promise<MemoryView> {
    const name = parseAgent(agent);
    return viewOf((await this.memories.look(DEFAULT_TENANT, name, runId)) ?? notFound(name, runId));
  }

  @Delete(':agent/memory')
  @Described({
    summary: 'Clear what an agent remembers',
    description: 'Tasks that it has begun know what they have read; later ones begin without.',
    ok: { status: 200, description: 'It is gone; the answer is what it was', schema: MemoryView, example: EXAMPLES.memory },
    problems: [400, 404, 503],
  })
  async clear(@Param('agent') agent: string, @Query({ schema: MemoryQuery }) { runId }: MemoryQuery): Promise<MemoryView> {
    const name = parseAgent(agent);
    return viewOf((await this.memories.clear(DEFAULT_TENANT, name, runId)) ?? notFound(name, runId));
  }
}

function viewOf(record: MemoryRecord): MemoryView {
  const { past: _past, ...rest } = record;
  return { ...rest, tokens: memoryTokens(record) };
}

function notFound(agent: AgentName, runId: RunId | undefined): never {
  const where = runId === undefined ? 'of all runs' : `of the run ${runId}`;
  const remedy =
    runId === undefined
      ? 'If its memory is by run, name the run with runId; an agent has a memory when its definition says so, and has ended a task.'
      : 'If its memory spans all runs, leave runId out; an agent has a memory when its definition says so, and has ended a task.';
  throw new InputProblem('not-found', `The agent ${agent} has no memory ${where}.`, { remedy });
}
