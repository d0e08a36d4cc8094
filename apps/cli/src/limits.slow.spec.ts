/** The limits that are stated, on real processes: what is allowed works to its end, and one more is refused with what to change. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { MAX_WORKFLOW_BYTES, Workflow, type RunView } from '@cadre/contracts';
import { installationRoot, LOCAL_SERVICES } from '@cadre/local-system';
import { LiveSystem } from '@cadre/local-system/testing';
import type { RunRequestInput } from '@cadre/sdk';

jest.setTimeout(900_000);

type TaskInput = NonNullable<RunRequestInput['plan']>['tasks'][number];

const TASKS = 10_000;
const WITHIN_MS = 600_000;

let live: LiveSystem;
let team: ChildProcess;
const submissions: { runId: string }[] = [];

beforeAll(async () => {
  const services = LOCAL_SERVICES.filter(({ name }) => !name.startsWith('worker-') && name !== 'model-sim');
  live = await LiveSystem.start({}, { services });
  const env = { ...process.env, NATS_URL: live.natsUrl, LOG_LEVEL: 'warn' };
  team = spawn(process.execPath, [join(installationRoot, 'examples', 'team.mjs')], { env, stdio: 'ignore' });
});
afterAll(async () => {
  try {
    // The view of a run as large as this shows some of its tasks, and their answers cut.
    const cut = /view-differs: .*: \/tasks\/\d+\/answer$/;
    expect((await live.violations(submissions)).filter((violation) => !cut.test(violation))).toEqual([]);
  } finally {
    team.kill();
    await live.stop();
  }
});

const squared = (id: string, number: number): TaskInput => ({
  id,
  title: id,
  instructions: 'Square it.',
  agent: 'squarer',
  input: { number },
});

async function run(tasks: TaskInput[], params: RunRequestInput['params'] = {}): Promise<RunView> {
  const { runId } = await live.client.startRun({ goal: 'Limits', plan: { tasks }, params, options: { summarize: false } });
  submissions.push({ runId });
  return live.ended(runId, WITHIN_MS);
}

function answerOf({ tasks }: RunView, id: string): unknown {
  const answer = tasks.find(({ taskId }) => taskId === id)?.answer;
  return answer && 'text' in answer ? JSON.parse(answer.text) : answer;
}

test('a run of 10,000 tasks', async () => {
  const ended = await run(Array.from({ length: TASKS }, (_, n) => squared(`t${n}`, n)));
  expect([ended.status, ended.partial, ended.tasksDone, ended.tasksTotal]).toEqual(['completed', false, TASKS, TASKS]);
});

test('a plan of one task more is refused', async () => {
  await expect(run(Array.from({ length: TASKS + 1 }, (_, n) => squared(`t${n}`, n)))).rejects.toThrow(/10,?000/);
});

test('a map over thousands of items; a list of more than 10,000 fails its scope', async () => {
  const map = (over: string): TaskInput => ({
    ...{ id: 'map', title: 'Squares', instructions: 'Square each.' },
    scope: { over, width: 200, body: [{ ...squared('square', 0), input: { number: '${{ item }}' }, templated: true }] },
  });
  const numbers = Array.from({ length: TASKS - 1 }, (_, n) => n);
  const ended = await run([map('params.numbers')], { numbers });
  expect([ended.status, ended.tasksDone, ended.tasksTotal]).toEqual(['completed', TASKS, TASKS]);
  const refused = await run([map('params.numbers')], { numbers: Array.from({ length: TASKS + 1 }, () => 1) });
  expect([refused.status, refused.error?.message]).toEqual(['failed', expect.stringContaining('at most 10000 are possible')]);
});

test('scopes within each other, eight deep; a ninth is refused', async () => {
  const nested = (depth: number): TaskInput =>
    depth === 0
      ? squared('square', 7)
      : { id: `s${depth}`, title: 'Within', instructions: 'Within.', scope: { body: [nested(depth - 1)], combine: { by: 'last' } } };
  const ended = await run([nested(8)]);
  expect([ended.status, answerOf(ended, 's8')]).toEqual(['completed', 49]);
  await expect(run([nested(9)])).rejects.toThrow(/8 deep/);
});

test('a workflow of 256 KiB, with its defaults; a larger one is refused', async () => {
  const definition = (bytes: number) => {
    const tasks = Array.from({ length: 40 }, (_, n) => ({ ...squared(`t${n}`, n), instructions: 'x' }));
    const given = {
      apiVersion: 'cadre/v1' as const,
      kind: 'Workflow' as const,
      metadata: { name: 'large' },
      spec: { goal: 'Large', tasks },
    };
    let left = bytes - JSON.stringify(Workflow.parse(given)).length;
    for (const task of tasks) {
      const more = Math.min(7999, left);
      task.instructions += 'x'.repeat(more);
      left -= more;
    }
    return given;
  };
  await expect(live.client.putWorkflow(definition(MAX_WORKFLOW_BYTES))).resolves.toMatchObject({ version: 1 });
  await expect(live.client.putWorkflow(definition(MAX_WORKFLOW_BYTES + 1))).rejects.toThrow(/262145 bytes.*262144 are allowed/);
});
