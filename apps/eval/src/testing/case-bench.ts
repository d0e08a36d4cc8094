/**
 * A run on a stand-in without processes: the engine's rules, an attempt's work, the agent loop, the tools and the adapter are the real
 * ones, in this process and on the real clock. What is missing is the broker between them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelPort } from '@cadre/agents';
import { runAttempt } from '@cadre/agents';
import { EngineOwner, MemoryBlobs, MemoryFiles, TestWorker } from '@cadre/agents/testing';
import { AgentDefinition } from '@cadre/contracts';
import { loadPrices, ModelServers, SingleServer, singleServer } from '@cadre/models';
import type { RunRequestInput } from '@cadre/sdk';
import { genericTools, Workspace } from '@cadre/worker-kit';
import { dataAnalyst } from '../../../worker-data-analyst/src/data-analyst.js';
import { generalist } from '../../../worker-generalist/src/generalist.js';
import { PRICE } from './quirks/money.js';

export const CLOCK = {
  now: () => Date.now(),
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  soon: (run: () => void) => void setImmediate(run),
};
const AGENTS = Object.fromEntries([generalist, dataAnalyst].map((definition) => [definition.name, definition]));
const TASK = 'look';

export interface Tried {
  status: string;
  error: string | undefined;
  answer: string | undefined;
  costMicros: number;
  /** All that the log knows of it. */
  shown: string;
  violations: string[];
}

/** The model port of a worker, as it is made for this server. */
export function modelOn(baseUrl: string, models: readonly string[], timeoutMs: number): ModelPort {
  const prices = loadPrices(JSON.stringify(Object.fromEntries(models.map((model) => [model, PRICE]))));
  return new ModelServers(singleServer(SingleServer.parse({ OPENAI_BASE_URL: baseUrl })), {
    ...{ keyOf: () => '', prices, defaultModel: 'plain', timeoutMs },
    random: () => Math.random(),
    now: () => Date.now(),
  });
}

/** One run of one task, with attempts for as long as the engine gives any. */
export async function tryOn(
  model: ModelPort,
  options: RunRequestInput['options'],
  given: { agent?: string; changes?: Partial<AgentDefinition> } = {},
): Promise<Tried> {
  const agent = AgentDefinition.parse({ ...AGENTS[given.agent ?? 'generalist'], ...given.changes });
  const owner = new EngineOwner(CLOCK);
  owner.start([{ id: TASK, title: 'Look which files are there', instructions: 'Say which files are there.', agent: agent.name }], options);
  const workspace = await Workspace.create();
  try {
    const worker = workerOf(owner, agent, model, workspace);
    for (;;) {
      const { status, notBefore } = owner.rig.task(TASK);
      if (status !== 'ready') break;
      await sleep(Math.max(0, notBefore - Date.now()));
      await worker.take(TASK).ending;
    }
  } finally {
    await workspace.remove();
  }
  return told(owner);
}

function workerOf(owner: EngineOwner, agent: AgentDefinition, model: ModelPort, workspace: Workspace): TestWorker {
  const blobs = new MemoryBlobs();
  return new TestWorker({
    ...{ id: 'w1', clock: CLOCK, owner, blobs, agent },
    performer: (work) =>
      runAttempt(work, {
        ...{ model, tools: genericTools(workspace), files: new MemoryFiles(blobs), clock: CLOCK },
        chance: { random: () => 0.5 },
        readContent: async (content) => ('text' in content ? content.text : content.preview),
      }),
  });
}

function told({ rig }: EngineOwner): Tried {
  const [run, task] = [rig.run(), rig.task(TASK)];
  const answer = task.result?.answer;
  return {
    ...{ status: run.status, error: (task.error ?? run.error)?.message, costMicros: run.usage.costMicros },
    answer: answer && 'text' in answer ? answer.text : undefined,
    shown: JSON.stringify([run, rig.blocks]),
    violations: rig.violations().map(({ message }) => message),
  };
}
