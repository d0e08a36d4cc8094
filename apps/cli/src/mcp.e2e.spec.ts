/**
 * A worker that is killed in the middle of a call of an MCP tool that must happen once: a person is asked, and the call is not made again.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { installationRoot, LOCAL_SERVICES } from '@cadre/local-system';
import { LiveSystem } from '@cadre/local-system/testing';
import { UnrulyStage } from '@cadre/mcp/testing';
import { runProgram } from './program.js';
import { recordedTerminal } from './testing/recorded-terminal.js';

jest.setTimeout(300_000);

let live: LiveSystem;
let stage: UnrulyStage;
const workers: ChildProcess[] = [];

const WORKER = `
import { startWorker } from '@cadre/worker-kit';
await startWorker({
  specialty: 'spec',
  agents: [{ name: 'payer', description: 'Pays.', skills: ['paying'], instructions: 'None: this agent is code.', tools: [] }],
  performers: {
    payer: async ({ callTool }) => {
      await callTool('unruly_note', { text: 'before' });
      const paid = await callTool('unruly_hold', { text: 'pay' });
      return { answer: JSON.stringify(paid), confidence: 1 };
    },
  },
});`;

beforeAll(async () => {
  stage = new UnrulyStage();
  await stage.declare({ unruly: { agents: ['payer'] } }).approve();
  live = await LiveSystem.start({}, { services: LOCAL_SERVICES.filter(({ name }) => !name.startsWith('worker-')) });
});
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await live.stop();
  stage.remove();
});

function startWorker(): ChildProcess {
  const env = { ...process.env, NATS_URL: live.natsUrl, LOG_LEVEL: 'warn', CADRE_MCP_SERVERS: stage.file };
  const worker = spawn(process.execPath, ['--input-type=module', '-e', WORKER], { cwd: installationRoot, env, stdio: 'ignore' });
  workers.push(worker);
  return worker;
}

test('the effect happens once, and who says so is on record', async () => {
  const { client } = live;
  const plan = { tasks: [{ id: 'pay', title: 'Pay', instructions: 'Pay.', agent: 'payer' }] };
  const worker = startWorker();
  const { runId } = await client.startRun({ goal: 'Pay', plan, options: { summarize: false } });
  const texts = () => stage.effects().map((line) => line.split(' ')[1]);
  await live.until('the call is on its way', async () => (texts().includes('pay') ? true : undefined));
  worker.kill('SIGKILL');
  startWorker();
  const question = await live.until('a person is asked', async () => (await client.questions(runId))[0]);
  expect(question).toMatchObject({ taskId: 'pay' });
  expect(JSON.stringify(question)).toContain('unruly_hold');
  stage.put('go');
  await sleep(500);
  const terminal = recordedTerminal({ env: { CADRE_URL: live.system.url } });
  expect(await runProgram(['answer', runId, question.questionId, 'done', '--result', '{"text":"paid by hand"}'], terminal)).toBe(0);
  const run = await live.ended(runId);
  expect(run.tasks.find(({ taskId }) => taskId === 'pay')).toMatchObject({
    status: 'completed',
    answer: { text: '{"text":"paid by hand"}' },
  });
  // What was before is taken from the record, and what was in doubt is not made again.
  expect(texts()).toEqual(['before', 'pay']);
  const { workers: views } = await client.definedAgents.list();
  expect(views.flatMap(({ mcp = [] }) => mcp)).toContainEqual(expect.objectContaining({ server: 'unruly', tools: 13 }));
  expect(await live.violations([{ runId }])).toEqual([]);
});
