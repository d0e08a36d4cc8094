/** Whole runs on a real llama-server with a scripted model. Where its package cannot be had, these tests are skipped. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { installationRoot } from '@cadre/local-system';
import { LiveSystem } from '@cadre/local-system/testing';
import { DEMO_SCRIPT, WEATHER } from './llama/demo-script.js';
import { findLlamaServer } from './llama/llama-package.js';
import { LlamaServer } from './llama/llama-server.js';

jest.setTimeout(180_000);

const program = await findLlamaServer();
if ('missing' in program) console.warn(`Tests with a real llama-server are skipped: ${program.missing}`);
const onLlama = 'missing' in program ? describe.skip : describe;

const GOAL = 'Analyze the weather data, generate report code, write tests, and document the API';
const FILES = [{ name: WEATHER, data: new Blob([readFileSync(join(installationRoot, 'node_modules/vega-datasets/data', WEATHER))]) }];
const OPTIONS = { parallel: 4, window: 65_536 };

onLlama('on llama-server', () => {
  let llama: LlamaServer;
  let live: LiveSystem;
  const submissions: { runId: string }[] = [];

  beforeAll(async () => {
    if ('missing' in program) return;
    llama = await LlamaServer.start(program, DEMO_SCRIPT, OPTIONS);
    live = await LiveSystem.start({
      OPENAI_BASE_URL: llama.baseUrl,
      OPENAI_API_KEY: 'none',
      CADRE_MODEL: 'scripted',
      CADRE_RESPONSE_FORMAT: 'none',
    });
  });
  afterAll(async () => {
    try {
      if (live) expect(await live.violations(submissions)).toEqual([]);
    } finally {
      await live?.stop();
      await llama?.stop();
    }
  });

  const start = async (request: Parameters<LiveSystem['client']['startRun']>[0]): Promise<string> => {
    const { runId } = await live.client.startRun(request, { files: FILES });
    submissions.push({ runId });
    return runId;
  };
  const toolsOf = async (runId: string): Promise<Record<string, string[]>> => {
    const { calls } = await live.client.calls(runId);
    const byTask: Record<string, string[]> = {};
    for (const { kind, name, ok, taskId } of calls) if (kind === 'tool') (byTask[taskId] ??= []).push(ok ? name : `${name} failed`);
    return byTask;
  };

  test("the demo's goal ends with the tools called, and every figure from them", async () => {
    const runId = await start({ goal: GOAL });
    const run = await live.ended(runId);
    if (run.status !== 'completed')
      console.log(
        JSON.stringify(
          (await live.client.calls(runId)).calls.map((c) => [c.taskId, c.name, c.outcome, c.note]),
          null,
          1,
        ),
      );
    expect([run.status, run.error?.message, run.partial ?? false]).toEqual(['completed', undefined, false]);
    expect(await toolsOf(runId)).toEqual({
      analyse: ['profile_data', 'query_data', 'write_file'],
      code: ['write_file', 'check_types'],
      test: ['write_file', 'run_tests'],
      docs: ['describe_api', 'write_file'],
      review: ['static_checks'],
    });
    expect(run.answer && 'text' in run.answer && run.answer.text).toContain('1461 days with 4426.2 mm of rain');
    expect(run.artifacts.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['report.md', 'src/report.ts', 'src/report.test.ts', 'docs/API.md']),
    );
  });

  test('a run goes on when the server is started again in the middle of it, and makes no call twice', async () => {
    const tasks = [{ id: 'analyse', title: 'Analyse', instructions: 'Analyse the weather.', agent: 'data-analyst' }];
    const runId = await start({ goal: 'Analyse the weather', plan: { tasks }, options: { summarize: false } });
    await live.until('a tool is called', async () => ((await toolsOf(runId))['analyse']?.length ?? 0) > 0 || undefined);
    const { port } = llama;
    await llama.stop();
    await sleep(3000);
    if (!('missing' in program)) llama = await LlamaServer.start(program, DEMO_SCRIPT, { ...OPTIONS, port });
    const run = await live.ended(runId);
    expect([run.status, run.error?.message]).toEqual(['completed', undefined]);
    expect((await toolsOf(runId))['analyse']).toEqual(['profile_data', 'query_data', 'write_file']);
  });
});
