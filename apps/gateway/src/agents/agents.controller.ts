import { AgentRemoved, AgentView, WorkerList } from '@cadre/contracts';
import { Controller, Delete, Get, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { DEFAULT_TENANT } from '../tenant.js';
import { AgentDesk } from './agent-desk.js';
import { agentNamed, parseAgent, parseStandIn } from './agent-input.js';

@ApiTags('Agents')
@Controller('v1/agents')
export class AgentsController {
  constructor(private readonly desk: AgentDesk) {}

  @Get()
  @Described({
    summary: 'List the workers with their agents, and the agents that were defined',
    description:
      'Workers by the heartbeats of the last minutes; `lost`: silent for longer than a worker may be. `templates` are what agents can be made from; of agents that were defined, `workers` are those that have it now. One without a `definition` was removed.',
    ok: { status: 200, description: 'All that is known', schema: WorkerList, example: EXAMPLES.workers },
    problems: [503],
  })
  list(): Promise<WorkerList> {
    return this.desk.list(DEFAULT_TENANT);
  }

  @Get(':name')
  @Described({
    summary: 'Get an agent that was defined',
    ok: { status: 200, description: 'Its newest version', schema: AgentView, example: EXAMPLES.definedAgent },
    problems: [404, 503],
  })
  get(@Param('name') name: string): Promise<AgentView> {
    return this.desk.get(DEFAULT_TENANT, agentNamed(name));
  }

  @Put(':name')
  @Described({
    summary: 'Define an agent, or change one',
    description:
      'Workers that offer its template have it at once. A change is a new version: attempts that have begun go on with theirs. It can be granted no tool that the template has not. At most 200 agents.',
    ok: { status: 201, description: 'The new agent', schema: AgentView, example: EXAMPLES.definedAgent },
    also: { status: 200, description: 'It was there, and is now as given', schema: AgentView },
    problems: [400, 409, 422, 503],
  })
  async put(@Param('name') name: string, @Req() http: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<AgentView> {
    const { view, isNew } = await this.desk.define(DEFAULT_TENANT, name, parseAgent(http.body, name));
    void reply.status(isNew ? 201 : 200);
    return view;
  }

  @Delete(':name')
  @ApiQuery({ name: 'handTo', required: false, description: 'Who gets the tasks that ask for the agent by name' })
  @Described({
    summary: 'Remove an agent that was defined',
    description:
      'What it has begun is handed back. Tasks that ask for its skills go to whoever has them, tasks that ask for it by name go to `handTo`; without it they wait. May be said again with another `handTo`.',
    ok: { status: 200, description: 'It is removed; what becomes of its tasks', schema: AgentRemoved, example: EXAMPLES.agentRemoved },
    problems: [400, 404, 422, 503],
  })
  remove(@Param('name') name: string, @Query('handTo') handTo?: string): Promise<AgentRemoved> {
    return this.desk.remove(DEFAULT_TENANT, agentNamed(name), parseStandIn(handTo));
  }
}
