import { AgentDefinition, makeRunId, type Command, type CommandReply, type Json, type Offer } from '@cadre/contracts';
import { AttemptDesk } from './attempt-desk.js';
import type { Performer } from './performer.js';
import { MemoryBlobs } from './testing/memory-blobs.js';
import { plainDigest } from './testing/plain-digest.js';

const RUN = makeRunId(0, '00000000-0000-7000-8000-000000000001');
const offer = (taskId: string, turn: Partial<Offer['turn']> = {}): Offer => ({
  ...{ runId: RUN, taskId, attempt: 1, agent: 'echo' },
  turn: { tenant: 'default', atWork: 1, urgency: 2, ...turn },
});
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

const assignment = (taskId: string, attempt = 1): Json => ({
  ...{ runId: RUN, tenant: 'default', taskId, attempt, kind: 'work', goal: 'g', title: 't', instructions: 'i' },
  ...{ inputs: [], results: [], round: 1, tools: [], deadlineAt: 9999 },
});

/** A desk with two slots, whose commands are answered by hand. */
function rig(perform: Performer = () => Promise.reject(new Error('not reached')), slots = 2) {
  const clock = { time: 0 };
  const asked: { command: Command; answer(reply: CommandReply): void }[] = [];
  const agent = AgentDefinition.parse({ name: 'echo', description: 'd', skills: ['general'], instructions: 'i', tools: [] });
  let ids = 0;
  const desk = new AttemptDesk(
    [agent],
    slots,
    {
      workerId: 'w',
      clock: { now: () => clock.time, after: () => () => undefined, soon: (run) => void setImmediate(run) },
      chance: { random: () => 0.5, newId: () => `id-${(ids += 1)}` },
      blobs: new MemoryBlobs(),
      sender: {
        send: ([command]) => new Promise((resolve) => asked.push({ command: command as Command, answer: (reply) => resolve([reply]) })),
      },
      digest: plainDigest,
      performerOf: () => perform,
      reports: { ended: () => undefined, trouble: () => undefined },
    },
    () => undefined,
  );
  return {
    ...{ desk, clock, agent },
    /** Answers the newest command. */
    answer: async (result?: Json) => {
      const { command, answer } = asked.at(-1)!;
      answer({ id: command.id, outcome: 'accepted', ...(result !== undefined && { result }) });
      await turn();
      await turn();
    },
    last: () => asked.at(-1)!.command,
    newest: (count: number) => asked.slice(-count).map(({ command }) => command),
    asked: () => asked.map(({ command }) => ('taskId' in command ? command.taskId : command.type)),
    /** Somebody else has the attempt: its slot is free again. */
    refuse: async (index: number) => {
      asked[index]?.answer({ id: asked[index].command.id, outcome: 'rejected', code: 'attempt-taken', message: 'taken' });
      await turn();
    },
    held: () => desk.held().map(({ taskId }) => taskId),
  };
}

describe('offers beyond the free slots', () => {
  test('are begun when the work of another is done, with the telling of its result: the most urgent first', async () => {
    const it = rig(() => Promise.resolve({ answer: 'done', confidence: 1 }), 2);
    it.desk.take({ offers: [offer('a'), offer('b'), offer('c'), offer('d', { urgency: 0 })] });
    await it.answer(assignment('b'));
    expect(it.newest(2)).toMatchObject([
      { type: 'CompleteAttempt', taskId: 'b' },
      { type: 'StartAttempt', taskId: 'd' },
    ]);
    expect(it.held()).toEqual(['a', 'b', 'd', 'c']);
    // Both slots are taken: the other waits until the next one is done, too.
    await it.answer(assignment('d'));
    expect(it.newest(2)).toMatchObject([
      { type: 'CompleteAttempt', taskId: 'd' },
      { type: 'StartAttempt', taskId: 'c' },
    ]);
    expect(it.asked()).toEqual(['a', 'b', 'b', 'd', 'd', 'c']);
  });

  test('of several tenants the one with the least at work, by its newest offer, goes first; then the most urgent; then the first one', async () => {
    const it = rig(undefined, 5);
    it.desk.take({ offers: ['a', 'b', 'c', 'd', 'e'].map((id) => offer(id)) });
    const [big, small] = [
      { tenant: 'big', atWork: 1 },
      { tenant: 'small', atWork: 4 },
    ];
    it.desk.take({
      offers: [offer('f', { ...big, urgency: 0 }), offer('g', { ...small, urgency: 4 }), offer('h', { ...small, urgency: 3 })],
    });
    it.desk.take({ offers: [offer('i', { ...big, atWork: 9 }), offer('j', { ...small, urgency: 3 })] });
    for (let index = 0; index < 5; index += 1) await it.refuse(index);
    expect(it.asked().slice(5)).toEqual(['h', 'j', 'g', 'f', 'i']);
  });

  test('wait, are listed as held, and begin as slots become free', async () => {
    const it = rig();
    it.desk.take({ offers: ['a', 'b', 'c', 'd', 'e'].map((id) => offer(id)) });
    await turn();
    expect(it.asked()).toEqual(['a', 'b']);
    expect(it.held()).toEqual(['a', 'b', 'c', 'd']); // more than again as many as there are slots is left alone
    await it.refuse(0);
    expect(it.asked()).toEqual(['a', 'b', 'c']);
    expect(it.held()).toEqual(['b', 'c', 'd']);
  });

  test('can be cancelled and are forgotten at shutdown without having begun', async () => {
    const it = rig();
    it.desk.take({ offers: ['a', 'b', 'c', 'd'].map((id) => offer(id)) });
    it.desk.cancel({ attempts: [{ runId: RUN, taskId: 'c', attempt: 1 }] });
    expect(it.held()).toEqual(['a', 'b', 'd']);
    void it.desk.close(1000);
    expect(it.held()).toEqual(['a', 'b']);
    await it.refuse(0);
    await it.refuse(1);
    expect(it.asked()).toEqual(['a', 'b']);
  });
});

test('a cancel that comes before the answer to the start ends the attempt with that answer', async () => {
  const it = rig();
  it.desk.take({ offers: [offer('a')] });
  it.desk.cancel({ attempts: [{ runId: RUN, taskId: 'a', attempt: 1, runCancelled: true }] });
  expect(it.last()).toMatchObject({ type: 'StartAttempt' });
  await it.answer(assignment('a'));
  expect(it.last()).toMatchObject({ type: 'FailAttempt', taskId: 'a', error: { code: 'cancelled' } });
  await it.answer();
  expect(it.held()).toEqual([]);
});

describe('a worker that is ready for more', () => {
  const echoing = () => rig(() => Promise.resolve({ answer: 'done', confidence: 1 }));

  test('says so with its result, and goes on with what it is answered, without a start of its own', async () => {
    const it = echoing();
    it.desk.take({ offers: [offer('a')] });
    await it.answer(assignment('a'));
    expect(it.last()).toMatchObject({ type: 'CompleteAttempt', taskId: 'a', next: { agent: 'echo', tools: [], slots: 1 } });
    await it.answer({ next: [assignment('b')] });
    expect(it.held()).toEqual(['b']);
    expect(it.last()).toMatchObject({ type: 'CompleteAttempt', taskId: 'b', next: { agent: 'echo' } });
    await it.answer();
    expect(it.held()).toEqual([]);
    expect(it.asked()).toEqual(['a', 'a', 'b']);
  });

  test('takes more than one until half of its slots are taken or asked for', async () => {
    const it = rig(() => Promise.resolve({ answer: 'done', confidence: 1 }), 8);
    it.desk.take({ offers: [offer('a')] });
    await it.answer(assignment('a'));
    expect(it.last()).toMatchObject({ next: { slots: 4 } });
    it.desk.take({ offers: [offer('b')] });
    await it.answer(assignment('b'));
    expect(it.last()).toMatchObject({ taskId: 'b', next: { slots: 1 } });
    await it.answer({ next: ['c', 'd', 'e'].map((id) => assignment(id)) });
    expect(it.held()).toEqual(['a', 'c', 'd', 'e']);
  });

  test('is not, while offers wait here or work waits for its agent elsewhere', async () => {
    const it = echoing();
    it.desk.hearBacklog({ agents: ['echo', 'other'] });
    it.desk.take({ offers: [offer('a')] });
    await it.answer(assignment('a'));
    expect(it.last()).not.toHaveProperty('next');
    await it.answer();
    it.clock.time = 1000;
    it.desk.take({ offers: [offer('b')] });
    await it.answer(assignment('b'));
    expect(it.last()).toHaveProperty('next');
    await it.answer();
    it.desk.take({ offers: [offer('c'), offer('d'), offer('e')] });
    await it.answer(assignment('d'));
    expect(it.newest(2)).toMatchObject([
      { type: 'CompleteAttempt', taskId: 'd' },
      { type: 'StartAttempt', taskId: 'e' },
    ]);
    expect(it.newest(2)[0]).not.toHaveProperty('next');
  });

  test('hands back what it is given while it shuts down', async () => {
    const it = echoing();
    it.desk.take({ offers: [offer('a')] });
    await it.answer(assignment('a'));
    void it.desk.close(1000);
    await it.answer({ next: [assignment('b')] });
    expect(it.last()).toMatchObject({ type: 'ReleaseAttempt', taskId: 'b' });
  });
});

describe('when the agents are others', () => {
  const forever = () => new Promise<never>(() => undefined);

  test('what a removed one has begun is handed back, whether its start was answered or not, and what waits for it is let go', async () => {
    const it = rig(forever, 2);
    it.desk.take({ offers: [offer('a'), offer('b'), offer('c')] });
    await it.answer(assignment('b'));
    expect(it.held()).toEqual(['a', 'b', 'c']);
    it.desk.host([]);
    await turn();
    expect(it.last()).toMatchObject({ type: 'ReleaseAttempt', taskId: 'b' });
    expect(it.held()).toEqual(['a', 'b']);
    await it.answer();
    expect(it.held()).toEqual(['a']);
    it.desk.take({ offers: [offer('d')] });
    expect(it.held()).toEqual(['a']);
  });

  test('an attempt that has begun goes on with the definition that it began with, and what comes next gets the new one', async () => {
    const performed: string[] = [];
    const it = rig(async ({ agent }) => (performed.push(agent.instructions), { answer: 'done', confidence: 1 }));
    it.desk.take({ offers: [offer('a')] });
    it.desk.host([{ definition: { ...it.agent, instructions: 'changed' } }]);
    await it.answer(assignment('a'));
    expect(it.last()).toMatchObject({ type: 'CompleteAttempt', taskId: 'a' });
    // It does not go on as what it was.
    expect(it.last()).not.toHaveProperty('next');
    await it.answer();
    it.desk.take({ offers: [offer('b')] });
    await it.answer(assignment('b'));
    expect(performed).toEqual(['i', 'changed']);
  });

  test('what a removed one was answered to go on with is handed back', async () => {
    const it = rig(() => Promise.resolve({ answer: 'done', confidence: 1 }));
    it.desk.take({ offers: [offer('a')] });
    await it.answer(assignment('a'));
    expect(it.last()).toHaveProperty('next');
    it.desk.host([]);
    await it.answer({ next: [assignment('b')] });
    expect(it.last()).toMatchObject({ type: 'ReleaseAttempt', taskId: 'b' });
  });

  test("an agent of one tenant takes no other's offers", () => {
    const it = rig(forever);
    it.desk.host([{ definition: it.agent, tenant: 'acme' }]);
    it.desk.take({ offers: [offer('a'), offer('b', { tenant: 'acme' })] });
    expect(it.held()).toEqual(['b']);
  });

  test('one that stands in for another says so', () => {
    const it = rig(forever);
    it.desk.take({ offers: [{ ...offer('a'), insteadOf: 'left' }] });
    expect(it.last()).toMatchObject({ type: 'StartAttempt', agent: 'echo', insteadOf: 'left' });
  });
});
