/** The whole system, as a user runs it: the built services, real data, and the promise kept when a worker is killed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { DataProfile, makeRunId } from '@cadre/contracts';
import type { RunView } from '@cadre/contracts';
import { installationRoot } from '@cadre/local-system';
import { LiveSystem } from '@cadre/local-system/testing';
import { connect } from '@nats-io/transport-node';
import { z } from 'zod';
import { DEMO_GOAL } from './commands/demo-command.js';
import { runProgram } from './program.js';
import { recordedTerminal } from './testing/recorded-terminal.js';

/** A whole system on a machine that may be slow. */
jest.setTimeout(300_000);

const dataFile = (name: string): string => readFileSync(join(installationRoot, 'node_modules/vega-datasets/data', name), 'utf8');

type Row = Record<string, unknown>;

/** Plain CSV without quotes, which is what the weather file is. */
function plainCsv(text: string): Row[] {
  const [head = '', ...lines] = text.trim().split(/\r?\n/);
  const names = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i], cell])));
}

/** Figures of one column, computed here and nowhere else. */
function figuresOf(rows: Row[], column: string) {
  const values = rows
    .map((row) => row[column])
    .filter((value) => value !== null && value !== '')
    .map(Number);
  return {
    nulls: rows.length - values.length,
    min: Math.min(...values),
    max: Math.max(...values),
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
  };
}

const ProfileFile = z.object({ profiles: z.array(DataProfile) });

/** The profile, the report and the generated code all agree with the figures computed from the file itself. */
async function expectRealFigures(live: LiveSystem, run: RunView, rows: Row[], measures: string[]): Promise<void> {
  const { profiles } = ProfileFile.parse(JSON.parse(await live.artifact(run.runId, 'data/profile.json')));
  const report = await live.artifact(run.runId, 'report.md');
  expect(profiles[0]!.rows).toBe(rows.length);
  expect(report.replace(/,/g, '')).toContain(String(rows.length));
  for (const measure of measures) {
    const expected = figuresOf(rows, measure);
    const column = profiles[0]!.columns.find(({ name }) => name === measure)!;
    expect({ nulls: column.nulls, min: column.min, max: column.max }).toEqual({
      nulls: expected.nulls,
      min: expected.min,
      max: expected.max,
    });
    expect(column.mean).toBeCloseTo(expected.mean, 6);
    // The report's table of figures: name, values, minimum, quartile, median, mean, …, rounded for people.
    const cells = report
      .split('\n')
      .find((line) => line.startsWith(`| ${measure} | ${rows.length - expected.nulls} |`))!
      .split(' | ');
    expect(Number(cells[2])).toBe(expected.min);
    expect(Math.abs(Number(cells[5]) - expected.mean)).toBeLessThanOrEqual(Math.max(0.0051, Math.abs(expected.mean) * 5e-5));
  }
}

/** The demo goal leaves the same kinds of artifacts whatever the data. */
function expectAllArtifacts(run: RunView): void {
  const names = run.artifacts.map(({ name }) => name);
  if (names.length === 0) throw new Error(JSON.stringify(run, null, 1));
  expect(names).toEqual(expect.arrayContaining(['report.md', 'data/profile.json', 'src/report.ts', 'docs/API.md', 'review.md']));
  expect(names.some((name) => /^charts\/.*\.svg$/.test(name))).toBe(true);
  expect(names.some((name) => /^test\/.*\.test\.ts$/.test(name))).toBe(true);
}

async function expectTestsPassed(live: LiveSystem, run: RunView): Promise<void> {
  const { calls } = await live.client.calls(run.runId);
  const testRuns = calls.filter(({ kind, name }) => kind === 'tool' && name === 'run_tests');
  expect(testRuns.length).toBeGreaterThan(0);
  expect(testRuns.every(({ ok }) => ok)).toBe(true);
  const tester = run.tasks.find(({ agent }) => agent === 'test-writer')!;
  const answer = 'text' in tester.answer! ? tester.answer.text : '';
  expect(answer).toMatch(/\b[1-9]\d* (tests? )?passed/);
  expect(answer).toMatch(/\b(0|no) (tests? )?failed/i);
}

describe('a system on this machine', () => {
  let live: LiveSystem;
  const submissions: { runId: string }[] = [];
  beforeAll(async () => {
    live = await LiveSystem.start();
  });
  afterAll(async () => {
    try {
      expect(await live.violations(submissions)).toEqual([]);
    } finally {
      await live.stop();
    }
  });

  test('the demo goal on the weather of Seattle', async () => {
    const text = dataFile('seattle-weather.csv');
    const { runId } = await live.client.startRun({ goal: DEMO_GOAL }, { files: [{ name: 'seattle-weather.csv', data: text }] });
    submissions.push({ runId });
    const run = await live.ended(runId);
    expect([run.status, run.partial]).toEqual(['completed', false]);
    expectAllArtifacts(run);
    await expectRealFigures(live, run, plainCsv(text), ['precipitation', 'temp_max', 'temp_min', 'wind']);
    await expectTestsPassed(live, run);
    expect(run.usage.modelCalls).toBeGreaterThan(6);
    expect(run.usage.costMicros).toBeGreaterThan(0);
    expect(await live.client.answer(runId)).toMatch(/no language model/i);
  });

  test('the same goal on a file of quite another shape; a worker that is killed in the middle of its task does not stop it', async () => {
    const text = dataFile('penguins.json');
    const goal = 'Analyze the penguin data, generate report code, write tests, and document the API';
    const servedBefore = await served(live);
    const { runId } = await live.client.startRun({ goal }, { files: [{ name: 'penguins.json', data: text }] });
    submissions.push({ runId });
    const victim = await live.until('a code-writer at work', async () => {
      const { tasks } = await live.client.getRun(runId);
      return tasks.find(({ status, agent, usage }) => status === 'running' && agent === 'code-writer' && usage.modelCalls > 0);
    });
    process.kill(live.system.pids()['worker-code-writer']!, 'SIGKILL');
    const run = await live.ended(runId);
    expect([run.status, run.partial]).toEqual(['completed', false]);
    expect(run.tasks.find(({ taskId }) => taskId === victim.taskId)!.attempt).toBe(victim.attempt + 1);
    await expectNoCallMadeTwice(live, runId, (await served(live)) - servedBefore);
    expectAllArtifacts(run);
    await expectRealFigures(live, run, JSON.parse(text) as Row[], [
      'Beak Length (mm)',
      'Beak Depth (mm)',
      'Flipper Length (mm)',
      'Body Mass (g)',
    ]);
    await expectTestsPassed(live, run);
  });

  test('a coordinator gives the parts of its task to others and puts them together', async () => {
    const text = dataFile('seattle-weather.csv');
    const instructions = 'Have this done:\n- Analyze the trend of the wind\n- Say what is in the file';
    const plan = { tasks: [{ id: 'report', title: 'Report', instructions, skills: ['coordination'] }] };
    const { runId } = await live.client.startRun(
      { goal: 'Report', plan, options: { summarize: false } },
      { files: [{ name: 'weather.csv', data: text }] },
    );
    submissions.push({ runId });
    const run = await live.ended(runId);
    expect(run.status).toBe('completed');
    expect(run.tasks.map(({ taskId, agent, attempt }) => [taskId, agent, attempt])).toEqual([
      ['report', 'coordinator', 2],
      ['report~0~part1', 'data-analyst', 1],
      ['report~0~part2', 'generalist', 1],
    ]);
    expect(await live.client.answer(runId)).toMatch(/2 of 2 parts done by others/);
  });

  test('a CloudEvent from a plain NATS client starts a run, once', async () => {
    const nats = await connect({ servers: live.natsUrl });
    const feed = nats.subscribe('cadre.ev.default.*');
    const event = { specversion: '1.0', id: 'e2e-1', source: '/shop', type: 'run.start', data: { goal: 'Say what you can do' } };
    nats.publish('cadre.in.default.run.start', JSON.stringify(event));
    nats.publish('cadre.in.default.run.start', JSON.stringify(event));
    let runId = '';
    for await (const message of feed) {
      const { type, subject } = message.json<{ type: string; subject: string }>();
      if (type !== 'cadre.RunStarted') continue;
      runId = subject;
      break;
    }
    submissions.push({ runId });
    expect((await live.ended(runId)).status).toBe('completed');
    const page = await live.client.listRuns({ limit: 100 });
    expect(page.runs.filter(({ goal }) => goal === 'Say what you can do')).toHaveLength(1);
    await nats.close();
  });

  test('events of a run can be resumed and have no gap', async () => {
    const { runId } = submissions[0]!;
    const all: string[] = [];
    for await (const { position } of live.client.events(runId)) all.push(position);
    expect(new Set(all).size).toBe(all.length);
    const rest: string[] = [];
    for await (const { position } of live.client.events(runId, { after: all[9]! })) rest.push(position);
    expect(rest).toEqual(all.slice(10));
  });

  test('a plan is seen before anything of it is done, and then run with a change', async () => {
    const files = [{ name: 'rain.csv', data: 'day,mm\n1,2\n2,5\n3,0\n' }];
    const { run, plan } = await live.client.preview({ goal: 'Analyze the rain data' }, { files });
    submissions.push(run);
    expect(run.tasks.filter(({ status }) => status !== 'skipped').map(({ taskId }) => taskId)).toEqual(['plan']);
    expect(run.usage.modelCalls).toBeGreaterThan(0);
    const tasks = plan.tasks.map((task) => ({ ...task, title: `Changed: ${task.title}` }));
    const { runId } = await live.client.startRun({ goal: run.goal, inputs: run.inputs, plan: { tasks } });
    submissions.push({ runId });
    const done = await live.ended(runId);
    expect([done.status, done.planSource]).toEqual(['completed', 'submitted']);
    expect(done.tasks.filter(({ title }) => title.startsWith('Changed: '))).toHaveLength(plan.tasks.length);
  });

  test('an agent that a plan makes is gone with its run, unless it is kept', async () => {
    const cadre = async (...args: string[]) => {
      const terminal = recordedTerminal({ env: { CADRE_URL: live.system.url } });
      return [await runProgram(['agents', ...args], terminal), [...terminal.stdout, ...terminal.stderr].join('\n')] as const;
    };
    const specialist = {
      ...{ name: 'tide-reader', description: 'Reads tables of tides.', skills: ['tides'], instructions: 'You read tables of tides.' },
      tools: ['list_files', 'read_file'],
    };
    const start = async (given: object) => {
      const plan = { tasks: [{ id: 'tides', title: 'Tides', instructions: 'When is high water?', ...given }] };
      const { runId } = await live.client.startRun({ goal: 'Tides', plan, options: { summarize: false } });
      submissions.push({ runId });
      return live.ended(runId);
    };
    const made = await start({ agent: 'generalist', specialist });
    expect(made).toMatchObject({ status: 'completed', tasks: [{ taskId: 'tides', agent: 'generalist' }] });
    expect(await cadre('list')).toEqual([0, expect.not.stringContaining('tide-reader')]);
    expect(await cadre('keep', made.runId, 'tide-reader')).toEqual([0, expect.stringContaining('tide-reader is kept')]);
    await live.until('a worker has it', async () => (await cadre('list'))[1].includes('tide-reader') || undefined);
    expect((await start({ skills: ['tides'] })).tasks).toMatchObject([{ status: 'completed', agent: 'tide-reader' }]);
  });

  test('three fields make a worker, which can be taken away again', async () => {
    const worker = { name: 'api-designer', description: 'Designs REST interfaces.', instructions: 'You are an expert of API design.' };
    expect(await live.client.addWorker(worker)).toMatchObject({
      version: 1,
      definition: { template: 'assistant', skills: ['api-designer'] },
    });
    const tasks = [{ id: 'design', title: 'Design', instructions: 'Which files are there?', skills: ['api-designer'] }];
    const run = await live.client.execute({ goal: 'Design', plan: { tasks }, options: { summarize: false } });
    submissions.push(run);
    expect(run.tasks).toMatchObject([{ status: 'completed', agent: 'api-designer' }]);
    expect(await live.client.removeWorker('api-designer')).toMatchObject({ name: 'api-designer' });
    expect((await live.client.definedAgents.get('api-designer')).definition).toBeUndefined();
  });

  test('what two runs have come to is made one answer of', async () => {
    const runs = submissions.slice(0, 2).map(({ runId }) => runId);
    const { runId } = await live.client.aggregate({ runs, combine: { by: 'summary' } });
    submissions.push({ runId });
    const run = await live.ended(runId);
    expect([run.status, run.partial]).toEqual(['completed', false]);
    expect(run.artifacts.map(({ name }) => name)).toEqual(expect.arrayContaining(runs.map((each) => `${each}/report.md`)));
    expect(run.tasks.find(({ taskId }) => taskId === 'aggregate')).toMatchObject({ agent: 'synthesizer', attempt: 1 });
  });

  test('a broken file is a clear failure of its task, not of the system', async () => {
    const { runId } = await live.client.startRun(
      { goal: 'Analyze the data' },
      { files: [{ name: 'broken.csv', data: new Uint8Array([0xff, 0xfe, 0x00, 0x01, 0x22, 0x0a, 0x80, 0x22]) }] },
    );
    submissions.push({ runId });
    const run = await live.ended(runId);
    expect(['completed', 'failed']).toContain(run.status);
    expect(JSON.stringify(run)).toMatch(/broken\.csv/);
  });

  test.each([
    ['an empty goal', { goal: ' ' }, [400, 422], /goal/],
    ['an unknown field', { goal: 'x', gaol: 1 }, [400, 422], /gaol/],
    ['a cyclic plan', { goal: 'x', plan: { tasks: [task('a', ['b']), task('b', ['a'])] } }, [400, 422], /a → b → a|b → a → b/],
    ['a self dependency', { goal: 'x', plan: { tasks: [task('a', ['a'])] } }, [400, 422], /a/],
    ['an unknown dependency', { goal: 'x', plan: { tasks: [task('a', ['zz'])] } }, [400, 422], /zz/],
    ['a goal of one megabyte', { goal: 'x'.repeat(1_000_000) }, [400, 413, 422], /goal|large|bytes/],
  ])('%s is refused with what to change', async (_what, body, statuses, message) => {
    const response = await post(live, JSON.stringify(body), 'application/json');
    expect(statuses).toContain(response.status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.text()).toMatch(message);
  });

  test('a wrong content type, malformed JSON and an oversized upload are refused', async () => {
    expect((await post(live, 'goal=x', 'text/csv')).status).toBe(415);
    expect((await post(live, '{"goal":', 'application/json')).status).toBe(400);
    const form = new FormData();
    form.set('request', JSON.stringify({ goal: 'x' }));
    form.append('input', new Blob([new Uint8Array(70 * 1024 * 1024)]), 'big.csv');
    const response = await fetch(`${live.system.url}/v1/runs`, { method: 'POST', body: form });
    expect(response.status).toBe(413);
    expect(await response.text()).toMatch(/MiB/);
  });

  test('a malformed CloudEvent is set aside, and the next one still works', async () => {
    const nats = await connect({ servers: live.natsUrl });
    for (const bad of [
      'not json',
      '{}',
      JSON.stringify({ specversion: '1.0', id: 'x', source: '/s', type: 'run.start', data: { goal: '' } }),
    ]) {
      nats.publish('cadre.in.default.run.start', bad);
    }
    nats.publish(
      'cadre.in.default.run.start',
      JSON.stringify({ specversion: '1.0', id: 'good', source: '/s', type: 'run.start', data: { goal: 'After the bad ones' } }),
    );
    await nats.flush();
    const found = await live.until('the good one', async () =>
      (await live.client.listRuns({ limit: 100 })).runs.find(({ goal }) => goal === 'After the bad ones'),
    );
    submissions.push({ runId: found.runId });
    await live.ended(found.runId);
    await nats.close();
  });

  test('a discovery broadcast reaches the subscriber whose filter lets it through, and a request its reply', async () => {
    const { channels } = live.client;
    const cadre = (...args: string[]) => {
      const terminal = recordedTerminal({ env: { CADRE_URL: live.system.url } });
      return { terminal, ended: runProgram(['channels', ...args], terminal) };
    };
    const members = ['--member', 'researcher=send', '--member', '*=receive'];
    expect(await cadre('create', 'discoveries', '--kind', 'broadcast', ...members).ended).toBe(0);
    const [manager, auditor] = [
      cadre(
        'listen',
        'discoveries',
        '--as',
        'portfolio-manager',
        '--types',
        'discovery,risk_alert',
        '--where',
        'message.data.impact == "high"',
        '-o',
        'json',
      ),
      cadre('listen', 'discoveries', '--as', 'auditor', '--types', 'risk_alert', '-o', 'json'),
    ];
    const metrics = async () => (await fetch(`${live.system.url}/metrics`)).text();
    await live.until('both listen', async () => /cadre_event_streams\S* 2$/m.test(await metrics()) || undefined);
    const data = { finding: 'New market opportunity identified', confidence: 0.9, impact: 'high' };
    const send = (from: string) => cadre('send', 'discoveries', 'discovery', '--from', from, '--data', JSON.stringify(data)).ended;
    expect([await send('researcher'), await send('eve')]).toEqual([0, 2]);
    await live.until('the manager has heard of it', async () => manager.terminal.stdout[0]);
    expect(await cadre('remove', 'discoveries').ended).toBe(0);
    expect(await Promise.all([manager.ended, auditor.ended])).toEqual([0, 0]);
    expect(manager.terminal.stdout.map((line) => JSON.parse(line))).toMatchObject([{ message: { from: 'researcher', data } }]);
    expect(auditor.terminal.stdout).toEqual([]);

    await channels.put({ name: 'desk', kind: 'direct', durable: true });
    const asked = cadre('request', 'desk', 'question', '--to', 'clerk', '--data', '"what?"', '--timeout', '30s');
    for await (const { message } of channels.listen('desk', { as: 'clerk', after: 0 })) {
      await channels.send('desk', { type: 'answer', from: 'clerk', to: [message.from], correlationId: message.id, data: 'that' });
      break;
    }
    expect([await asked.ended, asked.terminal.stdout]).toEqual([0, ['that']]);
    expect(await cadre('request', 'desk', 'question', '--to', 'nobody', '--timeout', '50ms').ended).toBe(1);
    expect((await channels.page('desk', { as: 'clerk' })).messages).toHaveLength(1);
    const list = cadre('list');
    await list.ended;
    expect(list.terminal.stdout.join('\n')).toMatch(/desk +direct +yes +\* \(send, receive\)/);
    await channels.remove('desk');
  });

  test('an unknown run is not found', async () => {
    const response = await fetch(`${live.system.url}/v1/runs/${makeRunId(0, '00000000-0000-7000-8000-000000000000')}`);
    expect(response.status).toBe(404);
  });

  test('a cancelled run ends at once', async () => {
    const { runId } = await live.client.startRun(
      { goal: 'Analyze this' },
      { files: [{ name: 'w.csv', data: dataFile('seattle-weather.csv') }] },
    );
    submissions.push({ runId });
    await live.client.cancelRun(runId, 'changed my mind');
    expect((await live.ended(runId, 30_000)).status).toBe('cancelled');
  });
});

/** Calls that the model server has answered so far. */
async function served(live: LiveSystem): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${live.ports['model-sim']}/metrics`)).text();
  const counts = [...metrics.matchAll(/^cadre_model_sim_completions_total\{[^}]*\} (\S+)$/gm)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** But for the one that was on its way when the worker died: nobody knows how it ended, so it is billed at its reservation. */
async function expectNoCallMadeTwice(live: LiveSystem, runId: string, answered: number): Promise<void> {
  const { calls } = await live.client.calls(runId);
  const done = calls.filter(({ outcome }) => outcome === 'done');
  expect(new Set(done.map(({ key }) => key)).size).toBe(done.length);
  expect(calls.length - done.length).toBeLessThanOrEqual(1);
  const recorded = done.filter(({ kind }) => kind === 'model').length;
  expect(recorded).toBeGreaterThan(10);
  expect([recorded, recorded + 1]).toContain(answered);
}

function task(id: string, dependsOn: string[]) {
  return { id, title: id, instructions: 'do it', dependsOn };
}

function post(live: LiveSystem, body: string, type: string): Promise<Response> {
  return fetch(`${live.system.url}/v1/runs`, { method: 'POST', body, headers: { 'content-type': type } });
}
