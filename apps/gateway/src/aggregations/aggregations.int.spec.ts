import {
  NO_USAGE,
  RunAccepted,
  utf8Bytes,
  type Problem,
  type RunEvent,
  type RunId,
  type RunView,
  type StartRun,
  type TaskSpec,
} from '@cadre/contracts';
import { decide, type RunState } from '@cadre/engine';
import { JetStreamBlobs } from '@cadre/event-log';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { fairShare } from './fair-share.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

async function send(path: string, body: unknown, head: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.url}/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...head },
    body: JSON.stringify(body),
  });
}

/** A run as the history has it. */
async function run(goal: string, view: Partial<RunView> = {}): Promise<RunId> {
  const { runId } = RunAccepted.parse(await (await send('runs', { goal })).json());
  Object.assign(gateway.monitor.runs.get(runId)!, view);
  return runId;
}

const ended = (answer: unknown, more: Partial<RunView> = {}): Partial<RunView> => ({
  ...{ status: 'completed', partial: false, answer: { text: typeof answer === 'string' ? answer : JSON.stringify(answer) } },
  ...more,
});
const sureOf = (confidence: number): Partial<RunView> => ({
  tasks: [
    {
      ...{ taskId: 'work', title: 'Work', status: 'completed', priority: 'medium', skills: [], dependsOn: [], require: 'all', attempt: 1 },
      ...{ confidence, artifacts: [], usage: NO_USAGE },
    },
  ],
});

async function aggregate(body: unknown, head?: Record<string, string>): Promise<StartRun> {
  const response = await send('aggregations', body, head);
  expect(response.status).toBe(202);
  const { runId } = RunAccepted.parse(await response.json());
  return gateway.owner.runs.get(runId)!.start;
}

/** What the engine makes of it: the events of the one commit. */
function decided(start: StartRun): RunEvent[] {
  const decision = decide(undefined as RunState | undefined, start, { now: 1, random: 0 });
  if (decision.outcome !== 'accepted') throw new Error(JSON.stringify(decision));
  return decision.events;
}

function answerOf(start: StartRun): unknown {
  const last = decided(start).at(-1)!;
  if (last.type !== 'RunCompleted') throw new Error(JSON.stringify(last));
  return 'text' in last.answer ? JSON.parse(last.answer.text) : last.answer;
}

const scopeOf = (start: StartRun): NonNullable<TaskSpec['scope']> => start.plan!.tasks[0]!.scope!;

test('results are put together by a rule of the engine, in one commit, named by their runs', async () => {
  const [ann, bob] = [await run('Ann', ended({ x: 1, y: 2 }, sureOf(0.4))), await run('Bob', ended({ y: 3 }, sureOf(0.8)))];
  const merged = await aggregate({ runs: [ann, bob], combine: { by: 'merge' } });
  expect(merged).toMatchObject({
    goal: 'Aggregate the results of 2 runs',
    options: { summarize: false, labels: { aggregation: 'merge' } },
  });
  expect(answerOf(merged)).toEqual({
    result: { x: 1, y: 3 },
    conflicts: [
      {
        field: 'y',
        kept: bob,
        values: [
          { by: ann, confidence: 0.4, value: 2 },
          { by: bob, confidence: 0.8, value: 3 },
        ],
      },
    ],
  });
  expect(answerOf(await aggregate({ runs: [ann, bob], combine: { by: 'object' } }))).toEqual({ [ann]: { x: 1, y: 2 }, [bob]: { y: 3 } });
  expect(answerOf(await aggregate({ runs: [ann, bob], combine: { by: 'best' } }))).toEqual({ y: 3 });
  const gated = await aggregate({ runs: [ann, bob], combine: { by: 'list' }, gate: { minConfidence: 0.5 } });
  expect(answerOf(gated)).toEqual([{ y: 3 }]);
  expect(decided(gated).at(-1)).toMatchObject({ partial: true });
});

test('an agent of your own, or the one that writes answers, is asked once', async () => {
  const runs = [await run('One', ended('1')), await run('Two', ended('2'))];
  const custom = await aggregate({ runs, combine: { by: 'custom', agent: 'blender' }, goal: 'Blend them' });
  expect(custom.plan!.tasks).toMatchObject([{ agent: 'blender', instructions: 'Blend them', scope: { combine: { by: 'custom' } } }]);
  expect(decided(custom).at(-1)).toMatchObject({ type: 'AttemptScheduled', taskId: 'aggregate', agent: 'blender', joined: 'whole' });
  const summary = await aggregate({ runs, combine: { by: 'summary', instructions: 'In one line.' } });
  expect(summary.plan!.tasks).toMatchObject([{ skills: ['synthesis'], instructions: 'In one line.' }]);
});

test('what failed or goes on is an error, or is left out where that is asked for', async () => {
  const done = await run('Done', ended({ choice: 'tea' }));
  const failed = await run('Failed', { status: 'failed', error: { code: 'no-results', message: 'nothing came', retriable: false } });
  const open = await run('Open');
  const runs = [done, failed, open];
  const response = await send('aggregations', { runs, combine: { by: 'vote' } });
  const problem = (await response.json()) as Problem;
  expect(response.status).toBe(422);
  expect(problem.errors).toEqual([
    { path: 'runs[1]', message: `run ${failed} failed: nothing came` },
    { path: 'runs[2]', message: `run ${open} has not ended (running)` },
  ]);
  expect(problem.remedy).toContain('"partial": true');
  const start = await aggregate({ runs, combine: { by: 'vote' }, partial: true });
  expect(answerOf(start)).toMatchObject({ choice: 'tea', votes: 1, voters: 3 });
  expect(decided(start).at(-1)).toMatchObject({ partial: true });
  const strict = decided(await aggregate({ runs, combine: { by: 'vote' }, partial: true, need: 2 }));
  expect(strict.at(-1)).toMatchObject({ type: 'RunFailed', error: { message: expect.stringContaining('2 of 3 items') } });
  expect((await send('aggregations', { runs: [failed], combine: { by: 'list' }, partial: true })).status).toBe(422);
});

test('what is partial already makes the whole so', async () => {
  const start = await aggregate({ runs: [await run('Part', ended('1', { partial: true }))], combine: { by: 'list' } });
  expect(decided(start).at(-1)).toMatchObject({ type: 'RunCompleted', partial: true });
});

test('artifacts of the same name stay apart; long answers are referred to, and the whole fits into a commit however many there are', async () => {
  const artifacts = Array.from({ length: 40 }, (_, i) => ({
    name: i === 0 ? 'report.md' : `${'n'.repeat(170)}${i}.csv`,
    sha256: 'a'.repeat(64),
    size: 9,
    mediaType: 'text/csv',
  }));
  const long = '"\n'.repeat(8000);
  const ref = { sha256: 'b'.repeat(64), size: 20_000, mediaType: 'text/markdown' };
  const runs: RunId[] = [];
  for (let i = 0; i < 100; i += 1) {
    const answer = i === 0 ? { text: 'short' } : i === 1 ? { ref, preview: 'é'.repeat(400) } : { text: long + i };
    runs.push(await run(`Run ${i} ${'g'.repeat(300)}`, ended('', { answer, artifacts })));
  }
  const start = await aggregate({ runs, combine: { by: 'concat' } });
  const [first, second, third] = scopeOf(start).body as [TaskSpec, TaskSpec, TaskSpec];
  expect(first.given).toMatchObject({ answer: { text: 'short' }, artifacts: [{ name: `${runs[0]}/report.md` }] });
  expect(second.given).toMatchObject({ answer: { ref }, artifacts: [{ name: `${runs[1]}/answer.md`, sha256: ref.sha256 }] });
  expect(third.given).toMatchObject({ answer: { preview: expect.stringMatching(/^"\n/) } });
  const blobs = await JetStreamBlobs.open(gateway.nats);
  const kept = third.given as { answer: { ref: typeof ref } };
  expect(Buffer.from(await blobs.get(kept.answer.ref)).toString()).toBe(`${long}2`);
  blobs.close();
  expect(utf8Bytes(JSON.stringify(start))).toBeLessThan(300_000);
  // A commit of 700 KiB is the largest that can be stored.
  expect(utf8Bytes(JSON.stringify(decided(start)))).toBeLessThan(600_000);
  expect(decided(start).at(-1)).toMatchObject({ type: 'RunCompleted', partial: false });
  const [one, two] = scopeOf(await aggregate({ runs: runs.slice(0, 2), combine: { by: 'list' } })).body as [TaskSpec, TaskSpec];
  expect(one.given).toMatchObject({ artifacts: { length: 40 } });
  expect(two.given).toMatchObject({ artifacts: { length: 41 } });
});

test('the same request with the same key is the same run, also when its runs have moved on meanwhile', async () => {
  const [done, open] = [await run('Done', ended('1')), await run('Open')];
  const body = { runs: [done, open], combine: { by: 'list' }, partial: true };
  const start = await aggregate(body, { 'idempotency-key': 'sum-1' });
  Object.assign(gateway.monitor.runs.get(open)!, ended('2'));
  const again = await send('aggregations', body, { 'idempotency-key': 'sum-1' });
  expect([again.status, RunAccepted.parse(await again.json()).runId]).toEqual([200, start.runId]);
  expect((await send('aggregations', { ...body, runs: [done] }, { 'idempotency-key': 'sum-1' })).status).toBe(409);
});

const known = 'r00-00000000-0000-7000-8000-000000000000';
test.each<[string, unknown, number, string]>([
  ['no runs', { runs: [], combine: { by: 'list' } }, 400, 'runs'],
  ['no rule', { runs: [known] }, 400, 'combine'],
  ['an unknown rule', { runs: [known], combine: { by: 'magic' } }, 400, 'combine.by'],
  ['no agent', { runs: [known], combine: { by: 'custom' } }, 400, 'combine.agent'],
  ['a run twice', { runs: [known, known], combine: { by: 'list' } }, 400, 'is named twice'],
  ['a run of no shard', { runs: [known.replace('r00', 'r77')], combine: { by: 'list' } }, 400, 'there is no run r77'],
  ['an unknown run', { runs: [known], combine: { by: 'list' } }, 404, 'There is no run'],
])('%s is refused', async (_, body, status, word) => {
  const response = await send('aggregations', body);
  expect([response.status, JSON.stringify(await response.json())]).toEqual([status, expect.stringContaining(word)]);
});

test('a faulty expression is told with its place, and nothing starts', async () => {
  const before = gateway.owner.runs.size + 1;
  const response = await send('aggregations', {
    runs: [await run('Done', ended('1'))],
    combine: { by: 'list' },
    gate: { where: 'value >' },
  });
  expect([response.status, JSON.stringify(await response.json())]).toEqual([
    422,
    expect.stringContaining('The gate of task aggregate is wrong'),
  ]);
  expect(gateway.owner.runs.size).toBe(before);
});

test('what small ones leave is for the others', () => {
  expect(fairShare([1, 2, 3], 100)).toBeGreaterThanOrEqual(3);
  expect(fairShare([10, 500, 500], 110)).toBe(50);
  expect(fairShare([], 10)).toBe(10);
});
