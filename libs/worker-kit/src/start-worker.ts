/** Starts a worker: a service that hosts agents and works on the attempts it is offered. */
import { AgentDefinition } from '@cadre/contracts';
import { startService } from '@cadre/service-kit';
import type { RunningService } from '@cadre/service-kit';
import { WorkerConfig } from './worker.config.js';
import { WorkerModule } from './worker.module.js';
import type { WorkerOptions } from './worker-options.js';

const DEFAULT_SLOTS = 2;

/** Errors: as `startService`; a definition that breaks its schema throws zod's error at once, since it is a fault of the app. */
export async function startWorker(options: WorkerOptions): Promise<RunningService> {
  const { specialty, tools = () => [], env, ownsProcess } = options;
  const agents = options.agents.map((agent) => AgentDefinition.parse(agent));
  return startService({
    name: `worker-${specialty}`,
    schema: WorkerConfig,
    module: (context) => {
      const slots = context.config.CADRE_SLOTS ?? options.slots ?? DEFAULT_SLOTS;
      return WorkerModule.with(context, { specialty, agents, slots }, tools);
    },
    ...(env && { env }),
    ...(ownsProcess !== undefined && { ownsProcess }),
  });
}
