/** Commands, replies, events and the feed. */
import fc from 'fast-check';
import { Heartbeat, OfferBatch } from './agents.js';
import { Command, CommandBatch, CommandReply } from './commands.js';
import { CadreError } from './errors.js';
import { Block, Commit, RunEvent } from './events.js';
import { compareFeedPositions, FeedEvent, FeedPosition, IngressEvent, toFeedEvents } from './feed.js';
import { makeRunId } from './ids.js';
import { jsonSchemas } from './json-schemas.js';
import { valuesOfSchema } from './testing/values-of-schema.js';
import { NO_USAGE } from './values.js';
import { isTerminal, RUN_STATUSES } from './views.js';

const runId = makeRunId(0, '00000000-0000-7000-8000-000000000001');
const valuesOf = (message: string) => valuesOfSchema(jsonSchemas().find(({ name }) => name === message)!.schema);

describe('commands', () => {
  const commands = valuesOf('Command').map((value) => value as Command);

  test('an unknown field is refused, whatever the command', () => {
    fc.assert(
      fc.property(commands, (command) => {
        expect(Command.safeParse(command).success).toBe(true);
        const fault = Command.safeParse({ ...command, surprise: 1 }).error;
        expect(fault?.issues[0]).toMatchObject({ code: 'unrecognized_keys', keys: ['surprise'] });
      }),
      { numRuns: 50 },
    );
  });

  test('each field but the optional ones is needed', () => {
    const optional: Partial<Record<Command['type'], string[]>> = {
      StartRun: ['plan', 'morePlan', 'params'],
      StartAttempt: ['tools', 'agentCapMicros', 'life', 'insteadOf', 'modelTimeoutMs', 'figures', 'queuedMs'],
      RecordCalls: ['settle', 'reserve'],
      CompleteAttempt: ['settle', 'next'],
      FailAttempt: ['settle', 'fresh', 'cause'],
      ReleaseAttempt: ['settle'],
      DelegateWork: ['settle', 'handOff'],
      AnswerQuestion: ['note', 'raiseMicros', 'result'],
      WakeTask: ['event'],
    };
    fc.assert(
      fc.property(commands, (command) => {
        const mayLack = ['traceparent', ...(optional[command.type] ?? [])];
        for (const field of Object.keys(command).filter((name) => !mayLack.includes(name))) {
          const without = Object.fromEntries(Object.entries(command).filter(([name]) => name !== field));
          expect(Command.safeParse(without).success).toBe(false);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('another type is refused', () => {
    expect(Command.safeParse({ type: 'DropRun', id: 'c', runId }).success).toBe(false);
    expect(Command.safeParse(null).success).toBe(false);
  });

  test('attempts count from 1', () => {
    const expire = (attempt: unknown) => Command.safeParse({ type: 'ExpireAttempt', id: 'c', runId, taskId: 'a', attempt }).success;
    expect([1, 2].every(expire)).toBe(true);
    expect([0, -1, 1.5, '1'].some(expire)).toBe(false);
  });

  test('a call key is 32 hex digits, a try counts from 1, a question id is q and a number', () => {
    const reserve = (change: object) => {
      const call = { key: 'a'.repeat(32), try: 1, kind: 'tool', name: 'read_file', maxCostMicros: 0, ...change };
      return Command.safeParse({ type: 'RecordCalls', id: 'c', runId, taskId: 'a', attempt: 1, workerId: 'w', reserve: [call] }).success;
    };
    expect([{}, { effect: 'once' }, { try: 2 }, { unpriced: true }].every(reserve)).toBe(true);
    expect(
      [{ key: 'a' }, { key: 'A'.repeat(32) }, { try: 0 }, { effect: 'twice' }, { maxCostMicros: -1 }, { unpriced: false }].some(reserve),
    ).toBe(false);
    const expire = (questionId: string) => Command.safeParse({ type: 'ExpireQuestion', id: 'c', runId, questionId }).success;
    expect(['q1', 'q999999999'].every(expire)).toBe(true);
    expect(['', 'q', '1', 'Q1', 'q1 ', 'q-1'].some(expire)).toBe(false);
  });

  test('a batch holds 1 to 1000 of whatever they are: each is checked by itself', () => {
    const batch = (count: number) =>
      CommandBatch.safeParse({ commands: Array.from({ length: count }, () => ({ type: 'nonsense' })) }).success;
    expect([1, 1000].every(batch)).toBe(true);
    expect([0, 1001].some(batch)).toBe(false);
  });

  test('a refusal says why, with a known code', () => {
    expect(CommandReply.safeParse({ id: 'c', outcome: 'rejected', code: 'attempt-closed', message: 'too late' }).success).toBe(true);
    expect(CommandReply.safeParse({ id: 'c', outcome: 'rejected', code: 'because', message: 'no' }).success).toBe(false);
    expect(CommandReply.safeParse({ id: 'c', outcome: 'rejected', code: 'attempt-closed' }).success).toBe(false);
  });
});

describe('events and blocks', () => {
  const commit: Commit = { runId, seq: 1, at: 0, cause: 'c', events: [{ type: 'CancelRequested', reason: '', graceUntil: 0 }] };
  const block = { v: 1, id: 'b', shard: 0, owner: 'o', kind: 'commits', at: 0, commits: [commit] };

  test('a commit has a number from 1 and at least one event', () => {
    expect(Commit.safeParse(commit).success).toBe(true);
    expect(Commit.safeParse({ ...commit, seq: 0 }).success).toBe(false);
    expect(Commit.safeParse({ ...commit, events: [] }).success).toBe(false);
    expect(RunEvent.safeParse({ ...commit.events[0], extra: 1 }).success).toBe(false);
  });

  test('a claim is a block without commits; another version is refused', () => {
    expect(Block.safeParse(block).success).toBe(true);
    expect(Block.safeParse({ ...block, kind: 'claim', commits: [] }).success).toBe(true);
    expect(Block.safeParse({ ...block, v: 2 }).success).toBe(false);
    expect(Block.safeParse({ ...block, shard: 100 }).success).toBe(false);
  });
});

describe('the feed', () => {
  const commits = valuesOf('Commit').map((value) => value as Commit);

  test('has one CloudEvent for each event, in order, with ids that are unique and sort', () => {
    fc.assert(
      fc.property(commits, (drawn) => {
        const commit = { ...drawn, at: drawn.at % 8_640_000_000_000_000 };
        const feed = toFeedEvents('default', commit);
        expect(feed.map(({ data }) => data)).toEqual(commit.events);
        for (const [index, event] of feed.entries()) {
          expect(FeedEvent.parse(event)).toEqual(event);
          expect(event).toMatchObject({ source: '/cadre/default', subject: commit.runId, type: `cadre.${commit.events[index]!.type}` });
          expect(event.id).toBe(`${commit.runId}/${commit.seq}.${index}`);
          expect(Date.parse(event.time)).toBe(commit.at);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('an example', () => {
    const events: Commit['events'] = [
      { type: 'TaskCancelled', taskId: 'a' },
      { type: 'RunCancelled', reason: 'enough', artifacts: [], usage: NO_USAGE },
    ];
    const feed = toFeedEvents('acme', { runId, seq: 12, at: Date.UTC(2026, 10, 20), cause: 'c', events });
    expect(feed[1]).toEqual({
      specversion: '1.0',
      id: `${runId}/12.1`,
      source: '/cadre/acme',
      type: 'cadre.RunCancelled',
      subject: runId,
      time: '2026-11-20T00:00:00.000Z',
      datacontenttype: 'application/json',
      data: events[1],
    });
  });

  test('positions compare as numbers, not as texts', () => {
    expect(['10.0', '2.0', '2.10', '2.9', '1.0'].sort(compareFeedPositions)).toEqual(['1.0', '2.0', '2.9', '2.10', '10.0']);
    const positions = fc.tuple(fc.nat({ max: 1e12 - 1 }), fc.nat({ max: 999_999 }));
    fc.assert(
      fc.property(positions, positions, ([aSeq, aIndex], [bSeq, bIndex]) => {
        const [a, b] = [`${aSeq}.${aIndex}`, `${bSeq}.${bIndex}`];
        expect([FeedPosition.safeParse(a).success, FeedPosition.safeParse(b).success]).toEqual([true, true]);
        expect(Math.sign(compareFeedPositions(a, b))).toBe(aSeq === bSeq ? Math.sign(aIndex - bIndex) : Math.sign(aSeq - bSeq));
        expect(compareFeedPositions(a, b) + compareFeedPositions(b, a)).toBe(0);
      }),
    );
  });

  test.each(['', '12', '12.', '.0', '-1.0', '1.0.0', '1e3.0', 'a.b', '1.0 ', '1234567890123.0'])('%j is no position', (text) => {
    expect(FeedPosition.safeParse(text).success).toBe(false);
  });

  test('an event from outside may have extension attributes, but needs what CloudEvents requires', () => {
    const event = { specversion: '1.0', id: '1', source: '/shop', type: 'run.start', data: { goal: 'g' } };
    expect(IngressEvent.parse({ ...event, comexample: 'x' })).toEqual({ ...event, comexample: 'x' });
    for (const wrong of [{ specversion: '0.3' }, { id: '' }, { source: undefined }, { type: 7 }, { data: undefined }]) {
      expect(IngressEvent.safeParse({ ...event, ...wrong }).success).toBe(false);
    }
  });
});

describe('workers', () => {
  const agent = { name: 'planner', description: '', skills: ['planning'] };
  const beat = {
    workerId: 'w',
    epoch: 'e1',
    seq: 0,
    at: 0,
    startedAt: 0,
    specialty: 'generalist',
    state: 'idle',
    agents: [agent],
    slots: 1,
    held: [],
  };

  test('a heartbeat names a worker that is one subject token and hosts an agent', () => {
    expect(Heartbeat.safeParse(beat).success).toBe(true);
    for (const wrong of [{ workerId: 'a.b' }, { epoch: 'a.b' }, { agents: [] }, { state: 'asleep' }, { seq: -1 }, { load: 1 }]) {
      expect(Heartbeat.safeParse({ ...beat, ...wrong }).success).toBe(false);
    }
  });

  test('a message of offers holds 1 to 250', () => {
    const offer = { runId, taskId: 'a', attempt: 1, agent: 'planner', turn: { tenant: 'default', atWork: 1, urgency: 2 } };
    const fits = (count: number) => OfferBatch.safeParse({ offers: Array.from({ length: count }, () => offer) }).success;
    expect([1, 250].every(fits)).toBe(true);
    expect([0, 251].some(fits)).toBe(false);
  });
});

test('statuses that are an end', () => {
  expect(RUN_STATUSES.filter(isTerminal)).toEqual(['completed', 'failed', 'cancelled']);
});

test('an error keeps its code, remedy and cause', () => {
  const cause = new Error('below');
  const error = new CadreError('no-server', 'There is no server.', { retriable: true, remedy: 'Start one.', cause });
  expect(error).toMatchObject({ name: 'CadreError', code: 'no-server', retriable: true, remedy: 'Start one.', cause });
  expect(new CadreError('x', 'y')).toMatchObject({ retriable: false, remedy: undefined });
  expect('cause' in new CadreError('x', 'y')).toBe(false);
});
