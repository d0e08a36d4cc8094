/** Agents that send and read messages: what they may is decided by their grants and the channels, and what they send is sent once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Channel, Command, CommandBatch, type Message, type PlacedMessage } from '@cadre/contracts';
import { EngineRig, RUN_ID } from '@cadre/engine/testing';
import { natsChannels } from '@cadre/messaging';
import { startNatsServer } from '@cadre/nats-server';
import type { CodeWork } from './code-agent.js';
import { until, WorkerStage } from './testing/index.js';
import type { ChatReply, ChatRequest } from './testing/index.js';

const TOOLS = ['send_message', 'read_messages', 'request_reply'];
const READER = { name: 'tester', skills: [] };

let stage: WorkerStage;
let rig: EngineRig;
let channels: ReturnType<typeof natsChannels>;

beforeAll(async () => {
  stage = await WorkerStage.open(await startNatsServer({ syncAlways: false }));
  channels = natsChannels(stage.nats);
  const both = { name: '*', rights: ['send', 'receive'] };
  for (const channel of [
    { name: 'kept', kind: 'broadcast', durable: true, members: [both], schema: { type: 'object' } },
    { name: 'passing', kind: 'broadcast', members: [both] },
    { name: 'closed', kind: 'broadcast', members: [{ name: 'boss', rights: ['send', 'receive'] }] },
  ])
    await channels.registry.put('default', Channel.parse(channel));
  await channels.registry.put('other', Channel.parse({ name: 'foreign', kind: 'broadcast', durable: true }));
}, 60_000);
afterAll(async () => {
  await channels?.desk.close();
  await stage?.close();
});
beforeEach(() => {
  rig = new EngineRig();
  rig.now = Date.now();
  rig.start([{ id: 'a', title: 'A', instructions: 'Do it.' }], { summarize: false });
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

const kept = async (): Promise<PlacedMessage[]> => (await channels.desk.read('default', 'kept', READER, 0, 100)).messages;
const status = () => rig.task('a').status;
const agents = (tools: string[]) => [{ name: 'generalist', description: 'd', skills: ['general'], instructions: 'Help.', tools }];

/** A worker whose agent is this code. */
async function worker(perform: (work: CodeWork) => Promise<unknown>, tools = TOOLS) {
  const performer = async (work: CodeWork) => ({ answer: JSON.stringify((await perform(work)) ?? null), confidence: 1 });
  await stage.worker({ agents: agents(tools), performers: { generalist: performer } });
  stage.offer(RUN_ID, ['a']);
}
const answered = async () => {
  await until(() => status() === 'completed');
  const { answer: given } = rig.task('a').result!;
  return JSON.parse('text' in given ? given.text : '') as Record<string, unknown>;
};

test('a model sends and reads by its tools, in its own name, and only where it may', async () => {
  const before = (await kept()).length;
  const call = (name: string, args: object) => ({ calls: [{ name, args }] });
  const turns: ChatReply[] = [
    call('send_message', { channel: 'kept', type: 'discovery', data: { impact: 'high' } }),
    call('send_message', { channel: 'kept', type: 'discovery', data: 'no object' }),
    call('send_message', { channel: 'kept', type: 'discovery', from: 'boss', data: {} }),
    call('send_message', { channel: 'closed', type: 'discovery' }),
    call('read_messages', { channel: 'closed' }),
    call('read_messages', { channel: 'foreign' }),
    call('read_messages', { channel: 'kept', where: 'message.data.impact == "high"', limit: 100 }),
    { text: JSON.stringify({ answer: 'Done.', confidence: 1 }) },
  ];
  const seen: ChatRequest[] = [];
  stage.model.chat = (body) => (seen.push(body), turns[seen.length - 1]!);
  await stage.worker({ agents: agents(TOOLS) });
  stage.offer(RUN_ID, ['a']);
  await until(() => status() === 'completed');
  const told = seen.slice(1).map(({ messages }) => JSON.parse(messages.at(-1)!.content) as { error?: string; messages?: Message[] });
  expect(told.map(({ error }) => error ?? 'done')).toEqual([
    'done',
    expect.stringContaining('data: must be object'),
    expect.stringContaining('from'),
    expect.stringContaining('generalist may not send into the channel closed.'),
    expect.stringContaining('generalist may not receive from the channel closed.'),
    expect.stringContaining('There is no channel "foreign".'),
    'done',
  ]);
  const [sent, ...more] = (await kept()).slice(before);
  expect(more).toEqual([]);
  expect(sent?.message).toMatchObject({ from: 'generalist', runId: RUN_ID, taskId: 'a', id: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(told[6]?.messages?.at(-1)).toEqual(sent?.message);
});

test('without the grant there is no such tool, for a model and for code', async () => {
  const seen: ChatRequest[] = [];
  stage.model.chat = (body) => {
    seen.push(body);
    if (seen.length === 2) return { text: '{"answer":"Done.","confidence":1}' };
    return { calls: [{ name: 'send_message', args: { channel: 'passing', type: 'x' } }] };
  };
  await stage.worker({ agents: agents(['read_messages']) });
  stage.offer(RUN_ID, ['a']);
  await until(() => status() === 'completed');
  expect(seen[1]?.messages.at(-1)?.content).toContain('There is no tool');
});

test('code without the grant is told what is missing', async () => {
  await worker(
    async ({ messages }) =>
      messages.send({ channel: 'kept', type: 'x', data: {} }).catch((error: { code: string }) => ({ code: error.code })),
    [],
  );
  expect(await answered()).toEqual({ code: 'tool-not-granted' });
});

test('a task that names its peers sends to these alone', async () => {
  await channels.registry.put(
    'default',
    Channel.parse({ name: 'direct', kind: 'direct', members: [{ name: '*', rights: ['send', 'receive'] }] }),
  );
  rig = new EngineRig();
  rig.now = Date.now();
  rig.start([{ id: 'a', title: 'A', instructions: 'Do it.', peers: ['expert'] }], { summarize: false });
  await worker(async ({ messages }) => {
    const to = (names?: string[]) =>
      messages.send({ channel: names ? 'direct' : 'kept', type: 'x', data: {}, ...(names && { to: names }) }).then(
        () => 'sent',
        (error: Error) => error.message,
      );
    return { peer: await to(['expert']), stranger: await to(['boss']), all: await to() };
  });
  const refused = expect.stringContaining('only to expert');
  expect(await answered()).toEqual({ peer: 'sent', stranger: refused, all: refused });
});

test('a message whose sender was lost before it could say so is kept once', async () => {
  const before = (await kept()).length;
  await worker(async ({ messages, assignment, signal }) => {
    const sent = await messages.send({ channel: 'kept', type: 'discovery', data: { n: 1 } });
    if (assignment.attempt > 1) return sent;
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('lost'))));
    return undefined;
  });
  let count = before;
  for (let tries = 0; count === before && tries < 500; tries += 1) count = (await sleep(10), await kept()).length;
  rig.now = Date.now();
  rig.send({ type: 'LoseAttempt', taskId: 'a', attempt: 1, workerId: stage.lastBeat().workerId, reason: 'no heartbeats' } as never);
  await until(() => rig.task('a').attempt === 2 && Date.now() >= rig.task('a').notBefore);
  stage.offer(RUN_ID, ['a'], 2);
  expect(await answered()).toMatchObject({ repeated: true, position: expect.any(Number) });
  expect(await kept()).toHaveLength(before + 1);
});

test('what passes is gathered from when the attempt began, read once, by filter; and waited for', async () => {
  const send = (type: string) => channels.desk.send('default', 'passing', { type, from: 'tester', data: null });
  const types = ({ messages }: { messages: Message[] }) => messages.map(({ type }) => type);
  await worker(async ({ messages }) => {
    const none = await messages.read({ channel: 'passing' });
    for (const type of ['a.1', 'b.1', 'a.2']) await send(type);
    const first = await messages.read({ channel: 'passing', types: ['a.*'], waitMs: 5000 });
    const rest = await messages.read({ channel: 'passing', waitMs: 5000 });
    setTimeout(() => void send('late'), 50);
    const late = await messages.read({ channel: 'passing', waitMs: 5000 });
    const never = await messages.read({ channel: 'passing', waitMs: 20 });
    return [none, first, rest, late, never].map(types);
  });
  const [none, first, rest, late, never] = (await answered()) as unknown as string[][];
  expect([none, never]).toEqual([[], []]);
  expect([...first!, ...rest!].sort()).toEqual(expect.arrayContaining(['a.1']));
  expect(first!.every((type) => type.startsWith('a.'))).toBe(true);
  expect(late!.length).toBeGreaterThan(0);
});

test('a durable channel is read from a position on, and waited for', async () => {
  const start = (await kept()).at(-1)?.position ?? 0;
  await worker(async ({ messages }) => {
    const pages = [];
    let after = start;
    setTimeout(() => void channels.desk.send('default', 'kept', { type: 'one', from: 'tester', data: {} }), 50);
    for (const waitMs of [5000, 20]) {
      const page = await messages.read({ channel: 'kept', after, waitMs });
      after = page.next!;
      pages.push(page.messages.map(({ type }) => type));
    }
    return pages;
  });
  expect(await answered()).toEqual([['one'], []]);
});

test('a request gets its reply, and one that nobody answers ends in time', async () => {
  const stop = new AbortController();
  const listening = await channels.desk.listen(
    'default',
    'passing',
    { ...READER, where: 'message.type == "question"' },
    { signal: stop.signal },
  );
  void (async () => {
    const heard = await listening.next();
    const { id, data } = heard!.message;
    await channels.desk.send('default', 'passing', { type: 'answer', from: 'tester', correlationId: id, data: { echo: data } });
  })();
  await worker(async ({ messages }) => {
    const { reply } = await messages.request({ channel: 'passing', type: 'question', data: 'what?' });
    const late = await messages
      .request({ channel: 'passing', type: 'unheard', timeoutMs: 20 })
      .catch((error: { code: string }) => error.code);
    return { data: reply.data, late };
  });
  expect(await answered()).toEqual({ data: { echo: 'what?' }, late: 'reply-timeout' });
  stop.abort();
});
