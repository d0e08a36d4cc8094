/**
 * A whole run without processes: the engine's rules, all built-in agents with their real tools, and the adapter, in this process on the
 * real clock.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MadeCall, ModelPort, Tool, Work } from '@cadre/agents';
import { readText, runAttempt } from '@cadre/agents';
import { EngineOwner, MemoryBlobs, TestWorker } from '@cadre/agents/testing';
import { AgentDefinition, isTerminal, mediaTypeOf } from '@cadre/contracts';
import type { TaskSpecInput } from '@cadre/contracts';
import { startBody } from '@cadre/engine/testing';
import { loadPrices, ModelServers, ModelsFile } from '@cadre/models';
import type { RunRequestInput } from '@cadre/sdk';
import { genericTools, Workspace } from '@cadre/worker-kit';
import { codeReviewer } from '../../../../worker-code-reviewer/src/code-reviewer.js';
import { codeWriter } from '../../../../worker-code-writer/src/code-writer.js';
import { dataAnalyst } from '../../../../worker-data-analyst/src/data-analyst.js';
import { dataTools } from '../../../../worker-data-analyst/src/data-tools.js';
import { documentationWriter } from '../../../../worker-documentation-writer/src/documentation-writer.js';
import { generalist } from '../../../../worker-generalist/src/generalist.js';
import { planner } from '../../../../worker-generalist/src/planner.js';
import { synthesizer } from '../../../../worker-generalist/src/synthesizer.js';
import { testTools } from '../../../../worker-test-writer/src/test-tools.js';
import { testWriter } from '../../../../worker-test-writer/src/test-writer.js';
import { rememberedTool } from '../../../../model-sim/src/testing/remembered-tools.js';
import { CLOCK } from '../case-bench.js';
import type { MatrixServer } from './matrix-server.js';

const AGENTS = [planner, dataAnalyst, codeWriter, testWriter, documentationWriter, codeReviewer, synthesizer, generalist].map((each) =>
  AgentDefinition.parse(each),
);
const CATALOGUE = AGENTS.map(({ name, description, skills }) => ({ name, description, skills }));
const STEP_MS = 20;

export interface Ran {
  status: string;
  error: string | undefined;
  answer: string;
  costMicros: number;
  /** Tools by task, in order. */
  tools: Record<string, string[]>;
  /** All calls that were made, models' too. */
  made: MadeCall[];
  warnings: string[];
  violations: string[];
}

export interface Wanted {
  goal: string;
  /** Absolute path. */
  file: string;
  /** Left out: the planner plans. */
  tasks?: TaskSpecInput[];
  options?: RunRequestInput['options'];
}

/** A server at its address. */
export interface Asked extends Pick<MatrixServer, 'profile' | 'url'> {
  /** Left out: the one that stand-ins take. */
  key?: string;
}

/** The models of a worker, as a models file names this server. */
export function modelsOf({ profile, url, key = 'key' }: Asked, onWarning: (message: string) => void): ModelPort {
  const { api, model, rates, extra, isPricedByOperator } = profile;
  const server = { url, api, key: { env: 'KEY' }, ...(extra && { extra }) };
  const file = ModelsFile.parse({ servers: { it: server }, others: 'it', default: model });
  const prices = loadPrices(isPricedByOperator ? JSON.stringify({ [model]: rates }) : undefined);
  const parts = { keyOf: () => key, prices, defaultModel: model, timeoutMs: 20_000, onWarning, random: () => 0.5, now: () => Date.now() };
  return new ModelServers(file, parts);
}

/** One run to its end. */
export async function runOn(server: Asked, { goal, file, tasks, options }: Wanted): Promise<Ran> {
  const warnings: string[] = [];
  const team = new Team(modelsOf(server, (message) => warnings.push(message)));
  const bytes = await readFile(file);
  const name = basename(file);
  const inputs = [{ ...(await team.blobs.put(bytes, mediaTypeOf(name))), name }];
  const { rig } = team.owner;
  rig.now = Date.now();
  const decision = rig.send({ ...startBody(tasks, options, goal), inputs });
  if (decision.outcome !== 'accepted') throw new Error(JSON.stringify(decision));
  await team.work();
  const run = rig.run();
  const failed = Object.values(run.tasks).find(({ error }) => error);
  return {
    ...{ status: run.status, error: (run.error ?? failed?.error)?.message, costMicros: run.usage.costMicros },
    answer: await team.answer(),
    ...{ tools: team.tools, made: team.made, warnings, violations: rig.violations().map(({ message }) => message) },
  };
}

class Team {
  readonly owner = new EngineOwner(CLOCK);
  readonly blobs = new MemoryBlobs();
  readonly made: MadeCall[] = [];
  readonly tools: Record<string, string[]> = {};

  constructor(private readonly model: ModelPort) {}

  /** All tasks that are ready, until the run has ended. */
  async work(): Promise<void> {
    const atWork = new Map<string, Promise<unknown>>();
    const { rig } = this.owner;
    while (!isTerminal(rig.run().status)) {
      for (const [id, { status, notBefore }] of Object.entries(rig.run().tasks)) {
        if (status !== 'ready' || notBefore > Date.now() || atWork.has(id)) continue;
        atWork.set(
          id,
          this.attempt(id).finally(() => atWork.delete(id)),
        );
      }
      await Promise.race([sleep(STEP_MS), ...atWork.values()]);
    }
    await Promise.all(atWork.values());
  }

  async answer(): Promise<string> {
    const { tasks, answer } = this.owner.rig.run();
    const found = answer ?? Object.values(tasks).at(-1)?.result?.answer;
    return found ? readText(found, this.blobs) : '';
  }

  private async attempt(id: string): Promise<void> {
    const { wantedAgent, spec } = this.owner.rig.task(id);
    const agent = AGENTS.find(({ name, skills }) =>
      wantedAgent ? name === wantedAgent : spec.skills.every((each) => skills.includes(each)),
    );
    if (!agent) throw new Error(`no agent for ${id}: ${spec.skills.join(', ')}`);
    const performer = (work: Work) => this.perform(work);
    const worker = new TestWorker({ id: `w-${agent.name}`, clock: CLOCK, owner: this.owner, blobs: this.blobs, agent, performer });
    const ending = await worker.take(id).ending;
    this.made.push(...worker.made);
    for (const { kind, name, ok } of worker.made) if (kind === 'tool') (this.tools[id] ??= []).push(ok ? name : `${name} failed`);
    if (worker.trouble.length > 0) throw new Error(`${id} ${ending}: ${worker.trouble.join('; ')}`);
  }

  private async perform(work: Work): ReturnType<typeof runAttempt> {
    const { blobs } = this;
    const { assignment, signal } = work;
    const workspace = await Workspace.create();
    work.onClose(() => workspace.remove());
    await workspace.materialise(assignment.inputs, assignment.results, blobs, signal);
    const performance = await runAttempt(
      { ...work, catalogue: CATALOGUE },
      {
        ...{ model: this.model, tools: toolsIn(workspace, work), clock: CLOCK, chance: { random: () => 0.5 } },
        files: { changed: () => workspace.storeChanged(blobs), restore: (files) => workspace.restore(files, blobs) },
        readContent: (content) => readText(content, blobs),
        readArtifact: async (artifact) => new TextDecoder().decode(await blobs.get(artifact)),
      },
    );
    return { ...performance, artifacts: await workspace.collectArtifacts(blobs) };
  }
}

/** What a tool has answered before, it answers at once: all servers are asked for the same. */
function toolsIn(workspace: Workspace, work: Work): Tool[] {
  const special = [...dataTools()(workspace, work), ...testTools()(workspace, work)];
  return [...genericTools(workspace), ...special.map((tool) => rememberedTool(tool, workspace))];
}
