import { WorkerList } from '@cadre/contracts';
import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { WorkerRoster } from './worker-roster.js';

@ApiTags('Agents')
@Controller('v1/agents')
export class AgentsController {
  constructor(private readonly roster: WorkerRoster) {}

  @Get()
  @Described({
    summary: 'List the workers with their agents',
    description: 'From the heartbeats of the last minutes. `lost`: silent for longer than a worker may be.',
    ok: { status: 200, description: 'All workers known', schema: WorkerList, example: EXAMPLES.workers },
    problems: [],
  })
  list(): WorkerList {
    return { workers: this.roster.list(Date.now()) };
  }
}
