/** What every form of the read model must answer to queries; a part of its contract. */
import { expect, test } from '@jest/globals';
import { emptyShard, foldBlock } from '@cadre/engine';
import { askingRun, openRun, sampleRun, sampleRunId, toBlocks, waitingRun } from './sample-log.js';
import type { HistoryStore } from '../history-store.js';
import { ask, getRun } from './history-asking.js';

export function queryContract(store: () => HistoryStore): void {
  queryTests(store);
  callTests(store);
  questionTests(store);
  waitTests(store);
  accountTests(store);
  listTests(store);
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
    expect(await budget()).toEqual({ tenant, capMicros: 5000, settledMicros: 150, reservedMicros: 25 });
    const snapshot = emptyShard();
    for (const { block } of toBlocks(second.slice(0, 5), 5)) foldBlock(snapshot, block);
    await store().rebuild(19, 30, snapshot);
    expect(await budget()).toEqual({ tenant, capMicros: 5000, settledMicros: 272, reservedMicros: 0 });
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
