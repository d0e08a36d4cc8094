/**
 * Attempts that one worker begins and another ends, and results that stand for later ones; the engine's own rules decide what is on record.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { BUCKETS, Command, CommandBatch } from '@cadre/contracts';
import type { TaskResult, TaskSpecInput } from '@cadre/contracts';
import { EngineRig, RUN_ID } from '@cadre/engine/testing';
import { startNatsServer } from '@cadre/nats-server';
import { z } from 'zod';
import { until, WorkerStage } from './testing/index.js';
import type { ChatReply } from './testing/index.js';

let stage: WorkerStage;
let rig: EngineRig;

beforeAll(async () => {
  stage = await WorkerStage.open(await startNatsServer({ syncAlways: false }));
}, 60_000);
afterAll(() => stage?.close());
beforeEach(() => {
  rig = new EngineRig();
  stage.begin((request) => ({ replies: CommandBatch.parse(request).commands.map(answer) }));
});
afterEach(async () => {
  await stage.end();
  expect(rig.violations()).toEqual([]);
});

function answer(raw: unknown): unknown {
  const { id, runId, ...body } = Command.parse(raw);
  rig.now = Date.now();
  return { id, ...rig.send(body as Parameters<EngineRig['send']>[0], runId), events: undefined };
}

function begin(spec: Partial<TaskSpecInput> = {}): void {
  rig.now = Date.now();
  rig.start([{ id: 'a', title: 'A', instructions: 'Do it.', ...spec }], { summarize: false });
}

const status = () => rig.task('a').status;
const done = (answer: string): ChatReply => ({ text: JSON.stringify({ answer, confidence: 0.7 }) });

test('a worker that stops hands over what it has done: calls, and the files that they wrote', async () => {
  const turns: (() => ChatReply | Promise<ChatReply>)[] = [
    () => ({ calls: [{ name: 'write_file', args: { path: 'out/long.md', text: 'x'.repeat(5000) } }] }),
    () => ({
      calls: [
        { name: 'write_file', args: { path: 'b.md', text: 'B' } },
        { name: 'write_file', args: { path: 'b.md', text: 'BB' } },
      ],
    }),
    () => new Promise(() => undefined),
    () => ({ calls: [{ name: 'read_file', args: { path: 'b.md' } }] }),
    () => done('Done.'),
  ];
  let asked = 0;
  stage.model.chat = () => turns[asked++]!();
  begin();
  const first = await stage.worker({}, { SHUTDOWN_GRACE_MS: '100' });
  stage.offer(RUN_ID, ['a']);
  await until(() => asked === 3);
  await sleep(20);
  await first.stop();
  expect(rig.task('a')).toMatchObject({ status: 'ready', attempt: 2, counted: 0 });
  expect(rig.run().usage).toMatchObject({ modelCalls: 3, toolCalls: 3 });
  const second = await stage.worker();
  stage.offer(RUN_ID, ['a'], 2);
  await until(() => status() === 'completed');
  expect(asked).toBe(5);
  const { result } = rig.task('a');
  expect(result?.artifacts.map(({ name, size }) => [name, size])).toEqual([
    ['b.md', 2],
    ['out/long.md', 5000],
  ]);
  expect(rig.run().usage).toMatchObject({ modelCalls: 5, toolCalls: 4 });
  const metrics = await (await fetch(`${second.url}/metrics`)).text();
  expect(metrics).toMatch(/cadre_recorded_calls_total\{kind="tool".*\} 3/);
});

test('an agent that is code: no folder unless it asks, a key for its calls, artifacts from its folder', async () => {
  const keys: string[] = [];
  let folders: string[] = [];
  begin();
  await stage.worker({
    performers: {
      generalist: async ({ calls, workspace, assignment }) => {
        const sent = await calls.call<{ n: number }>({
          ...{ name: 'wait', effect: 'idempotent', input: { to: 'me' }, maxCostMicros: 50 },
          costOf: () => 20,
          run: async ({ key }) => (keys.push(key), { n: 7 }),
        });
        folders = readdirSync(stage.workDir);
        if (assignment.attempt === 1) throw Object.assign(new Error('again'), { code: 'x' });
        await (await workspace()).write('n.txt', String(sent.n));
        return { answer: `n is ${sent.n}`, confidence: 1 };
      },
    },
  });
  stage.offer(RUN_ID, ['a']);
  await until(() => rig.task('a').attempt === 2);
  await until(() => Date.now() >= rig.task('a').notBefore && stage.lastBeat().held.length === 0);
  stage.offer(RUN_ID, ['a'], 2);
  await until(() => status() === 'completed');
  expect(rig.task('a').result).toMatchObject({ answer: { text: 'n is 7' }, artifacts: [{ name: 'n.txt', size: 1 }] });
  expect(keys).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  expect(folders).toEqual([]);
  expect(rig.run().usage).toMatchObject({ toolCalls: 1, costMicros: 20 });
  await until(() => readdirSync(stage.workDir).length === 0);
});

test('what was read before the worker stopped is among the sources of what the next one writes, and long texts are read in parts', async () => {
  const text = '"Ä"\n'.repeat(12_000);
  const shared = await stage.sharedContext();
  const user = { tenant: 'default', by: { kind: 'user' as const } };
  const put = (name: string, key: string) =>
    shared.put(user, { ...{ name, key, tags: ['raw'], from: [] }, bytes: Buffer.from(text), mediaType: 'text/plain' });
  for (const name of ['facts/long', 'facts/other', 'secret']) await put(name, name);
  await shared.setGrants('default', 'generalist', [
    { on: 'facts/', may: ['read'] },
    { on: 'reports/', may: ['read', 'write', 'delete'] },
  ]);
  const answers: Record<string, unknown>[] = [];
  const call = (name: string, args: object): ChatReply => ({ calls: [{ name, args }] });
  const turns: (() => ChatReply | Promise<ChatReply>)[] = [
    () => call('context_list', { tag: 'raw' }),
    () => call('context_get', { name: 'facts/long', maxBytes: 40_000 }),
    () => new Promise(() => undefined),
    () => call('context_get', { name: 'facts/long', offset: answers[1]!['next'], maxBytes: 40_000 }),
    () => call('context_put', { name: 'reports/r', text: 'R', expects: 0 }),
    () => call('context_put', { name: 'reports/r', text: 'RR', expects: 7 }),
    () => call('context_delete', { name: 'reports/r', expects: 1 }),
    () => call('context_get', { name: 'reports/r' }),
    () => call('context_put', { name: 'reports/r', text: 'RRR' }),
    () => done('Done.'),
  ];
  let asked = 0;
  stage.model.chat = ({ messages }) => {
    const last = messages.at(-1)!;
    // The conversation of the second worker begins anew; its first answers are those on record.
    if (last.role === 'tool' && asked !== 3) answers.push(JSON.parse(String(last.content)));
    return turns[asked++]!();
  };
  begin();
  const options = { agents: [stage.agent(['context_put', 'context_get', 'context_list', 'context_delete'])] };
  const first = await stage.worker(options, { SHUTDOWN_GRACE_MS: '100' });
  stage.offer(RUN_ID, ['a']);
  await until(() => asked === 3);
  await sleep(20);
  await first.stop();
  await stage.worker(options);
  stage.offer(RUN_ID, ['a'], 2);
  await until(() => status() === 'completed');
  expect(answers[0]).toMatchObject({ artifacts: [{ name: 'facts/long', tags: ['raw'] }, { name: 'facts/other' }], more: false });
  expect(`${answers[1]!['text']}${answers[2]!['text']}`).toBe(text.slice(0, `${answers[1]!['text']}${answers[2]!['text']}`.length));
  expect(answers[1]).toMatchObject({ size: Buffer.byteLength(text), versions: [1], next: expect.any(Number) });
  expect(answers[4]).toMatchObject({
    error: expect.stringContaining('reports/r is at version 1 now'),
    refusal: { expects: 7, present: 1 },
  });
  expect(answers.slice(5)).toMatchObject([{ version: 1 }, { refusal: { kind: 'not-found' } }, { version: 2 }]);
  const kept = await shared.get(user, 'reports/r');
  const { read = [], written = [] } = rig.task('a').result?.context ?? {};
  expect(read).toMatchObject([{ artifact: 'facts/long', version: 1 }]);
  expect(written.map(({ artifact, version }) => [artifact, version])).toEqual([
    ['reports/r', 1],
    ['reports/r', 2],
  ]);
  expect(kept.ok && kept.version).toMatchObject({ version: 2, from: read, by: { kind: 'agent', taskId: 'a', attempt: 2 } });
});

test('an agent remembers its earlier tasks, also when its worker stops in between, and shares that with whom it says', async () => {
  const told: unknown[] = [];
  const recalled: unknown[] = [];
  let held = true;
  stage.model.chat = async ({ messages }) => {
    const last = messages.at(-1)!;
    if (last.role === 'tool') return (recalled.push(JSON.parse(last.content)), done('Read.'));
    const said = messages.flatMap(({ role, content }) => (role === 'user' ? [JSON.parse(content) as Record<string, unknown>] : []));
    const { agent, task } = said.at(-1) as { agent: string; task: { id: string } };
    if (agent !== 'generalist') return { calls: [{ name: 'recall_memory', args: { agent: 'generalist' } }] };
    told.push(said.find((message) => 'memory' in message)?.['memory']);
    if (task.id === 'b' && held) return new Promise<never>(() => undefined);
    return done(`Done with ${task.id}.`);
  };
  const agents = [
    { ...stage.agent([]), memory: { scope: 'run' as const, shareWith: ['friend'] } },
    ...['friend', 'stranger'].map((name) => ({ ...stage.agent(['recall_memory']), name })),
  ];
  rig.now = Date.now();
  const task = (id: string, agent: string, ...dependsOn: string[]) => ({ id, title: id, instructions: 'Do it.', agent, dependsOn });
  rig.start([task('a', 'generalist'), task('b', 'generalist', 'a'), task('c', 'friend', 'b'), task('d', 'stranger', 'b')], {
    summarize: false,
  });
  const doing = async (id: string, agent: string, attempt = 1) => {
    stage.offer(RUN_ID, [id], attempt, agent);
    await until(() => rig.task(id).status === 'completed');
    await until(() => stage.lastBeat().held.length === 0);
  };
  const first = await stage.worker({ agents }, { SHUTDOWN_GRACE_MS: '100' });
  stage.offer(RUN_ID, ['a']);
  // It goes on with the next task by itself.
  await until(() => told.length === 2);
  await first.stop();
  held = false;
  await stage.worker({ agents });
  await doing('b', 'generalist', 2);
  await doing('c', 'friend');
  await doing('d', 'stranger');
  const known = {
    messages: [
      { task: 'a', asked: 'a: Do it.' },
      { task: 'a', answered: 'Done with a.' },
    ],
  };
  expect(told).toMatchObject([undefined, known, known]);
  expect(recalled).toMatchObject([
    { agent: 'generalist', leftOut: 0, messages: [{ text: 'a: Do it.' }, {}, {}, { taskId: 'b', text: 'Done with b.' }] },
    { error: expect.stringContaining('no memory of generalist that you may read') },
  ]);
});

test('a memory of an agent that is code is refused at the start', async () => {
  const agents = [{ ...stage.agent([]), memory: {} }];
  const performers = { generalist: async () => ({ answer: 'x', confidence: 1 }) };
  await expect(stage.worker({ agents, performers })).rejects.toThrow('only agents that a model plays have a memory');
});

test('an agent that is code has the context store too; its calls are on record', async () => {
  const shared = await stage.sharedContext();
  await shared.setGrants('default', 'generalist', [{ on: 'code/', may: ['read', 'write', 'delete'] }]);
  begin();
  await stage.worker({
    agents: [stage.agent(['context_put', 'context_get', 'context_list', 'context_delete'])],
    performers: {
      generalist: async ({ context }) => {
        const store = context();
        await store.put({ name: 'code/n', text: '1' });
        const found = await store.get({ name: 'code/n' });
        const again = await store.put({ name: 'code/n', text: '2', expects: 0 });
        const listed = await store.list();
        await store.put({ name: 'code/m', text: '3' });
        await store.delete({ name: 'code/n' });
        return { answer: JSON.stringify([found, again, listed]), confidence: 1 };
      },
    },
  });
  stage.offer(RUN_ID, ['a']);
  await until(() => status() === 'completed');
  const { answer, context } = rig.task('a').result!;
  expect('text' in answer && JSON.parse(answer.text)).toMatchObject([
    { version: 1, text: '1' },
    { refusal: { kind: 'conflict', present: 1 } },
    { artifacts: [{ name: 'code/n' }], more: false },
  ]);
  expect(context).toMatchObject({ read: [{ artifact: 'code/n' }], written: [{ artifact: 'code/n' }, { artifact: 'code/m' }] });
  expect(rig.run().usage).toMatchObject({ toolCalls: 6 });
});

describe('a result that may stand for later ones', () => {
  const TTL_MS = 1500;
  const kept = async () => {
    const info = await stage.nats.request(`$JS.API.STREAM.INFO.KV_${BUCKETS.results}`);
    return info.json<{ state: { messages: number } }>().state.messages;
  };
  let asked: number;
  beforeEach(() => {
    asked = 0;
  });

  /** In a run of its own. */
  async function resultOf(instructions: string): Promise<TaskResult | undefined> {
    rig = new EngineRig();
    begin({ instructions, cache: { ttlMs: TTL_MS } });
    // Offered again while the worker still has the attempt of that name in the run before.
    await until(() => (stage.offer(RUN_ID, ['a']), status() === 'completed'));
    expect(rig.violations()).toEqual([]);
    return rig.task('a').result;
  }

  test('is given to them with its artifacts and without a call, until its time is over', async () => {
    stage.model.chat = () => {
      asked += 1;
      return asked % 2 === 1 ? { calls: [{ name: 'write_file', args: { path: 'a.md', text: 'A' } }] } : done(`Done ${asked}.`);
    };
    const worker = await stage.worker();
    const first = await resultOf('Do it.');
    await until(() => asked === 2);
    for (let tries = 0; tries < 100 && (await kept()) === 0; tries += 1) await sleep(10);
    const keptBy = Date.now();
    expect(first).toMatchObject({ answer: { text: 'Done 2.' }, artifacts: [{ name: 'a.md' }] });
    expect(await resultOf('Do it.')).toEqual({ ...first, cachedFrom: { runId: RUN_ID, taskId: 'a' } });
    expect(rig.run().usage).toMatchObject({ modelCalls: 0, toolCalls: 0 });
    expect(asked).toBe(2);
    expect((await resultOf('Do it well.'))?.cachedFrom).toBeUndefined();
    await sleep(Math.max(0, keptBy + TTL_MS - Date.now()));
    expect(await resultOf('Do it.')).toEqual({ ...first, answer: { text: 'Done 6.' } });
    const metrics = await (await fetch(`${worker.url}/metrics`)).text();
    expect(metrics).toMatch(/cadre_result_cache_looks_total\{agent="generalist",outcome="hit".*\} 1/);
    expect(metrics).toMatch(/cadre_result_cache_looks_total\{agent="generalist",outcome="miss".*\} 3/);
  });

  test('is not kept when its attempt has changed something in the world', async () => {
    let paid = 0;
    stage.model.chat = () => {
      asked += 1;
      return asked % 2 === 1 ? { calls: [{ name: 'wait', args: {} }] } : done('Paid.');
    };
    const pay = { name: 'wait', description: 'd', effect: 'idempotent' as const, parameters: z.strictObject({}) };
    await stage.worker({ tools: () => [{ ...pay, run: async () => (paid += 1) }] });
    for (const times of [1, 2]) {
      expect((await resultOf('Pay.'))?.cachedFrom).toBeUndefined();
      expect(paid).toBe(times);
    }
  });
});
