/** The engine's state comes back from the rows as it went in, and the schema's steps lead from one to the next. */
import { PGlite } from '@electric-sql/pglite';
import { EngineRig, reservation, RUN_ID, settlement, task, toolCall } from '@cadre/engine/testing';
import { Kysely, sql } from 'kysely';
import { HistoryStore } from './history-store.js';
import { migrate } from './migrations.js';
import { PgliteDialect } from './pglite-dialect.js';
import { createFresh } from './pglite-template.js';
import { loadRuns } from './run-rows.js';
import type { HistoryDatabase } from './schema.js';
import { openRun, sampleRunId, toBlocks } from './testing/index.js';

let pglite: PGlite;
let db: Kysely<HistoryDatabase>;

beforeEach(async () => {
  pglite = await createFresh({ parsers: { 20: Number } });
  db = new Kysely<HistoryDatabase>({ dialect: new PgliteDialect(pglite) });
}, 60_000);
afterEach(() => db.destroy());

/** A store that has seen nothing: it reads every state from the rows. */
const fresh = (): HistoryStore => new HistoryStore(db, async () => undefined);

test('state read back after each commit is the state that was folded: rounds, calls, effects, money, questions', async () => {
  await migrate(db);
  const rig = new EngineRig();
  let applied = 0;
  const check = async (): Promise<void> => {
    for (; applied < rig.blocks.length; applied += 1) await fresh().apply(0, rig.blocks.slice(applied, applied + 1));
    const state = (await loadRuns(db, [RUN_ID])).get(RUN_ID);
    const { calls, ...rest } = rig.run();
    const kept = Object.entries(calls).filter(([, ofTask]) => Object.keys(ofTask).length > 0);
    expect({ ...state }).toEqual({ ...rest, calls: Object.fromEntries(kept) });
  };
  rig.start([task('a'), task('b', { dependsOn: ['a'] }), task('c', { dependsOn: ['a', 'b'], require: 'settled' }), task('d')], {
    continueOnFailure: true,
    budget: { runMicros: 500, onLimit: 'ask' },
  });
  await check();
  rig.begin('a');
  rig.begin('d');
  rig.record('a', [], [reservation('one'), toolCall('two', 'idempotent')]);
  rig.record('d', [], [toolCall('mail', 'once')]);
  await check();
  rig.record('a', [settlement('one'), settlement('two', { costMicros: 0 })], [reservation('three')]);
  await check();
  rig.send({ type: 'LoseAttempt', taskId: 'd', attempt: 1, workerId: 'w1', reason: 'silence' });
  await check();
  expect(rig.task('d').status).toBe('asking');
  const error = { code: 'malformed-output', message: 'no JSON', retriable: true };
  rig.send({ type: 'FailAttempt', taskId: 'a', attempt: 1, workerId: 'w1', error, fresh: true, settle: [settlement('three')] });
  await check();
  expect(Object.keys(rig.run().calls['a'] ?? {})).toHaveLength(1);
  rig.send({ type: 'AnswerQuestion', tenant: 'default', questionId: 'q1', choice: 'repeat', by: 'ada' });
  await check();
  rig.begin('a');
  rig.record('a', [], [reservation('four', { maxCostMicros: 450 })]);
  await check();
  expect(rig.task('a').status).toBe('asking');
  rig.send({ type: 'AnswerQuestion', tenant: 'default', questionId: 'q2', choice: 'approve', by: 'ada', raiseMicros: 1000 });
  await check();
  rig.begin('a');
  rig.record('a', [], [reservation('four', { maxCostMicros: 450 })]);
  rig.finish('a');
  await check();
  rig.send({ type: 'CancelRun', tenant: 'default', reason: 'enough' });
  await check();
  expect(await db.selectFrom('call_states').selectAll().where('task_id', '=', 'a').execute()).toEqual([]);
});

test('a history of the schema before is emptied, for the log to fill it again', async () => {
  await migrate(db, 1);
  await sql`insert into positions values (0, 7)`.execute(db);
  await sql`insert into runs values ('r', 't', 0, 'running', 'g', 1, null, 2, 1, 0, 1, 0, 0, 0, 0, 0, '{}')`.execute(db);
  await sql`insert into calls values ('r', 'a', 1, 1, 't', 'model', 'm', true, 1, 1, 1, 1, 1, '{}')`.execute(db);
  await migrate(db);
  expect(await fresh().position(0)).toBe(0);
  expect(await db.selectFrom('runs').selectAll().execute()).toEqual([]);
  await fresh().apply(0, toBlocks(openRun({ runId: sampleRunId(1) })));
  const calls = await fresh().query({ type: 'GetCalls', tenant: 'default', runId: sampleRunId(1) });
  expect(calls).toEqual({ type: 'Calls', calls: [], more: false });
});
