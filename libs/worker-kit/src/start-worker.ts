/** Starts a worker: a service that hosts agents and works on the attempts it is offered. */
import { AgentDefinition } from '@cadre/contracts';
import { startService } from '@cadre/service-kit';
import type { RunningService } from '@cadre/service-kit';
import { reducerAgents } from './reducer.js';
import { WorkerConfig } from './worker.config.js';
import { WorkerModule } from './worker.module.js';
import type { WorkerOptions } from './worker-options.js';

const DEFAULT_SLOTS = 2;

/**
 * An agent is a definition whose work a model does with the granted tools, or code:
 *
 * ```ts
 * await startWorker({
 *   specialty: 'mailer',
 *   agents: [{ name: 'mailer', description: 'Sends mail.', skills: ['mail'], instructions: 'None: this agent is code.', tools: ['send_mail'] }],
 *   performers: {
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
 * What goes through `calls` is made once: when the worker dies, the next attempt is given the result on record and goes on behind it. So the
 * code must make its calls in the same order each time it is given the same assignment.
 *
 * Errors: as `startService`; a definition that breaks its schema throws zod's error at once, since it is a fault of the app. So is a memory of an agent that is code.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningService> {
  const { specialty, tools = () => [], env, ownsProcess } = options;
  const reducing = reducerAgents(options.reducers ?? {});
  const agents = [...options.agents, ...reducing.agents].map((agent) => AgentDefinition.parse(agent));
  const performers = { ...options.performers, ...reducing.performers };
  const minded = agents.find(({ name, memory }) => memory && Object.hasOwn(performers, name));
  if (minded) throw new Error(`The agent ${minded.name} is code, and only agents that a model plays have a memory; use the context store.`);
  return startService({
    name: `worker-${specialty}`,
    schema: WorkerConfig,
    module: (context) => {
      const slots = context.config.CADRE_SLOTS ?? options.slots ?? DEFAULT_SLOTS;
      return WorkerModule.with(context, { specialty, agents, slots }, { tools, performers });
    },
    ...(env && { env }),
    ...(ownsProcess !== undefined && { ownsProcess }),
  });
}
