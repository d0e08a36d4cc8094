/** What every form of the read model must do; run against PGlite and against PostgreSQL. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Commit } from '@cadre/contracts';
import { checkInvariants, emptyShard, foldBlock, foldCommit, type RunState } from '@cadre/engine';
import { EngineRig, result, RUN_ID, startBody, task } from '@cadre/engine/testing';
import { cancelledRun, askingRun, openRun, sampleRun, sampleRunId, toBlocks } from './sample-log.js';
import { runView } from '../run-view.js';
import type { HistoryStore } from '../history-store.js';
import { ask, getRun } from './history-asking.js';
import { queryContract } from './query-contract.js';

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
    queryContract(store);
    rebuildTests(store);
    sharedTests(() => under);
  });
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
    expect(await getRun(store(), known)).toMatchObject({ status: 'completed', partial: true, missing: ['later'] });
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
