/** Each example, run as its page says, on a system of its own; and again while processes are killed in the middle of it. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import type { ContextGrants, Json, RunView } from '@cadre/contracts';
import { installationRoot, LOCAL_SERVICES } from '@cadre/local-system';
import { LiveSystem } from '@cadre/local-system/testing';
import type { ChannelInput, DefinedAgentInput, RunRequestInput } from '@cadre/sdk';
import { runProgram } from './program.js';
import { recordedTerminal } from './testing/recorded-terminal.js';

/** A whole system on a machine that may be slow. */
jest.setTimeout(300_000);

const FOLDER = join(installationRoot, 'examples');
const NAMES = readdirSync(FOLDER, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

const NOTES = [
  'The sea is eleven kilometres deep at its deepest place.',
  "Most of the ocean's floor has never been looked at.",
  'Sound goes four times faster in water than in air.',
  'Below a kilometre there is no light from the sun.',
];

/** What the tasks of an example come to. */
const EXPECTED: Record<string, Record<string, unknown>> = {
  '01-sequence': { count: { words: 9 }, double: 18 },
  '02-parallel': { texts: { short: { words: 2 }, long: { words: 4 } } },
  '03-pipeline': { line: [{ words: 2 }, { words: 3 }, { words: 2 }] },
  '04-map-reduce': { map: [{ words: 3 }, { words: 2 }, { words: 1 }, { words: 4 }], reduce: 10 },
  '05-consensus': { vote: expect.objectContaining({ choice: 'yes', votes: 3, dissent: [expect.objectContaining({ choice: 'no' })] }) },
  '06-auction': {
    bids: ['bob', 'cid', 'ann'].map((agent) => expect.objectContaining({ agent })),
    job: 'done by cid',
  },
  '07-swarm': { search: { guess: 41, distance: 1 } },
  '08-events': { paid: expect.objectContaining({ type: 'order.paid' }), count: { words: 3 } },
  '09-research': {
    market: 'found out about the market',
    competitors: 'found out about the competitors',
    strategy: 'a strategy from 2 findings',
    review: 'reviewed: a strategy from 2 findings',
  },
  '10-stages': { line: ['one: 2 words, short', 'red: 4 words, long'] },
  '11-panel': {
    opinion: expect.objectContaining({
      ...{ choice: 'yes', share: 0.625, votes: 4, voters: 5 },
      dissent: [expect.objectContaining({ choice: 'no', weight: 0.9 })],
    }),
  },
  '12-deliberation': { debate: expect.objectContaining({ choice: 'tea', share: 1, dissent: [] }) },
  '13-batch': { map: Array.from({ length: 1000 }, (_, n) => (n + 1) ** 2), sum: 333_833_500 },
  '14-context': { improve: { text: 'The sea is deep. It is blue, too.' }, count: { words: 8 } },
  '15-messages': { listen: ['New market opportunity identified'], announce: 'announced', audit: [] },
  '16-custom-reducer': { estimate: { estimate: 14, from: 2 } },
  '17-consultation': { estimates: Array.from({ length: 12 }, (_, n) => ({ ms: 300 * ((n % 3) + 1) })), square: 144 },
  '18-hierarchy': { squares: 91 },
  '19-agents-at-run-time': { 'by-name': 'Hello, Ann!', 'by-skill': 'Hello, Bob!', 'handed-on': 'Hello, Cid!' },
  '20-memory': {
    one: { noted: NOTES[0], before: [] },
    two: { noted: NOTES[1], before: [NOTES[0]] },
    three: { noted: NOTES[2], before: [NOTES[0], NOTES[1]] },
    four: { noted: NOTES[3], before: [`${NOTES[0]} ${NOTES[1]}`, NOTES[2]] },
    history: { summary: true, messages: 4 },
  },
  '21-batching': {
    words: ['Meer', 'Sonne', 'Himmel', 'Sand', 'Wind', 'Welle', 'Stern', 'Schiff', 'Meer', 'Wind', 'Sonne'],
    letters: 52,
  },
  '22-result-schema': { count: { words: 4 }, kind: 'long', report: 'It is long' },
  '23-mcp-tools': { read: 'The sea is deep.', count: { words: 4 } },
  '24-under-load': { first: 'All of spring', second: 'The gist of summer', third: 'All of autumn' },
};

interface Example extends Pick<RunRequestInput, 'plan' | 'params'> {
  before?: Pick<RunRequestInput, 'plan' | 'params'>;
  grants?: Record<string, ContextGrants['rules']>;
  channels?: ChannelInput[];
  agents?: Record<string, DefinedAgentInput>;
  removed?: Record<string, string>;
}

let live: LiveSystem;
let team: ChildProcess;
const submissions = new Map<string, string>();

beforeAll(async () => {
  const services = LOCAL_SERVICES.filter(({ name }) => !name.startsWith('worker-'));
  live = await LiveSystem.start({}, { services });
});
afterAll(async () => {
  team?.kill();
  await live.stop();
});

// Each example starts two processes that load the same modules; they are compiled once.
const NODE_COMPILE_CACHE = join(installationRoot, '.cache/compile');
const env = () => ({
  ...{ ...process.env, NODE_COMPILE_CACHE, CADRE_URL: live.system.url, NATS_URL: live.natsUrl, LOG_LEVEL: 'warn' },
  OPENAI_BASE_URL: `http://127.0.0.1:${live.ports['model-sim']}/v1`,
  CADRE_MCP_SERVERS: join(FOLDER, '23-mcp-tools/mcp.yaml'),
});

test('each folder has something that it comes to', () => expect(Object.keys(EXPECTED)).toEqual(NAMES));

test.each(NAMES)('%s, as its page says', async (name) => {
  const page = readFileSync(join(FOLDER, name, 'README.md'), 'utf8');
  const [, command = ''] = /```sh\n(.*)\n```/.exec(page) ?? [];
  const [program = '', ...args] = command.split(' ');
  expect(program).toBe('node');
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: installationRoot, env: env() });
  const lines = stdout.trim().split('\n');
  expect(lines.at(-1)).toBe('The run is completed.');
  const results = lines.slice(0, -1).map((line) => [line.slice(0, line.indexOf(':')), JSON.parse(line.slice(line.indexOf(':') + 2))]);
  expect(Object.fromEntries(results)).toEqual(EXPECTED[name]);
});

test('what the runs of 14-context have kept and read is there for the command line', async () => {
  const cadre = async (...args: string[]) => {
    const terminal = recordedTerminal({ env: { CADRE_URL: live.system.url } });
    return { code: await runProgram(['context', ...args], terminal), out: terminal.stdout.join('\n'), err: terminal.stderr.join('\n') };
  };
  expect((await cadre('get', 'notes/sea')).out).toBe('The sea is deep. It is blue, too.');
  const lineage = (await cadre('lineage', 'notes/sea')).out;
  expect(lineage).toMatch(
    /^notes\/sea@2 .* by improver \((r00-\S+) improve\)\n {2}from {3}notes\/sea@1\nnotes\/sea@1 .* by noter \(r00-\S+ note\)$/,
  );
  const [, runId = ''] = /improver \((\S+)/.exec(lineage) ?? [];
  expect((await cadre('lineage', runId)).out).toMatch(
    /count {2}Count the words · counter\n {2}from {3}improve\nimprove {2}Improve the note · improver\n {2}read {3}notes\/sea@1\n {2}wrote {2}notes\/sea@2\nRead from the context store\n {2}notes\/sea@1 .* by noter/,
  );
  expect(await cadre('put', 'notes/sea', '--text', 'No', '--expects', '1')).toMatchObject({
    code: 2,
    err: expect.stringContaining('at version 2 now'),
  });
  const { context } = live.client;
  await expect(context.put('notes/sea', 'No', { expects: 1 })).rejects.toMatchObject({ code: 'version-conflict', presentVersion: 2 });
  await context.put(
    'bytes',
    Uint8Array.from({ length: 20_000 }, (_, n) => n % 256),
  );
  expect((await context.get('bytes')).bytes.slice(253, 258)).toEqual(Uint8Array.from([253, 254, 255, 0, 1]));
  expect(await cadre('get', 'bytes')).toMatchObject({ code: 2, err: expect.stringContaining('--out FILE') });
  expect(await cadre('put', 'notes/sky', '--text', 'High', '--tag', 'new', '--ttl', '30d', '--keep', '2')).toMatchObject({ code: 0 });
  expect((await cadre('list', 'notes/', '--tag', 'new')).out).toMatch(/ARTIFACT .*\nnotes\/sky +1 +4 B .* user +new$/);
  expect((await cadre('grant', 'improver', 'delete', 'notes/')).err).toBe('improver may read, write, delete on notes/.');
  expect((await cadre('grants')).out).toMatch(/improver {2}notes\/ {2}read, write, delete/);
  expect((await cadre('revoke', 'improver', 'notes/')).err).toContain('improver may do nothing');
  expect(await cadre('delete', 'notes/sky')).toMatchObject({ code: 0, err: expect.stringContaining('newest version was 1') });
  expect(await cadre('get', 'notes/sky')).toMatchObject({ code: 2, err: expect.stringContaining('There is no notes/sky') });
});

test('what the diarist of 20-memory remembers is there for the command line, until it is made to forget', async () => {
  const { runs } = await live.client.listRuns({ limit: 100 });
  const { runId = '' } = runs.find(({ goal }) => goal === 'The example 20-memory') ?? {};
  const cadre = async (...args: string[]) => {
    const terminal = recordedTerminal({ env: { CADRE_URL: live.system.url } });
    return { code: await runProgram(['memory', ...args], terminal), out: terminal.stdout.join('\n'), err: terminal.stderr.join('\n') };
  };
  const { out } = await cadre('get', 'diarist', '--run', runId);
  expect(out).toMatch(/^diarist: about \d+ tokens, 4 messages, 4 older ones summed up\nShared with historian\n/);
  expect(out).toContain(`Summary\n  ${NOTES[0]} ${NOTES[1]}\n`);
  expect(out).toContain(` four\n  Asked: Note: ${NOTES[3]}\n  Answered: {"noted":`);
  expect(await cadre('get', 'diarist')).toMatchObject({ code: 2, err: expect.stringContaining('has no memory of all runs') });
  expect(await cadre('clear', 'diarist', '--run', runId)).toMatchObject({ code: 0, err: 'diarist has forgotten 8 messages.' });
  await expect(live.client.memory.get('diarist', runId)).rejects.toMatchObject({ code: 'not-found' });
  // The summary is a call like any other, and so are reading and adding.
  const { calls } = await live.client.calls(runId);
  expect(calls.filter(({ kind }) => kind === 'model')).toHaveLength(7);
  expect(calls.filter(({ name }) => name === 'agent_memory')).toHaveLength(8);
});

test('what 24-under-load has given up stands with the task', async () => {
  const { runs } = await live.client.listRuns({ limit: 100 });
  const { runId = '' } = runs.find(({ goal }) => goal === 'The example 24-under-load') ?? {};
  const [first, second, third] = (await live.client.getRun(runId)).tasks;
  expect(second).toMatchObject({ agent: 'brief', insteadOf: 'thorough' });
  expect(second?.queuedMs).toBeGreaterThanOrEqual(500);
  expect(second?.queuedMs).toBeLessThan(2500);
  for (const other of [first, third]) expect([other?.agent, other?.insteadOf, other?.queuedMs]).toEqual(['thorough', undefined, undefined]);
});

test('an unknown example is named, with those that there are', async () => {
  const failed = await promisify(execFile)(process.execPath, ['examples/run.mjs', 'nothing'], { cwd: installationRoot }).catch(
    (error: { stderr: string }) => error,
  );
  expect(failed.stderr).toContain('NAME is one of 01-sequence, 02-parallel');
});

describe('while processes die', () => {
  const startTeam = () => spawn(process.execPath, [join(FOLDER, 'team.mjs')], { env: env(), stdio: 'ignore' });
  const answers = (run: RunView) =>
    Object.fromEntries(
      run.tasks
        .filter(({ taskId }) => taskId in EXPECTED[nameOf(run)]!)
        .map(({ taskId, answer }) => [taskId, answer && 'text' in answer ? JSON.parse(answer.text) : answer]),
    );
  const nameOf = (run: RunView) => run.goal;
  /** As soon as the team is heard. */
  const define = async (agent: string, definition: DefinedAgentInput) => {
    await live.until('the template is offered', async () => {
      const { templates } = await live.client.definedAgents.list();
      return templates.find(({ name }) => name === definition.template);
    });
    return live.client.definedAgents.define(agent, definition);
  };

  beforeAll(() => void (team = startTeam()));

  test('every example comes to the same', async () => {
    const { client } = live;
    for (const name of NAMES) {
      const {
        plan,
        params,
        before,
        grants = {},
        channels = [],
        agents = {},
        removed = {},
      } = JSON.parse(readFileSync(join(FOLDER, name, 'example.json'), 'utf8')) as Example;
      for (const channel of channels) await client.channels.put(channel);
      for (const [agent, rules] of Object.entries(grants)) await client.context.setGrants(agent, rules);
      for (const [agent, definition] of Object.entries(agents)) await define(agent, definition);
      for (const [agent, handTo] of Object.entries(removed)) await client.definedAgents.remove(agent, { handTo });
      if (before) await live.ended((await client.startRun({ ...before, goal: 'before', options: { summarize: false } })).runId);
      const { runId } = await client.startRun({ goal: name, plan, options: { summarize: false }, ...(params && { params }) });
      submissions.set(name, runId);
    }
    for (const service of ['orchestrator', 'scheduler', 'orchestrator']) {
      process.kill(live.system.pids()[service]!, 'SIGKILL');
      await live.until(`${service} is back`, async () => live.system.pids()[service]);
    }
    team.kill('SIGKILL');
    team = startTeam();
    const { event } = JSON.parse(readFileSync(join(FOLDER, '08-events', 'example.json'), 'utf8')) as { event: { type: string } };
    const waiting = submissions.get('08-events')!;
    await live.until('a task waits for the event', async () =>
      (await client.getRun(waiting)).tasks.find(({ taskId, status }) => taskId === 'paid' && status === 'open'),
    );
    // Not the one that it waits for.
    await client.sendEvent({ type: 'order.paid', data: { amount: 1 } });
    await client.sendEvent(event);
    for (const runId of submissions.values()) {
      const run = await live.ended(runId);
      expect([nameOf(run), run.status, answers(run)]).toEqual([nameOf(run), 'completed', EXPECTED[nameOf(run)]]);
    }
    expect(await live.violations([])).toEqual([]);
  });

  test('an agent is changed and removed while it is at work, and others go on with what it leaves', async () => {
    const { client } = live;
    const phrase = (instructions: string, skill: string) => ({
      template: 'phrases',
      description: 'Says it.',
      skills: [skill],
      instructions,
    });
    const start = async (about: { agent: string } | { skills: string[] }, input: Record<string, Json>) => {
      const plan = { tasks: [{ id: 'say', title: 'Say it', instructions: 'Say it.', ...about, input }] };
      return (await client.startRun({ goal: 'Say it', plan, options: { summarize: false } })).runId;
    };
    const said = async (runId: string) =>
      (await live.ended(runId)).tasks.map(({ agent, answer }) => [agent, answer && 'text' in answer && answer.text]);
    const at = (runId: string, status: string) =>
      live.until(`the task is ${status}`, async () => (await client.getRun(runId)).tasks.find((task) => task.status === status));
    expect(await define('first', phrase('One *', 'counting'))).toMatchObject({ version: 1 });
    const busy = await start({ agent: 'first' }, { text: 'a', takesMs: { first: 60_000 } });
    await at(busy, 'running');
    // A change is for what comes; what has begun goes on as it was.
    expect(await define('first', phrase('Two *', 'counting'))).toMatchObject({ version: 2 });
    expect(await said(await start({ skills: ['counting'] }, { text: 'b' }))).toEqual([['first', '"Two b"']]);
    expect((await client.getRun(busy)).tasks).toMatchObject([{ status: 'running', attempt: 1, agent: 'first' }]);
    await define('second', phrase('Three *', 'counting'));
    await define('lone', phrase('Four *', 'loneliness'));
    await client.definedAgents.remove('first', { handTo: 'second' });
    expect(await said(busy)).toEqual([['second', '"Three a"']]);
    expect(await said(await start({ skills: ['counting'] }, { text: 'c' }))).toEqual([['second', '"Three c"']]);
    // Without anybody to hand on to, tasks that ask for it by name wait until it is said who that is.
    await client.definedAgents.remove('lone');
    const waiting = await start({ agent: 'lone' }, { text: 'd' });
    await at(waiting, 'ready');
    expect(await client.definedAgents.remove('lone', { handTo: 'first' }).catch((error: { code: string }) => error.code)).toBe(
      'unprocessable',
    );
    await client.definedAgents.remove('lone', { handTo: 'second' });
    expect(await said(waiting)).toEqual([['second', '"Three d"']]);
    const terminal = recordedTerminal({ env: { CADRE_URL: live.system.url } });
    expect(await runProgram(['agents', 'list'], terminal)).toBe(0);
    expect(terminal.stdout.join('\n')).toMatch(/second .* counting +\S+/);
    expect(terminal.stderr.join(' ')).toMatch(/Removed: first \(second does its work\), lone \(second .*Templates .*: phrases/);
    expect(await live.violations([])).toEqual([]);
  });

  test('what runs have come to is put together, by the engine and by an agent', async () => {
    const { client } = live;
    const add = (numbers: number[]) => ({
      goal: `Add ${numbers.join(' and ')}`,
      plan: { tasks: [{ id: 'add', title: 'Add', instructions: 'Add.', agent: 'adder', input: { numbers } }] },
      options: { summarize: false },
    });
    const outcomes = await client.executeParallel([add([1, 2]), add([2, 3]), add([4, 8])]);
    const runs = outcomes.flatMap((each) => (each.ok ? [each.run.runId] : []));
    const aggregated = async (request: Omit<Parameters<typeof client.aggregate>[0], 'runs'>) => {
      const { answer, partial } = await client.waitForEnd((await client.aggregate({ runs, ...request })).runId);
      return [JSON.parse(answer && 'text' in answer ? answer.text : ''), partial];
    };
    expect(await aggregated({ combine: { by: 'list' } })).toEqual([[3, 5, 12], false]);
    expect(await aggregated({ combine: { by: 'list' }, gate: { where: 'value < 10.0' } })).toEqual([[3, 5], true]);
    const blended = await aggregated({ combine: { by: 'custom', agent: 'blender' }, gate: { where: 'value < 10.0' } });
    expect(blended).toEqual([{ estimate: 4, from: 2 }, true]);
    expect(await live.violations([])).toEqual([]);
  });
});
