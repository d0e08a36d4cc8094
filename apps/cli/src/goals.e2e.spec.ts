/**
 * Goals without a language model, through the whole system and its command line: done whole with exit code 0, or what is not done named
 * with 3, also when a process dies.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { jest } from '@jest/globals';
import { RunView } from '@cadre/contracts';
import { LiveSystem } from '@cadre/local-system/testing';

/** A whole system on a machine that may be slow. */
jest.setTimeout(300_000);

const BIN = resolve(import.meta.dirname, '../bin/cadre.js');
const SALES = [
  'month,region,units',
  '2026-01,North,10',
  '2026-01,South,8',
  '2026-02,North,12',
  '2026-02,South,7',
  '2026-03,North,14',
  '',
].join('\n');
const LETTER = 'Dear Ms Moreau,\n\nfrom March the rent rises to 950 euros, because the heating has been replaced.\n';

let live: LiveSystem;
let folder: string;
/** Where processes die next, by name. */
const armed = new Map<string, string>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cadre-goals-'));
  await writeFile(join(folder, 'sales.csv'), SALES);
  await writeFile(join(folder, 'letter.txt'), LETTER);
  live = await LiveSystem.start(
    { OPENAI_BASE_URL: '', CADRE_MODEL: '' },
    {
      longestBackoffMs: 300,
      envOf: async (name) => {
        const point = armed.get(name);
        armed.delete(name);
        return point === undefined ? {} : { CADRE_CRASH_AT: point };
      },
    },
  );
});
afterAll(async () => {
  try {
    const runs = await live.runs();
    expect(await live.violations(runs.map(({ runId }) => ({ runId })))).toEqual([]);
  } finally {
    await live.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

/** `cadre run`, as a person types it. */
async function cadreRun(goal: string, input?: string): Promise<{ code: number | null; run: RunView; answer: string }> {
  const args = ['run', goal, '-o', 'json', '-q', '--no-download', ...(input === undefined ? [] : ['--input', input])];
  const child = spawn(process.execPath, [BIN, ...args], { cwd: folder, env: { ...process.env, CADRE_URL: live.system.url } });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise<number | null>((ended) => child.once('close', ended));
  if (out === '') throw new Error(`cadre run ended with ${code}: ${err}`);
  const run = RunView.parse(JSON.parse(out));
  return { code, run, answer: await live.client.answer(run.runId) };
}

test.each([
  // As `cadre demo` and `cadre dev` suggest it.
  ['What stands out?', 'sales.csv'],
  ['Analyze the data and report what stands out', 'sales.csv'],
  ['Analyse les ventes et écris des tests', 'sales.csv'],
  [
    'Build a REST API for user management with:\n1. User CRUD operations\n2. Authentication\n3. Unit tests\n4. API documentation',
    undefined,
  ],
])('%s: done whole, 0', async (goal, input) => {
  const { code, run, answer } = await cadreRun(goal, input);
  expect([code, run.status, run.partial, run.missing]).toEqual([0, 'completed', false, undefined]);
  expect(answer).not.toMatch(/not done/i);
});

test.each([
  ['Summarise letter.txt', 'letter.txt', ['Summarise letter.txt'], /needs a language model[\s\S]*> from March the rent rises/],
  [
    '- analyze the sales\n- do not write tests\n- email it to my boss',
    'sales.csv',
    ['email it to my boss'],
    /1 of 2 parts of the goal is done/,
  ],
  ['Analyze customer data trends', undefined, ['Analyze customer data trends'], /needs a data file/],
  ['Deploy the app to AWS', undefined, ['Deploy the app to AWS'], /needs a language model/],
])('%s: what is not done is named first, 3', async (goal, input, missing, said) => {
  const { code, run, answer } = await cadreRun(goal, input);
  expect([code, run.status, run.partial, run.missing]).toEqual([3, 'completed', true, missing]);
  expect(answer).toMatch(/^> \*\*Not done:\*\* /);
  expect(answer).toMatch(said);
});

describe('a process that dies while the answer accounts for the goal', () => {
  const goal = 'Deploy the app to AWS, then write a poem about it';
  const missing = ['Deploy the app to AWS', 'write a poem about it'];

  async function endsOnce(runId: string): Promise<void> {
    const run = await live.ended(runId);
    expect([run.status, run.partial, run.missing]).toEqual(['completed', true, missing]);
    const types: string[] = [];
    for await (const { event } of live.client.events(runId)) types.push(event.type);
    expect(types.filter((type) => type.endsWith('RunCompleted'))).toHaveLength(1);
    expect(await live.client.answer(runId)).toMatch(/^> \*\*Not done:\*\* Deploy the app to AWS; write a poem about it\n/);
  }

  /** Starts the run once its worker is one that dies at this point. @returns the run, when it has died */
  async function diesAt(point: string): Promise<string> {
    const worker = 'worker-generalist';
    const pid = (): number | undefined => live.system.pids()[worker];
    const other = (than: number | undefined) => async () => (pid() === than ? undefined : pid());
    const before = pid()!;
    armed.set(worker, point);
    process.kill(before, 'SIGTERM');
    const victim = await live.until('the armed worker', other(before));
    const { runId } = await live.client.startRun({ goal });
    await live.until('the worker after it', other(victim));
    return runId;
  }

  // The worker makes the plan, two tasks and the answer: its fourth passing is that of the answer.
  test.each(['worker-before-complete:4', 'worker-after-complete:4'])('the worker, at %s', async (point) => {
    await endsOnce(await diesAt(point));
  });

  test('the worker, and then the orchestrator', async () => {
    const runId = await diesAt('worker-after-call:4');
    // On a slow machine the loss of the worker is noticed before the next one has begun, and the task waits for it.
    const { status, tasks } = await live.client.getRun(runId);
    const open = tasks.filter((task) => task.status === 'running' || task.status === 'ready');
    expect([status, open.map(({ taskId }) => taskId)]).toEqual(['running', ['answer']]);
    process.kill(live.system.pids()['orchestrator']!, 'SIGKILL');
    await endsOnce(runId);
  });
});
