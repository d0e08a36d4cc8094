/** Starts a worker: a service that hosts agents and works on the attempts it is offered. */
import { AgentDefinition, AgentTemplate, CadreError, agentFaults } from '@cadre/contracts';
import { systemClock } from '@cadre/messaging';
import { startService } from '@cadre/service-kit';
import type { RunningService, ServiceContext } from '@cadre/service-kit';
import { batchAgent } from './batch-agent.js';
import { z } from 'zod';
import { reducerAgents } from './reducer.js';
import { WorkerConfig } from './worker.config.js';
import { WorkerModule } from './worker.module.js';
import type { WorkerOptions } from './worker-options.js';

const DEFAULT_SLOTS = 2;
/** As many as a heartbeat tells. */
const Templates = z
  .array(AgentTemplate)
  .max(50)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two templates have one name');

/**
 * An agent is a definition whose work a model does with the granted tools, or code:
 *
 * ```ts
 * await startWorker({
 *   specialty: 'mailer',
 *   agents: [{ name: 'mailer', description: 'Sends mail.', skills: ['mail'], instructions: 'None: this agent is code.', tools:
 *   ['send_mail'] }], performers: {
 *     mailer: async ({ assignment, calls }) => {
 *       const sent = await calls.call<{ id: string }>({
 *         name: 'send_mail',
 *         effect: 'once',
 *         input: assignment.input ?? null,
 *         run: ({ key, signal }) => sendMail(assignment.input, { idempotencyKey: key, signal }),
 *       });
 *       return { answer: `Sent as ${sent.id}.`, confidence: 1 };
 *     },
 *   },
 * });
 * ```
 *
 * What goes through `calls` is made once: when the worker dies, the next attempt is given the result on record and goes on behind it. So
 * the code must make its calls in the same order each time it is given the same assignment.
 *
 * Errors: as `startService`; a definition or template that breaks its schema throws zod's error at once, since it is a fault of the app,
 * and one that makes no sense `agent-invalid`.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningService> {
  const { specialty, tools = () => [], batchPerformers = {}, env, ownsProcess } = options;
  const reducing = reducerAgents(options.reducers ?? {});
  const agents = [...options.agents, ...reducing.agents].map((agent) => AgentDefinition.parse(agent));
  const templates = Templates.parse(options.templates ?? []);
  const performers = { ...options.performers, ...reducing.performers };
  for (const agent of agents)
    refuseFaults(agent, { single: Object.hasOwn(performers, agent.name), batch: Object.hasOwn(batchPerformers, agent.name) });
  return startService({
    name: `worker-${specialty}`,
    schema: WorkerConfig,
    module: (context) => {
      const slots = context.config.CADRE_SLOTS ?? options.slots ?? DEFAULT_SLOTS;
      warnOfSlots(context, agents, slots);
      const batching = Object.entries(batchPerformers).map(([agent, perform]) => [agent, batchAgent(perform, systemClock, slots)] as const);
      const means = { tools, env: env ?? process.env, performers: { ...performers, ...Object.fromEntries(batching) } };
      return WorkerModule.with(context, { specialty, agents, templates, slots }, means);
    },
    ...(env && { env }),
    ...(ownsProcess !== undefined && { ownsProcess }),
  });
}

function refuseFaults(agent: AgentDefinition, code: { single: boolean; batch: boolean }): void {
  const faults = [
    ...agentFaults(agent, code.single || code.batch ? 'code' : 'model'),
    ...(code.single && agent.batch ? ['batch of an agent that is code needs a batch performer.'] : []),
    ...(code.batch && !agent.batch ? ['its batch performer needs to be told how many tasks it may be given; say batch.'] : []),
  ];
  if (faults.length > 0)
    throw new CadreError('agent-invalid', `The definition of the agent ${agent.name} makes no sense: ${faults.join(' ')}`);
}

/** An attempt that waits for others has a slot, as any other. */
function warnOfSlots({ log }: ServiceContext<WorkerConfig>, agents: AgentDefinition[], slots: number): void {
  for (const { name, batch } of agents) {
    if (!batch || batch.maxTasks <= slots) continue;
    log.warn({ agent: name, maxTasks: batch.maxTasks, slots }, 'no more tasks are done in one go than there are slots; raise CADRE_SLOTS');
  }
}
