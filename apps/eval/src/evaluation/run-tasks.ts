/** Runs tasks on a Cadre that is there, and looks at what came of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CadreError } from '@cadre/contracts';
import type { RunView } from '@cadre/contracts';
import type { CadreClient } from '@cadre/sdk';
import type { Outcome } from './outcome.js';
import type { RecordingProxy } from './recording-proxy.js';
import type { EvalTask } from './tasks.js';

export interface Verdict {
  id: string;
  runId: string;
  agent: string;
  ok: boolean;
  /** Why not, by check. */
  faults: Record<string, string>;
  costMicros: number;
  ms: number;
}

export interface RunOptions {
  model?: string;
  /** Tasks under way at once. */
  width: number;
  onVerdict?: (verdict: Verdict) => void;
}

const MOST_BYTES = 2_000_000;
const PATIENCE_MS = 120_000;

export async function runTasks(
  client: CadreClient,
  proxy: RecordingProxy,
  tasks: readonly EvalTask[],
  options: RunOptions,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const waiting = tasks.entries();
  const lane = async (): Promise<void> => {
    for (const [index, task] of waiting) {
      const verdict = judge(task, await outcomeOf(client, proxy, task, options.model));
      verdicts[index] = verdict;
      options.onVerdict?.(verdict);
    }
  };
  await Promise.all(Array.from({ length: options.width }, lane));
  return verdicts;
}

export function judge({ id, agent, checks }: EvalTask, outcome: Outcome): Verdict {
  const faults = Object.fromEntries(
    Object.entries(checks).flatMap(([name, check]) => {
      const fault = check(outcome);
      return fault === undefined ? [] : [[name, fault]];
    }),
  );
  const { runId, costMicros, ms } = outcome;
  return { id, runId, agent, ok: Object.keys(faults).length === 0, faults, costMicros, ms };
}

async function outcomeOf(client: CadreClient, proxy: RecordingProxy, task: EvalTask, model: string | undefined): Promise<Outcome> {
  const beganAt = Date.now();
  // A goal of its own for each run: the tool results of a goal are told apart by it.
  const goal = `${task.request.goal} [${task.id}${model === undefined ? '' : ` ${model}`}]`;
  const options = { ...task.request.options, ...(model !== undefined && { model }) };
  const { runId } = await client.startRun({ ...task.request, goal, options }, { files: task.files });
  const run = await patiently(() => client.waitForEnd(runId));
  const plan = task.request.options?.planOnly === true ? await planOf(client, runId) : [];
  return {
    ...{ runId, goal, status: run.status, plan, answer: answerOf(run), costMicros: run.usage.costMicros },
    ...(run.error !== undefined && { error: run.error.message }),
    files: await filesOf(client, run),
    inputs: Object.fromEntries(task.files.map(({ name, data }) => [name, data])),
    tools: proxy.resultsOf(goal),
    ms: Date.now() - beganAt,
  };
}

/** A busy machine may be slow to tell; that says nothing of the model. */
async function patiently<T>(look: () => Promise<T>): Promise<T> {
  for (const until = Date.now() + PATIENCE_MS; ; await sleep(500)) {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof CadreError && error.retriable) || Date.now() > until) throw error;
    }
  }
}

async function planOf(client: CadreClient, runId: string): Promise<Outcome['plan']> {
  const { tasks } = await patiently(() => client.plan(runId));
  return tasks.map(({ title, skills, instructions }) => ({ title, skills, instructions }));
}

/** The answer, and those of the tasks where they were not put together. */
function answerOf(run: RunView): string {
  const answers = [run.answer, ...run.tasks.map(({ answer }) => answer)];
  return answers.map((content) => (content === undefined ? '' : 'text' in content ? content.text : content.preview)).join('\n\n');
}

async function filesOf(client: CadreClient, run: RunView): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const { name, size } of run.artifacts) {
    if (size > MOST_BYTES) continue;
    files[name] = await patiently(async () => new Response((await client.downloadArtifact(run.runId, name)).body).text());
  }
  return files;
}
