/** Whole runs on a real llama-server with a scripted model. Where its package cannot be had, these tests are skipped. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { installationRoot } from '@cadre/local-system';
import { LiveSystem } from '@cadre/local-system/testing';
import { called, completed, leaves, nothingInvented, states, testsPass, typesHold } from './evaluation/checks.js';
import { RecordingProxy } from './evaluation/recording-proxy.js';
import { runTasks } from './evaluation/run-tasks.js';
import type { EvalTask } from './evaluation/tasks.js';
import { DEMO_SCRIPT, WEATHER } from './llama/demo-script.js';
import { findLlamaServer } from './llama/llama-package.js';
import { LlamaServer } from './llama/llama-server.js';

jest.setTimeout(180_000);

const program = await findLlamaServer();
if ('missing' in program) console.warn(`Tests with a real llama-server are skipped: ${program.missing}`);
const onLlama = 'missing' in program ? describe.skip : describe;

const WEATHER_FILE = { name: WEATHER, data: readFileSync(join(installationRoot, 'node_modules/vega-datasets/data', WEATHER), 'utf8') };
const DEMO: EvalTask = {
  ...{ id: 'demo', agent: 'planner', files: [WEATHER_FILE] },
  request: { goal: 'Analyze the weather data, generate report code, write tests, and document the API' },
  checks: {
    completed,
    'rows right': states('the number of rows', 1461),
    'rain right': states('the rain', 4426),
    'data profiled': called('profile_data'),
    'types hold': typesHold,
    'tests pass': testsPass,
    'report there': leaves(/^report\.md$/),
    'code there': leaves(/^src\/report\.ts$/, /countRows/),
    'documents there': leaves(/^docs\/API\.md$/, /countRows/),
    'nothing invented': nothingInvented,
  },
};
const OPTIONS = { parallel: 4, window: 65_536 };

onLlama('on llama-server', () => {
  let llama: LlamaServer;
  let proxy: RecordingProxy;
  let live: LiveSystem;
  const submissions: { runId: string }[] = [];

  beforeAll(async () => {
    if ('missing' in program) return;
    llama = await LlamaServer.start(program, DEMO_SCRIPT, OPTIONS);
    proxy = await RecordingProxy.start(() => new URL(llama.baseUrl));
    live = await LiveSystem.start({
      OPENAI_BASE_URL: proxy.baseUrl,
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
      await proxy?.stop();
      await llama?.stop();
    }
  });

  const toolsOf = async (runId: string): Promise<Record<string, string[]>> => {
    const { calls } = await live.client.calls(runId);
    const byTask: Record<string, string[]> = {};
    for (const { kind, name, ok, taskId } of calls) if (kind === 'tool') (byTask[taskId] ??= []).push(ok ? name : `${name} failed`);
    return byTask;
  };

  test("the demo's goal passes its evaluation: the tools called, and every figure from them", async () => {
    const [verdict] = await runTasks(live.client, proxy, [DEMO], { width: 1 });
    expect(verdict?.faults).toEqual({});
    const { runId } = verdict!;
    submissions.push({ runId });
    expect(await toolsOf(runId)).toEqual({
      analyse: ['profile_data', 'query_data', 'write_file'],
      code: ['write_file', 'check_types'],
      test: ['write_file', 'run_tests'],
      docs: ['describe_api', 'write_file'],
      review: ['static_checks'],
    });
    const run = await live.client.getRun(runId);
    expect([run.partial ?? false, run.missing ?? []]).toEqual([false, []]);
  });

  test('a run goes on when the server is started again in the middle of it, and makes no call twice', async () => {
    const tasks = [{ id: 'analyse', title: 'Analyse', instructions: 'Analyse the weather.', agent: 'data-analyst' }];
    const request = { goal: 'Analyse the weather', plan: { tasks }, options: { summarize: false } };
    const { runId } = await live.client.startRun(request, { files: [WEATHER_FILE] });
    submissions.push({ runId });
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
