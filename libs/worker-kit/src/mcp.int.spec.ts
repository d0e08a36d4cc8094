/** Agents with tools of MCP servers: granted, recorded, taken from the record, asked about when in doubt; the engine's own rules decide. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, CommandBatch } from '@cadre/contracts';
import { EngineRig, RUN_ID } from '@cadre/engine/testing';
import { UnrulyStage } from '@cadre/mcp/testing';
import { startNatsServer } from '@cadre/nats-server';
import { until, WorkerStage } from './testing/index.js';
import type { ChatReply, ChatRequest } from './testing/index.js';

let stage: WorkerStage;
let rig: EngineRig;
let unruly: UnrulyStage;

beforeAll(async () => {
  stage = await WorkerStage.open(await startNatsServer({ syncAlways: false }));
}, 60_000);
afterAll(() => stage?.close());
beforeEach(() => {
  rig = new EngineRig();
  unruly = new UnrulyStage();
  stage.begin((request) => ({ replies: CommandBatch.parse(request).commands.map(answer) }));
});
afterEach(async () => {
  await stage.end();
  unruly.remove();
  expect(rig.violations()).toEqual([]);
});

function answer(raw: unknown): unknown {
  const { id, runId, ...body } = Command.parse(raw);
  rig.now = Date.now();
  return { id, ...rig.send(body as Parameters<EngineRig['send']>[0], runId), events: undefined };
}

function begin(spec: object = {}): void {
  rig.now = Date.now();
  rig.start([{ id: 'a', title: 'A', instructions: 'Do it.', ...spec }], { summarize: false });
  stage.offer(RUN_ID, ['a']);
}

const call = (name: string, args: object = {}): ChatReply => ({ calls: [{ name, args }] });
const done: ChatReply = { text: '{"answer":"Done.","confidence":0.7}' };
const worker = (env: Record<string, string> = {}) => stage.worker({}, { CADRE_MCP_SERVERS: unruly.file, ...env });

/** Each turn in its place; what a tool answered is told to the next. */
function play(...turns: ((last: unknown) => ChatReply | Promise<ChatReply>)[]): { asked: ChatRequest[] } {
  const asked: ChatRequest[] = [];
  stage.model.chat = (request) => {
    asked.push(request);
    const last = request.messages.at(-1)!;
    return turns[asked.length - 1]!(last.role === 'tool' ? JSON.parse(last.content) : undefined);
  };
  return { asked };
}

test('a model is told of the approved tools and calls them; pictures become artifacts; heartbeats say what is there', async () => {
  await unruly.declare({ unruly: { deny: ['die'] }, other: { agents: ['somebody'] } }).approve();
  await worker();
  expect(stage.lastBeat().mcp).toMatchObject([
    { server: 'unruly', state: 'idle', tools: 12 },
    { server: 'other', tools: 13 },
  ]);
  const heard: unknown[] = [];
  const { asked } = play(
    () => call('unruly_note', { text: 'one' }),
    (last) => (heard.push(last), call('unruly_picture')),
    (last) => (heard.push(last), call('other_note', { text: 'not granted' })),
    (last) => (heard.push(last), done),
  );
  begin();
  await until(() => rig.task('a').status === 'completed');
  expect(heard).toMatchObject([{ text: 'noted' }, { files: [expect.any(String)] }, { error: expect.stringContaining('There is no tool') }]);
  expect(rig.task('a').result?.artifacts).toMatchObject([{ name: expect.stringMatching(/^mcp\/unruly_picture-.*\.png$/), size: 10 }]);
  expect(unruly.effects()).toEqual([expect.stringMatching(/ one$/)]);
  const told = (asked[0] as unknown as { tools: { function: { name: string } }[] }).tools.map((tool) => tool.function.name);
  expect(told).toEqual(expect.arrayContaining(['unruly_note', 'write_file']));
  expect(told.filter((name) => name.startsWith('other_') || name === 'unruly_die')).toEqual([]);
  await until(() => stage.lastBeat().mcp?.[0]?.state === 'ready');
  expect(rig.run().usage).toMatchObject({ toolCalls: 2 });
});

test('the next worker is given the record of what the first has called', async () => {
  await unruly.declare().approve();
  const first = await stage.worker({}, { CADRE_MCP_SERVERS: unruly.file, SHUTDOWN_GRACE_MS: '100' });
  const turns = play(
    () => call('unruly_note', { text: 'once' }),
    () => new Promise(() => undefined),
    () => call('unruly_note', { text: 'twice' }),
    () => done,
  );
  begin();
  await until(() => turns.asked.length === 2);
  await sleep(20);
  await first.stop();
  await worker();
  stage.offer(RUN_ID, ['a'], 2);
  await until(() => rig.task('a').status === 'completed');
  expect(unruly.effects().map((line) => line.split(' ')[1])).toEqual(['once', 'twice']);
});

test('a call of which nobody knows whether it happened asks a person, who says what it came to', async () => {
  await unruly.declare().approve();
  await worker();
  const heard: unknown[] = [];
  play(
    () => call('unruly_die', { text: 'paid' }),
    (last) => (heard.push(last), done),
  );
  begin();
  await until(() => Object.keys(rig.run().questions).length === 1);
  const [questionId = ''] = Object.keys(rig.run().questions);
  await until(() => stage.lastBeat().held.length === 0);
  rig.now = Date.now();
  rig.send({ type: 'AnswerQuestion', tenant: 'default', questionId, choice: 'done', result: { text: 'paid it' }, by: 'ann' });
  await until(() => rig.task('a').status === 'ready');
  stage.offer(RUN_ID, ['a'], rig.task('a').attempt);
  await until(() => rig.task('a').status === 'completed');
  expect(unruly.effects()).toHaveLength(1);
  expect(heard).toEqual([{ text: 'paid it' }]);
});

test('an agent that is code calls what it was granted', async () => {
  await unruly.declare().approve();
  const got: unknown[] = [];
  await stage.worker(
    {
      performers: {
        generalist: async ({ callTool }) => {
          got.push(await callTool('unruly_note', { text: 'by code' }), await callTool('unruly_fail'));
          got.push(await callTool('other_note').catch((error: Error) => error.message));
          got.push(await callTool('unruly_note', { text: 7 }).catch((error: Error) => error.message));
          return { answer: 'Done.', confidence: 1 };
        },
      },
    },
    { CADRE_MCP_SERVERS: unruly.file },
  );
  begin();
  await until(() => rig.task('a').status === 'completed');
  expect(got).toEqual([
    { text: 'noted' },
    { error: 'It is broken.' },
    expect.stringContaining('other_note was not granted'),
    expect.stringContaining('The arguments of unruly_note are wrong'),
  ]);
  expect(rig.run().usage).toMatchObject({ toolCalls: 2 });
});

test('what is approved while the worker runs is there for its next attempt, and for templates', async () => {
  unruly.declare({ unruly: { templates: ['helper'] } });
  const template = { name: 'helper', description: 'Helps.', tools: ['read_file'], defaults: { instructions: 'Help.' } };
  await stage.worker({ templates: [template] }, { CADRE_MCP_SERVERS: unruly.file });
  expect(stage.lastBeat()).toMatchObject({ mcp: [{ tools: 0 }], templates: [{ tools: ['read_file'] }] });
  await unruly.approve();
  await until(() => stage.lastBeat().templates?.[0]?.tools.includes('unruly_note') ?? false);
  unruly.declare({ unruly: {} });
  await until(() => stage.lastBeat().templates?.[0]?.tools.length === 1);
  play(
    () => call('unruly_note', { text: 'new' }),
    () => done,
  );
  begin();
  await until(() => rig.task('a').status === 'completed');
  expect(unruly.effects()).toHaveLength(1);
});

test('a file that cannot be used stops the worker at its start, with every fault', async () => {
  unruly.put('mcp.json', '{"servers": {"A": {"command": "x"}, "b": {"effect": "never", "command": "x"}}}');
  await expect(worker()).rejects.toThrow(/servers\.A.*\n.*servers\.b\.effect/);
  await unruly.declare().approve();
  const batch = { maxTasks: 2, waitMs: 0 };
  await expect(stage.worker({ agents: [{ ...stage.agent([]), batch }] }, { CADRE_MCP_SERVERS: unruly.file })).rejects.toThrow(
    /CADRE_MCP_SERVERS grants tools to the agent generalist, which cannot have them/,
  );
});
