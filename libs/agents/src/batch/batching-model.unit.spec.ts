/** Calls that are at hand together, made as one: who is in it, what each gets and pays, and what becomes of those who leave. */
import { CadreError } from '@cadre/contracts';
import fc from 'fast-check';
import { openConversation } from '../conversation.js';
import { responseSchemaFor } from '../model-schemas.js';
import type { ModelPort, ModelReply, ModelRequest } from '../ports.js';
import { VirtualClock, plainDigest, sampleAgent, sampleAssignment } from '../testing/index.js';
import { BatchingModel } from './batching-model.js';

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));
const textOf = ({ messages }: ModelRequest) => messages.map(({ text }) => text).join('');

interface User {
  goal?: string;
  task?: { id?: string; title?: string; instructions?: string };
  tasks?: { number: number; task: { id: string }; results?: unknown }[];
}
const userOf = (request: ModelRequest) => JSON.parse(request.messages.at(-1)!.text) as User;
const tasksOf = (request: ModelRequest): string[] => {
  const { tasks, task } = userOf(request);
  return tasks ? tasks.map((each) => each.task.id) : [task!.id!];
};

/** A server behind a gate: each call waits 10 ms, is sent, and takes 10 ms more. */
class Server implements ModelPort {
  readonly sent: ModelRequest[] = [];
  usage = { inputTokens: 97, outputTokens: 31, costMicros: 1001 };
  error: CadreError | undefined;
  /** What is answered for a task of several. */
  answersTo: (id: string, number: number) => unknown[] = (id, number) => [{ task: number, answer: `of ${id}`, confidence: 1 }];
  cut = (text: string) => text;
  price = 1;

  constructor(private readonly clock: VirtualClock) {}

  quote(request: ModelRequest) {
    const maxInputTokens = textOf(request).length;
    const { maxOutputTokens } = request;
    return {
      model: 'm',
      maxInputTokens,
      maxOutputTokens,
      maxCostMicros: this.price * (maxInputTokens + 4 * maxOutputTokens),
      priced: true,
    };
  }

  async complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    request.onHeld?.(true);
    await this.takes();
    if (signal.aborted) throw new CadreError('aborted', 'Left.', { billed: 'no' });
    request.onHeld?.(false);
    this.sent.push(request);
    await this.takes();
    if (signal.aborted) throw new CadreError('aborted', 'Left.', { billed: 'unknown' });
    if (this.error) throw this.error;
    const { tasks } = userOf(request);
    const answers = tasks?.flatMap(({ task, number }) => this.answersTo(task.id, number));
    const text = this.cut(JSON.stringify(answers ? { answers } : { answer: `alone ${tasksOf(request)[0]}`, confidence: 1 }));
    return { model: 'm', text, toolCalls: [], finish: 'stop', ...this.usage, priced: true };
  }

  private takes(): Promise<void> {
    return new Promise((resolve) => void this.clock.after(10, resolve));
  }
}

const agent = sampleAgent({ tools: [], instructions: 'You sort letters into the trays of the house, soberly and one by one. '.repeat(4) });
const batch = { group: 'g', maxTasks: 10, waitMs: 20 };

class Stage {
  readonly clock = new VirtualClock(turnOfLoop);
  readonly server = new Server(this.clock);
  readonly model: BatchingModel;
  readonly held = new Map<string, boolean>();

  constructor(most = 100) {
    this.model = new BatchingModel(this.server, { clock: this.clock, most, digest: plainDigest });
  }

  async request(taskId: string, more: Partial<ModelRequest> = {}, about: object = {}): Promise<ModelRequest> {
    const assignment = sampleAssignment({ taskId, tools: [], title: `Sort ${taskId}`, ...about });
    return {
      ...{ temperature: 0, maxOutputTokens: 500, tools: [], responseSchema: responseSchemaFor('work'), callKey: taskId, batch },
      messages: await openConversation({ assignment, agent, readContent: async () => '', now: 0 }),
      onHeld: (held) => void this.held.set(taskId, held),
      ...more,
    };
  }

  async ask(
    taskId: string,
    more: Partial<ModelRequest> = {},
    signal = new AbortController().signal,
  ): Promise<PromiseSettledResult<ModelReply>> {
    const asked = this.model.complete(await this.request(taskId, more), signal);
    return (await Promise.allSettled([asked]))[0];
  }

  async all(asked: Promise<PromiseSettledResult<ModelReply>>[]): Promise<PromiseSettledResult<ModelReply>[]> {
    await this.clock.advance(200);
    return Promise.all(asked);
  }
}

const replyOf = (outcome: PromiseSettledResult<ModelReply>) => {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
};
const sum = (numbers: number[]) => numbers.reduce((all, each) => all + each, 0);

describe('what is asked together', () => {
  test('is one call that says once what all have in common; each gets its own answer and its share', async () => {
    const stage = new Stage();
    const replies = (await stage.all(['a', 'b', 'c'].map((id) => stage.ask(id)))).map(replyOf);
    expect(stage.server.sent).toHaveLength(1);
    const [request] = stage.server.sent;
    const user = userOf(request!);
    expect(user).toMatchObject({ kind: 'work', goal: 'Understand the weather.', task: { instructions: 'Find the trend.' } });
    expect(user.tasks).toEqual(['a', 'b', 'c'].map((id, place) => ({ number: place + 1, task: { id, title: `Sort ${id}` } })));
    expect(request!.messages[0]!.text).toMatch(/^You sort letters.*\n\n# Several tasks at once\n/s);
    expect(request!.responseSchema).toMatchObject({
      name: 'replies',
      schema: {
        properties: {
          answers: { items: { properties: { task: { type: 'integer' }, answer: {} }, required: ['task', 'answer', 'confidence'] } },
        },
      },
    });
    expect(request).toMatchObject({ maxOutputTokens: 500, callKey: plainDigest('a b c').slice(0, 32) });
    expect(request).not.toHaveProperty('batch');
    expect(replies.map(({ text, tasks }) => [JSON.parse(text), tasks])).toEqual(
      ['a', 'b', 'c'].map((id) => [{ answer: `of ${id}`, confidence: 1 }, 3]),
    );
    for (const count of ['inputTokens', 'outputTokens', 'costMicros'] as const) {
      expect(sum(replies.map((reply) => reply[count]))).toBe(stage.server.usage[count]);
    }
  });

  test('costs at most what was reserved for each, also where one is much longer; a call that could cost more is not made', async () => {
    const stage = new Stage();
    const long = await stage.request('a', {}, { instructions: 'x'.repeat(5000) });
    const short = await stage.request('b', {}, { instructions: 'y' });
    const bounds = [long, short].map((request) => stage.server.quote(request).maxCostMicros);
    stage.server.usage.costMicros = sum(bounds) - 1;
    const asked = [long, short].map((request) => stage.model.complete(request, new AbortController().signal));
    const [outcomes] = await Promise.all([Promise.allSettled(asked), stage.clock.advance(200)]);
    expect(stage.server.sent).toHaveLength(1);
    const costs = outcomes.map((outcome) => replyOf(outcome).costMicros);
    expect(sum(costs)).toBe(sum(bounds) - 1);
    expect(costs.every((cost, place) => cost <= bounds[place]!)).toBe(true);

    const terse = new Stage();
    const request = async (taskId: string) => ({
      ...(await terse.request(taskId)),
      messages: [
        { role: 'system' as const, text: '' },
        { role: 'user' as const, text: JSON.stringify({ task: { id: taskId } }) },
      ],
      maxOutputTokens: 1,
    });
    const alone = await Promise.all(['a', 'b'].map(request));
    const replies = alone.map((each) => terse.model.complete(each, new AbortController().signal));
    const [settled] = await Promise.all([Promise.all(replies), terse.clock.advance(200)]);
    expect(terse.server.sent.map(tasksOf)).toEqual([['a'], ['b']]);
    expect(settled.every((reply) => reply.tasks === undefined)).toBe(true);
  });

  test('does not wait when nobody more can come, and waits no longer than the first wants to', async () => {
    const stage = new Stage(2);
    const two = [stage.ask('a'), stage.ask('b')];
    await stage.clock.advance(5);
    expect([...stage.held.values()]).toEqual([true, true]);
    await stage.clock.advance(10);
    expect(stage.server.sent.map(tasksOf)).toEqual([['a', 'b']]);
    await Promise.all([...two, stage.clock.advance(100)]);
    const one = stage.ask('c');
    await stage.clock.advance(29);
    expect(stage.server.sent).toHaveLength(1);
    await stage.clock.advance(11);
    expect(replyOf(await one).text).toContain('alone c');
  });

  test('is of one group, and differs in the task only; what names no group is asked at once', async () => {
    const stage = new Stage();
    await stage.all([
      ...['a', 'b'].map((id) => stage.ask(id)),
      ...['c', 'd'].map((id) => stage.ask(id, { batch: { ...batch, group: 'of another run' } })),
      ...['e', 'f'].map((id) => stage.ask(id, { model: 'small' })),
      ...['g', 'h'].map((id) => stage.ask(id, { temperature: 1 })),
      stage.ask('i', { batch: undefined } as never),
    ]);
    expect(stage.server.sent.map(tasksOf)).toEqual([['i'], ['a', 'b'], ['c', 'd'], ['e', 'f'], ['g', 'h']]);
  });

  test('is parted where it would become too long', async () => {
    const stage = new Stage();
    const instructions = 'x'.repeat(40_000);
    const requests = await Promise.all(['a', 'b', 'c'].map((id) => stage.request(id, {}, { instructions: `${id}${instructions}` })));
    const asked = requests.map((request) => stage.model.complete(request, new AbortController().signal));
    await Promise.all([...asked, stage.clock.advance(200)]);
    expect(stage.server.sent.map(tasksOf)).toEqual([['a', 'b'], ['c']]);
  });
});

describe('an answer', () => {
  const texts = async (stage: Stage, ids = ['a', 'b', 'c']) =>
    (await stage.all(ids.map((id) => stage.ask(id)))).map((each) => replyOf(each).text);

  test.each<[string, unknown[]]>([
    ['that is missing', []],
    [
      'that is there twice',
      [
        { task: 2, answer: 'x', confidence: 1 },
        { task: 2, answer: 'y', confidence: 1 },
      ],
    ],
    ['without a number', [{ answer: 'x', confidence: 1 }]],
    ['with the number of none', [{ task: 7, answer: 'x', confidence: 1 }]],
    ['that is no object', ['x', null, 5]],
  ])('%s is empty, and the others count', async (_, given) => {
    const stage = new Stage();
    const { answersTo } = stage.server;
    stage.server.answersTo = (id, number) => (id === 'b' ? given : answersTo(id, number));
    const [a, b, c] = await texts(stage);
    expect([JSON.parse(a!), b, JSON.parse(c!)]).toEqual([{ answer: 'of a', confidence: 1 }, '', { answer: 'of c', confidence: 1 }]);
  });

  test('may have its number as text, and may stand in a list without more', async () => {
    const stage = new Stage();
    stage.server.answersTo = (id, number) => [{ task: `${number}`, answer: id, confidence: 1 }];
    stage.server.cut = (text) => text.slice('{"answers":'.length, -1);
    expect((await texts(stage)).map((text) => (JSON.parse(text) as { answer: string }).answer)).toEqual(['a', 'b', 'c']);
  });

  test('before the place where a reply was cut off counts', async () => {
    const stage = new Stage();
    stage.server.answersTo = (id, number) => [{ task: number, answer: `{"of": "${id}\\"]}"}`, confidence: 1 }];
    stage.server.cut = (text) => text.slice(0, text.indexOf('"task":3') + 20);
    const [a, b, c] = await texts(stage);
    expect([a, b].map((text) => (JSON.parse(text!) as { answer: string }).answer)).toEqual(['{"of": "a\\"]}"}', '{"of": "b\\"]}"}']);
    expect(c).toBe('');
  });

  test('none at all is shared alike', async () => {
    const stage = new Stage();
    stage.server.cut = () => 'I will not.';
    const replies = (await stage.all(['a', 'b'].map((id) => stage.ask(id)))).map(replyOf);
    expect(replies.map(({ text, outputTokens }) => [text, outputTokens])).toEqual([
      ['', 16],
      ['', 15],
    ]);
  });
});

describe('whoever leaves', () => {
  const leaving = (afterMs: number) => {
    const stage = new Stage();
    const stop = new AbortController();
    const asked = [stage.ask('a'), stage.ask('b', {}, stop.signal), stage.ask('c')];
    void stage.clock.after(afterMs, () => stop.abort());
    return { stage, outcomes: stage.all(asked) };
  };

  test('while the others gather is not asked for', async () => {
    const { stage, outcomes } = leaving(5);
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(stage.server.sent.map(tasksOf)).toEqual([['a', 'c']]);
  });

  test('while the call waits to be sent is not asked for either, and has paid nothing', async () => {
    const { stage, outcomes } = leaving(25);
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(stage.server.sent.map(tasksOf)).toEqual([['a', 'c']]);
    expect(stage.held.get('b')).toBe(true);
  });

  test('when it is on its way leaves the others their answers and their shares', async () => {
    const { stage, outcomes } = leaving(35);
    const settled = await outcomes;
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(stage.server.sent.map(tasksOf)).toEqual([['a', 'b', 'c']]);
    expect(stage.held.get('b')).toBe(false);
    const shares = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value.inputTokens] : []));
    expect(sum(shares)).toBeLessThan(97);
  });

  test.each([5, 25])('with all others, at %d ms, ends the call before it is sent', async (afterMs) => {
    const stage = new Stage();
    const stop = new AbortController();
    const asked = ['a', 'b'].map((id) => stage.ask(id, {}, stop.signal));
    void stage.clock.after(afterMs, () => stop.abort());
    expect((await stage.all(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(stage.server.sent).toEqual([]);
  });

  test('last stops the call that is on its way', async () => {
    const stage = new Stage();
    const stops = [new AbortController(), new AbortController()];
    let stopped: boolean | undefined;
    const { complete } = stage.server;
    stage.server.complete = async (request, signal) => {
      signal.addEventListener('abort', () => (stopped = true));
      return complete.call(stage.server, request, signal);
    };
    const asked = ['a', 'b'].map((id, place) => stage.ask(id, {}, stops[place]!.signal));
    await stage.clock.advance(35);
    stops[0]!.abort();
    expect(stopped).toBeUndefined();
    stops[1]!.abort();
    expect(stopped).toBe(true);
    await stage.all(asked);
  });
});

test.each<[string, string]>([
  ['model-context-exceeded', 'model-batch-refused'],
  ['model-rejected', 'model-batch-refused'],
  ['model-refused', 'model-batch-refused'],
  ['model-unavailable', 'model-unavailable'],
  ['model-busy', 'model-busy'],
])('a call that ends with %s ends for each with %s, and cost the same', async (code, told) => {
  const stage = new Stage();
  stage.server.error = new CadreError(code, 'So.', { billed: 'no' });
  const outcomes = await stage.all(['a', 'b'].map((id) => stage.ask(id)));
  for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: told, billed: 'no' } });
});

test('whoever leaves when, and whatever is answered: nobody is asked for twice or with strangers, and the shares are the bill', async () => {
  const member = fc.record({
    group: fc.constantFrom('run 1', 'run 2', 'run 1 of another tenant'),
    leavesAt: fc.constantFrom(undefined, undefined, undefined, 5, 25, 35),
    answer: fc.constantFrom('given', 'given', 'missing', 'twice'),
  });
  const usage = fc.record({ inputTokens: fc.nat(5000), outputTokens: fc.nat(5000), costMicros: fc.nat(3000) });
  await fc.assert(
    fc.asyncProperty(fc.array(member, { minLength: 1, maxLength: 12 }), usage, async (members, used) => {
      const stage = new Stage();
      stage.server.usage = used;
      const { answersTo } = stage.server;
      stage.server.answersTo = (id, number) => {
        const one = answersTo(id, number);
        const { answer } = members[Number(id.slice(1))]!;
        return answer === 'given' ? one : answer === 'twice' ? [...one, ...one] : [];
      };
      const asked = members.map(({ group, leavesAt }, place) => {
        const stop = new AbortController();
        if (leavesAt !== undefined) void stage.clock.after(leavesAt, () => stop.abort());
        return stage.ask(`t${place}`, { batch: { ...batch, group } }, stop.signal);
      });
      const outcomes = await stage.all(asked);
      const calls = stage.server.sent.map((request) => tasksOf(request).map((id) => Number(id.slice(1))));
      for (const call of calls) expect(new Set(call.map((place) => members[place]!.group)).size).toBe(1);
      expect(new Set(calls.flat()).size).toBe(calls.flat().length);
      for (const [place, { leavesAt = Infinity }] of members.entries()) {
        // Who leaves late is in the call, unless it had to be put together anew: then nothing was paid for.
        const isIn = leavesAt === 35 ? !stage.held.get(`t${place}`) : leavesAt > 35;
        expect([place, calls.flat().includes(place)]).toEqual([place, isIn]);
      }
      for (const [place, outcome] of outcomes.entries()) {
        const { leavesAt, answer } = members[place]!;
        expect(outcome.status).toBe(leavesAt === undefined ? 'fulfilled' : 'rejected');
        if (outcome.status === 'rejected' || outcome.value.tasks === undefined) continue;
        expect(outcome.value.text).toBe(answer === 'given' ? JSON.stringify({ answer: `of t${place}`, confidence: 1 }) : '');
      }
      for (const call of calls) {
        const paid = call.map((place) => outcomes[place]!).flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
        for (const count of ['inputTokens', 'outputTokens', 'costMicros'] as const) {
          const share = sum(paid.map((reply) => reply[count]));
          if (paid.length === call.length) expect(share).toBe(used[count]);
          else expect(share).toBeLessThanOrEqual(used[count]);
        }
      }
    }),
    { numRuns: 60 },
  );
});
