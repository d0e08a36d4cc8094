/** What every form of the read model must do; run against PGlite and against PostgreSQL. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HistoryAnswer, HistoryQuery, type Commit, type HistoryQueryInput, type RunView } from '@cadre/contracts';
import { checkInvariants, emptyShard, foldBlock, foldCommit, type RunState } from '@cadre/engine';
import { EngineRig, result, RUN_ID, startBody, task } from '@cadre/engine/testing';
import type { HistoryStore } from '../history-store.js';
import { runView } from '../run-view.js';
import { askingRun, cancelledRun, openRun, sampleRun, sampleRunId, toBlocks, waitingRun } from './sample-log.js';

export interface HistoryUnderTest {
  store: HistoryStore;
  /** A second store over the same database where that is possible. */
  another?: () => Promise<HistoryStore>;
  close(): Promise<void>;
}

/** Each test uses a shard of its own, so that one database serves all. */
export function historyContract(name: string, open: () => Promise<HistoryUnderTest>): void {
  describe(`the read model on ${name}`, () => {
    let under: HistoryUnderTest;
    beforeAll(async () => {
      under = await open();
    }, 60_000);
    afterAll(async () => {
      await under?.close();
    });
    const store = () => under.store;
    foldingTests(store);
    exactlyOnceTests(store);
    queryTests(store);
    callTests(store);
    questionTests(store);
    waitTests(store);
    accountTests(store);
    listTests(store);
    rebuildTests(store);
    sharedTests(() => under);
  });
}

async function ask(store: HistoryStore, query: HistoryQueryInput, bytes?: number): Promise<HistoryAnswer> {
  const answer = await store.query(HistoryQuery.parse(query), bytes === undefined ? {} : { bytes });
  return HistoryAnswer.parse(answer);
}

async function getRun(store: HistoryStore, runId: string, tenant = 'default'): Promise<RunView> {
  const answer = await ask(store, { type: 'GetRun', tenant, runId });
  if (answer.type !== 'Run') throw new Error(`expected the run, got ${JSON.stringify(answer)}`);
  return answer.run;
}

function folded(commits: readonly Commit[]): RunState {
  let state: RunState | undefined;
  for (const commit of commits) state = foldCommit(state, commit);
  if (!state) throw new Error('no commits');
  return state;
}

function foldingTests(store: () => HistoryStore): void {
  test('the view equals the fold of the commits at every step, also when state is read back', async () => {
    const commits = sampleRun({ runId: sampleRunId(1, 1) });
    for (let i = 0; i < commits.length; i += 1) {
      await store().apply(1, toBlocks(commits, 1, 1, 1).slice(i, i + 1));
      expect(await getRun(store(), sampleRunId(1, 1))).toEqual(runView(folded(commits.slice(0, i + 1))));
    }
    expect((await getRun(store(), sampleRunId(1, 1))).tasks.map((task) => task.taskId)).toEqual(['zeta', 'a', 'later']);
  });

  test('an earlier result that stands for a task is told as such', async () => {
    const rig = new EngineRig();
    const cachedFrom = { runId: sampleRunId(7, 31), taskId: 'map~0~count' };
    const runId = sampleRunId(1, 31);
    rig.send(startBody([task('a'), task('b')], { summarize: false }), runId);
    for (const id of ['a', 'b']) {
      rig.begin(id, 'w1', runId);
      const given = result('kept', id === 'a' ? { cachedFrom } : {});
      rig.send({ type: 'CompleteAttempt', taskId: id, attempt: 1, workerId: 'w1', result: given }, runId);
    }
    await store().apply(31, rig.blocks);
    expect((await getRun(store(), runId)).tasks.map((each) => each.cachedFrom)).toEqual([cachedFrom, undefined]);
  });

  test('one batch gives the same as many', async () => {
    const commits = [...sampleRun({ runId: sampleRunId(1, 2) }), ...cancelledRun({ runId: sampleRunId(2, 2) })];
    const outcome = await store().apply(2, toBlocks(commits, 3, 1, 2));
    expect(outcome).toMatchObject({ position: 5, skipped: [] });
    expect(outcome.folded.map((each) => each.commit)).toEqual(commits);
    expect(await getRun(store(), sampleRunId(1, 2))).toEqual(runView(folded(sampleRun({ runId: sampleRunId(1, 2) }))));
    expect(await getRun(store(), sampleRunId(2, 2))).toMatchObject({ status: 'cancelled', cancelReason: 'not needed', tasksDone: 1 });
  });

  test('what the engine decides reads as its invariants want it', async () => {
    const rig = new EngineRig();
    rig.start([task('a'), task('b', { dependsOn: ['a'] }), task('c')], { continueOnFailure: true });
    for (const step of [() => rig.complete('a'), () => rig.fail('c'), () => rig.complete('b')]) {
      step();
      await store().apply(12, rig.blocks);
      const views = [await getRun(store(), RUN_ID)];
      expect(checkInvariants({ blocks: rig.blocks, views, viewsComplete: true })).toEqual([]);
    }
  });

  test('keeps odd characters', async () => {
    const runId = sampleRunId(1, 3);
    const answer = 'NUL \0, half a pair \ud800, quote " \' \\ {} , é 漢 🙂';
    await store().apply(3, toBlocks(sampleRun({ runId, goal: `odd ${answer}`, answer }), 20, 1, 3));
    const run = await getRun(store(), runId);
    expect(run.tasks[0]?.answer).toEqual({ text: answer });
    expect(run.goal).toBe(`odd ${answer}`);
  });

  test('a damaged commit is left out and reported; other runs go on', async () => {
    const good = openRun({ runId: sampleRunId(1, 4) });
    const bad = sampleRun({ runId: sampleRunId(2, 4) });
    const outcome = await store().apply(4, toBlocks([...bad.slice(0, 2), ...bad.slice(3), ...good], 1, 1, 4));
    expect(outcome.skipped.map((each) => each.commit.seq)).toEqual([4, 5, 6, 7, 8, 9, 10]);
    expect(await getRun(store(), sampleRunId(1, 4))).toMatchObject({ status: 'running' });
    const later = await store().apply(4, toBlocks(bad.slice(3, 4), 1, outcome.position + 1, 4));
    expect(later.skipped).toHaveLength(1);
  });
}

function exactlyOnceTests(store: () => HistoryStore): void {
  test('repeated and older blocks are passed over, a gap is refused', async () => {
    const blocks = toBlocks(sampleRun({ runId: sampleRunId(1, 5) }), 1, 1, 5);
    await store().apply(5, blocks.slice(0, 4));
    const again = await store().apply(5, blocks.slice(1, 6));
    expect(again.position).toBe(6);
    expect(again.folded.map((each) => each.commit.seq)).toEqual([5, 6]);
    expect((await store().apply(5, blocks.slice(0, 3))).folded).toEqual([]);
    await expect(store().apply(5, blocks.slice(7))).rejects.toMatchObject({ code: 'history-gap' });
    expect(await store().position(5)).toBe(6);
    await store().apply(5, blocks.slice(6));
    expect(await getRun(store(), sampleRunId(1, 5))).toMatchObject({ status: 'completed', seq: 10 });
  });

  test('when what comes before the write fails, nothing of the batch is there, and it can be applied again', async () => {
    const blocks = toBlocks(sampleRun({ runId: sampleRunId(1, 6) }), 1, 1, 6);
    await store().apply(6, blocks.slice(0, 2));
    const broken = store().apply(6, blocks.slice(2), () => Promise.reject(new Error('the feed is down')));
    await expect(broken).rejects.toThrow('the feed is down');
    expect(await store().position(6)).toBe(2);
    expect(await getRun(store(), sampleRunId(1, 6))).toMatchObject({ seq: 2 });
    const seen: number[] = [];
    await store().apply(6, blocks.slice(2), async (all) => void seen.push(...all.map((each) => each.commit.seq)));
    expect(seen).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await getRun(store(), sampleRunId(1, 6))).toMatchObject({ status: 'completed' });
  });
}

function queryTests(store: () => HistoryStore): void {
  test('calls and events of a run', async () => {
    const runId = sampleRunId(1, 7);
    const commits = sampleRun({ runId });
    await store().apply(7, toBlocks(commits, 4, 1, 7));
    const calls = await ask(store(), { type: 'GetCalls', tenant: 'default', runId });
    expect(calls).toMatchObject({
      type: 'Calls',
      calls: [
        { key: 'a'.repeat(32), kind: 'model', taskId: 'zeta', attempt: 2, outcome: 'done', costMicros: 22, maxCostMicros: 25 },
        { kind: 'tool', name: 'read_file', effect: 'none' },
      ],
    });
    expect(await ask(store(), { type: 'GetCalls', tenant: 'default', runId }, 1500)).toMatchObject({ calls: [{}], more: true });
    const all = await ask(store(), { type: 'GetEvents', tenant: 'default', runId });
    if (all.type !== 'Events') throw new Error('no events');
    expect(all.more).toBe(false);
    expect(all.events.map((event) => event.data)).toEqual(commits.flatMap((commit) => commit.events));
    const some = await ask(store(), { type: 'GetEvents', tenant: 'default', runId, after: '3.0', limit: 3 });
    expect(some).toMatchObject({ more: true, events: [{ id: `${runId}/3.1` }, { id: `${runId}/4.0` }, { id: `${runId}/5.0` }] });
    expect(await ask(store(), { type: 'GetEvents', tenant: 'default', runId, after: '10.1' })).toMatchObject({ events: [], more: false });
  });

  test('pages of events are cut to size, and each makes progress', async () => {
    const runId = sampleRunId(2, 7);
    await store().apply(7, toBlocks(sampleRun({ runId, answer: 'x'.repeat(3000) }), 20, 4, 7));
    let after: string | undefined;
    let count = 0;
    for (let more = true; more;) {
      const page = await ask(store(), { type: 'GetEvents', tenant: 'default', runId, ...(after !== undefined && { after }) }, 2500);
      if (page.type !== 'Events') throw new Error('no events');
      count += page.events.length;
      after = page.events.at(-1)?.id.split('/')[1];
      more = page.more;
    }
    expect(count).toBe(16);
    const run = await ask(store(), { type: 'GetRun', tenant: 'default', runId }, 5500);
    expect(run).toMatchObject({ type: 'Run', run: { tasks: [{ taskId: 'zeta', confidence: 0.8 }, {}, {}] } });
    expect(run.type === 'Run' && 'answer' in (run.run.tasks[0] ?? {})).toBe(false);
  });

  test('another tenant sees nothing; wrong positions and cursors are refused', async () => {
    const runId = sampleRunId(1, 8);
    await store().apply(8, toBlocks(sampleRun({ runId, tenant: 'mine' }), 20, 1, 8));
    for (const type of ['GetRun', 'GetCalls', 'GetQuestions', 'GetEvents'] as const) {
      expect(await ask(store(), { type, tenant: 'other', runId })).toEqual({ type: 'NotFound' });
      expect((await ask(store(), { type, tenant: 'mine', runId })).type).not.toBe('NotFound');
    }
    expect(await ask(store(), { type: 'ListRuns', tenant: 'nobody' })).toEqual({ type: 'Runs', page: { runs: [] } });
    expect(await ask(store(), { type: 'GetEvents', tenant: 'mine', runId, after: 'x' })).toMatchObject({ type: 'Invalid' });
    expect(await ask(store(), { type: 'ListRuns', tenant: 'mine', cursor: "' or 1=1" })).toMatchObject({ type: 'Invalid' });
    expect(await ask(store(), { type: 'GetPosition', shard: 8 })).toEqual({ type: 'Position', seq: 1 });
  });
}

function callTests(store: () => HistoryStore): void {
  const callsOf = async (runId: string) => {
    const answer = await ask(store(), { type: 'GetCalls', tenant: 'default', runId });
    if (answer.type !== 'Calls') throw new Error('no calls');
    return answer.calls.map(({ key, try: nth, outcome, costMicros, note }) => [`${key[0]}${nth}`, outcome, costMicros, note]);
  };

  test.each([1, 20])('calls are open until they are settled, one row for each try; blocks of %d commits', async (perBlock) => {
    const runId = sampleRunId(perBlock, 13);
    const commits = askingRun({ runId });
    const from = await store().position(13);
    const blocks = toBlocks(commits, perBlock, from + 1, 13);
    const seen: Record<number, unknown> = {};
    for (const block of blocks) {
      await store().apply(13, [block]);
      seen[block.block.commits.at(-1)!.seq] = await callsOf(runId);
    }
    if (perBlock === 1) {
      expect(seen[3]).toEqual([['a1', 'open', 0, '']]);
      expect(seen[5]).toEqual([
        ['a1', 'done', 22, 'read'],
        ['b1', 'unknown', 100, 'read'],
      ]);
    }
    expect(seen[11]).toEqual([
      ['a1', 'done', 22, 'read'],
      ['b1', 'done', 100, 'said by ada'],
      ['c1', 'failed', 0, 'refused'],
      ['c2', 'done', 28, 'read'],
    ]);
    const answer = await ask(store(), { type: 'GetCalls', tenant: 'default', runId });
    expect(answer).toMatchObject({
      calls: [{ keptFor: 2 }, { keptFor: 2, effect: 'once', name: 'place_order' }, {}, { overrunMicros: 3 }],
    });
    expect(answer.type === 'Calls' && answer.calls.filter((call) => 'keptFor' in call)).toHaveLength(2);
  });

  test('money set aside is shown while it is', async () => {
    const runId = sampleRunId(1, 14);
    const blocks = toBlocks(askingRun({ runId }), 1, 1, 14);
    const seen: unknown[] = [];
    for (const block of blocks) {
      await store().apply(14, [block]);
      const { reservedMicros, usage, status, tasks } = await getRun(store(), runId);
      seen.push([reservedMicros, usage.costMicros, status, tasks[0]?.status]);
    }
    expect(seen).toEqual([
      [0, 0, 'running', 'ready'],
      [0, 0, 'running', 'running'],
      [25, 0, 'running', 'running'],
      [100, 22, 'running', 'running'],
      [0, 122, 'running', 'asking'],
      [0, 122, 'running', 'ready'],
      [0, 122, 'running', 'running'],
      [25, 122, 'running', 'running'],
      [25, 122, 'running', 'running'],
      [0, 150, 'running', 'asking'],
      [0, 150, 'cancelled', 'cancelled'],
    ]);
  });
}

function questionTests(store: () => HistoryStore): void {
  test('questions are open until they are answered or their task ends', async () => {
    const [runId, other] = [sampleRunId(1, 15), sampleRunId(2, 15)];
    const tenant = 'asks';
    const questions = async (of?: string) => {
      const answer = await ask(store(), { type: 'GetQuestions', tenant, ...(of !== undefined && { runId: of }) });
      if (answer.type !== 'Questions') throw new Error('no questions');
      return answer.questions;
    };
    const blocks = toBlocks(askingRun({ runId, tenant }), 1, 1, 15);
    await store().apply(15, blocks.slice(0, 5));
    expect(await questions(runId)).toMatchObject([
      { runId, questionId: 'q1', kind: 'effect', taskTitle: 'Do buy', tool: 'place_order', askedAt: 1_790_000_000_040 },
    ]);
    expect((await getRun(store(), runId, tenant)).questions).toEqual(await questions(runId));
    await store().apply(15, blocks.slice(5, 6));
    expect(await questions(runId)).toEqual([]);
    await store().apply(15, blocks.slice(6, 10));
    await store().apply(15, toBlocks(askingRun({ runId: other, tenant, at: 1_790_000_001_000 }).slice(0, 10), 10, 11, 15));
    expect((await questions()).map((each) => [each.runId, each.questionId])).toEqual([
      [runId, 'q2'],
      [other, 'q2'],
    ]);
    expect((await getRun(store(), runId, tenant)).questions).toMatchObject([{ questionId: 'q2', limit: 'run', neededMicros: 7 }]);
    expect(await ask(store(), { type: 'GetQuestions', tenant: 'default', runId })).toEqual({ type: 'NotFound' });
    await store().apply(15, toBlocks(askingRun({ runId, tenant }).slice(10), 1, 12, 15));
    expect((await questions()).map((each) => each.runId)).toEqual([other]);
    expect((await getRun(store(), runId, tenant)).questions).toEqual([]);
  });
}

function waitTests(store: () => HistoryStore): void {
  test('tasks that wait for an event are found by its type until it has come', async () => {
    const [runId, other] = [sampleRunId(1, 24), sampleRunId(2, 24)];
    const waits = async (tenant: string, event: string) => ask(store(), { type: 'GetWaits', tenant, event });
    const blocks = toBlocks(waitingRun({ runId, tenant: 'waits' }), 1, 1, 24);
    await store().apply(24, blocks.slice(0, 1));
    await store().apply(24, toBlocks(waitingRun({ runId: other, tenant: 'waits' }).slice(0, 1), 1, 2, 24));
    const both = [runId, other].map((each) => ({ runId: each, taskId: 'paid' }));
    expect(await waits('waits', 'order.paid')).toEqual({ type: 'Waits', waits: both, more: false });
    const rest = await ask(store(), { type: 'GetWaits', tenant: 'waits', event: 'order.paid', after: both[0]! });
    expect(rest).toEqual({ type: 'Waits', waits: both.slice(1), more: false });
    expect(await waits('waits', 'order')).toMatchObject({ waits: [] });
    expect(await waits('default', 'order.paid')).toMatchObject({ waits: [] });
    await store().apply(24, toBlocks(waitingRun({ runId, tenant: 'waits' }).slice(1, 2), 1, 3, 24));
    expect(await waits('waits', 'order.paid')).toMatchObject({ waits: [{ runId: other }] });
  });
}

function accountTests(store: () => HistoryStore): void {
  test("a tenant's cap and spending, over all shards, through batches and a rebuild", async () => {
    const tenant = 'payer';
    const budget = async () => {
      const answer = await ask(store(), { type: 'GetTenantBudget', tenant });
      return answer.type === 'TenantBudget' ? answer.budget : answer;
    };
    expect(await budget()).toEqual({ tenant, capMicros: null, settledMicros: 0, reservedMicros: 0 });
    const [first, second] = [askingRun({ runId: sampleRunId(1, 18), tenant }), askingRun({ runId: sampleRunId(1, 19), tenant })];
    const blocks = toBlocks(first, 1, 1, 18);
    const set = (capMicros: number | null, seq: number) => ({
      tenant,
      seq,
      at: 1,
      cause: 'c',
      events: [{ type: 'BudgetSet' as const, capMicros }],
    });
    blocks[1]!.block.accounts = [set(9000, 1)];
    blocks[9]!.block.accounts = [set(5000, 2)];
    await store().apply(18, blocks.slice(0, 4));
    expect(await budget()).toEqual({ tenant, capMicros: 9000, settledMicros: 22, reservedMicros: 100 });
    await store().apply(18, blocks.slice(4));
    await store().apply(19, toBlocks(second.slice(0, 3), 3, 1, 19));
    expect(await budget()).toEqual({ tenant, capMicros: 5000, settledMicros: 147, reservedMicros: 25 });
    const snapshot = emptyShard();
    for (const { block } of toBlocks(second.slice(0, 5), 5)) foldBlock(snapshot, block);
    await store().rebuild(19, 30, snapshot);
    expect(await budget()).toEqual({ tenant, capMicros: 5000, settledMicros: 269, reservedMicros: 0 });
    const cleared = toBlocks(openRun({ runId: sampleRunId(2, 18), tenant }), 1, 12, 18);
    cleared[0]!.block.accounts = [set(null, 3)];
    await store().apply(18, cleared);
    expect(await budget()).toMatchObject({ capMicros: null });
  });
}

function listTests(store: () => HistoryStore): void {
  test('lists newest first by pages, while runs come in, by status', async () => {
    const tenant = 'lists';
    const runs = Array.from({ length: 25 }, (_, n) => ({
      runId: sampleRunId(n, 9),
      tenant,
      at: 1_790_000_000_000 + Math.floor(n / 5) * 1000,
    }));
    await store().apply(
      9,
      toBlocks(
        runs.flatMap((run, n) => (n % 2 ? sampleRun(run) : openRun(run))),
        50,
        1,
        9,
      ),
    );
    const next = (await store().position(9)) + 1;
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const answer = await ask(store(), { type: 'ListRuns', tenant, limit: 7, ...(cursor !== undefined && { cursor }) });
      if (answer.type !== 'Runs') throw new Error('no list');
      seen.push(...answer.page.runs.map((run) => run.runId));
      if (cursor === undefined)
        await store().apply(9, toBlocks(openRun({ runId: sampleRunId(99, 9), tenant, at: 1_800_000_000_000 }), 1, next, 9));
      cursor = answer.page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(runs.map((run) => run.runId).reverse());
    const done = await ask(store(), { type: 'ListRuns', tenant, status: 'completed', limit: 200 });
    expect(done.type === 'Runs' && done.page.runs.length).toBe(12);
    expect(done.type === 'Runs' && done.page.runs[0]).toMatchObject({ tasksDone: 3, tasksTotal: 3, goal: 'Find the answer' });
    expect((await store().openRuns()).running).toBeGreaterThanOrEqual(14);
  });
}

function rebuildTests(store: () => HistoryStore): void {
  test('starts over from a snapshot when the log was trimmed', async () => {
    const [known, ended, fresh] = [sampleRunId(1, 10), sampleRunId(2, 10), sampleRunId(3, 10)];
    await store().apply(10, toBlocks([...sampleRun({ runId: known }).slice(0, 3), ...openRun({ runId: ended })], 10, 1, 10));
    const snapshot = emptyShard();
    const all = [...sampleRun({ runId: known }).slice(0, 8), ...cancelledRun({ runId: ended }), ...openRun({ runId: fresh })];
    for (const { block } of toBlocks(all, 20)) foldBlock(snapshot, block);
    await store().rebuild(10, 40, snapshot);
    expect(await store().position(10)).toBe(40);
    expect(await getRun(store(), known)).toEqual(runView(folded(sampleRun({ runId: known }).slice(0, 8))));
    expect(await getRun(store(), ended)).toMatchObject({ status: 'cancelled' });
    expect(await getRun(store(), fresh)).toMatchObject({ status: 'running' });
    const outcome = await store().apply(10, toBlocks(sampleRun({ runId: known }).slice(8), 5, 41, 10));
    expect(outcome).toMatchObject({ position: 41, skipped: [] });
    expect(await getRun(store(), known)).toMatchObject({ status: 'completed', partial: true });
  });

  test('starts over with what a snapshot knows of calls and questions', async () => {
    const [asking, busy] = [sampleRunId(1, 16), sampleRunId(2, 16)];
    await store().apply(16, toBlocks([...askingRun({ runId: asking }).slice(0, 3), ...askingRun({ runId: busy }).slice(0, 5)], 10, 1, 16));
    const snapshot = emptyShard();
    for (const { block } of toBlocks([...askingRun({ runId: asking }).slice(0, 10), ...askingRun({ runId: busy }).slice(0, 8)], 20))
      foldBlock(snapshot, block);
    await store().rebuild(16, 40, snapshot);
    const questions = await ask(store(), { type: 'GetQuestions', tenant: 'default', runId: asking });
    expect(questions).toMatchObject({ questions: [{ questionId: 'q2' }] });
    expect(await ask(store(), { type: 'GetQuestions', tenant: 'default', runId: busy })).toMatchObject({ questions: [] });
    const calls = await ask(store(), { type: 'GetCalls', tenant: 'default', runId: busy });
    expect(calls).toMatchObject({ calls: [{ outcome: 'done' }, { outcome: 'unknown' }, { outcome: 'open', attempt: 2 }] });
    const lost = await ask(store(), { type: 'GetCalls', tenant: 'default', runId: asking });
    expect(lost).toMatchObject({ calls: [{ outcome: 'unknown', note: expect.stringContaining('not seen') }] });
    const rest = [...askingRun({ runId: asking }).slice(10), ...askingRun({ runId: busy }).slice(8)];
    expect(await store().apply(16, toBlocks(rest, 5, 41, 16))).toMatchObject({ skipped: [] });
    expect(await getRun(store(), busy)).toEqual(runView(folded(askingRun({ runId: busy }))));
  });

  test('notes lives of workers', async () => {
    const worker = {
      ...{ workerId: 'w1', epoch: 'e1', at: 5, startedAt: 1, specialty: 'analyst', state: 'idle' as const, slots: 2, held: 0, lost: false },
      ...{ agents: [{ name: 'analyst', description: 'd', skills: ['general'] }], lastSeenAt: 5 },
    };
    await store().seeWorkers([worker, { ...worker, epoch: 'e2' }]);
    await store().seeWorkers([{ ...worker, lastSeenAt: 9, lost: true }]);
    await store().seeWorkers([]);
  });
}

function sharedTests(under: () => HistoryUnderTest): void {
  test('state that is read back for each commit is the state that was written', async () => {
    const { another } = under();
    if (!another) return;
    const runs = [sampleRun({ runId: sampleRunId(1, 17) }), askingRun({ runId: sampleRunId(2, 17) })];
    let position = 0;
    for (const commits of runs) {
      for (const [index, commit] of commits.entries()) {
        const store = await another();
        position += 1;
        expect(await store.apply(17, toBlocks([commit], 1, position, 17))).toMatchObject({ skipped: [] });
        expect(await getRun(store, commit.runId)).toEqual(runView(folded(commits.slice(0, index + 1))));
        await store.close();
      }
    }
  });

  test('two that fold one shard: one gets through, the other finds out and can go on', async () => {
    const { store, another } = under();
    if (!another) return;
    const second = await another();
    try {
      const blocks = toBlocks(sampleRun({ runId: sampleRunId(1, 11) }), 1, 1, 11);
      await store.apply(11, blocks.slice(0, 3));
      await second.apply(11, blocks.slice(0, 5));
      await expect(store.apply(11, blocks.slice(3, 8))).rejects.toMatchObject({ code: 'history-moved', retriable: true });
      expect((await store.apply(11, blocks.slice(3, 8))).folded.map((each) => each.commit.seq)).toEqual([6, 7, 8]);
      const outcomes = await Promise.allSettled([store.apply(11, blocks), second.apply(11, blocks)]);
      expect(outcomes.some((each) => each.status === 'fulfilled')).toBe(true);
      expect(await getRun(second, sampleRunId(1, 11))).toEqual(runView(folded(sampleRun({ runId: sampleRunId(1, 11) }))));
    } finally {
      await second.close();
    }
  });
}
