/**
 * The worker that accidents happen to. Its two agents leave traces outside Cadre: the striker is code whose calls are counted by the
 * outside world, each with another effect; the talker is a model agent whose calls the model server counts.
 */
import type { CadreError, Json } from '@cadre/contracts';
import { startWorker, type CodePerformer } from '@cadre/worker-kit';
import { strikerCalls } from './striker-calls.js';

const world = process.env['CHAOS_WORLD_URL'] ?? '';

/** An answer without connection proves nothing about the effect, so no error says that it was not billed. */
async function ask(path: string, body: Json, signal: AbortSignal): Promise<Json> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${world}${path}`, { method: 'POST', headers, body: JSON.stringify(body), signal });
  if (!response.ok)
    throw Object.assign(new Error(`the outside world answered ${response.status}`), { retriable: true } satisfies Partial<CadreError>);
  return (await response.json()) as Json;
}

const striker: CodePerformer = async ({ assignment, calls }) => {
  const { runId, taskId } = assignment;
  for (const { name, effect, maxCostMicros, costMicros } of strikerCalls) {
    await calls.call({
      ...{ name, effect, maxCostMicros, input: { taskId } },
      costOf: () => costMicros,
      run: ({ key, signal }) => ask(`/calls/${effect}`, { key, name, runId, taskId }, signal),
    });
  }
  return { answer: `${taskId} was struck.`, confidence: 1 };
};

await startWorker({
  specialty: 'chaos',
  slots: 4,
  agents: [
    {
      name: 'striker',
      description: 'Leaves traces in the outside world, each once.',
      skills: ['striking'],
      instructions: 'None: this agent is code.',
      tools: strikerCalls.map(({ name }) => name),
    },
    {
      name: 'talker',
      description: 'Says something with the help of the model.',
      skills: ['talking'],
      instructions: 'Answer in a few sentences.',
      tools: ['list_files'],
    },
  ],
  performers: { striker },
});
