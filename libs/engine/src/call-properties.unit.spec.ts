/** Properties of calls and money: whatever is sent, repeated and reordered, no cap is passed, and nothing is paid or done twice. */
import { Block, Command, isTerminal } from '@cadre/contracts';
import type { CallReservation, CallSettlement, RunOptions } from '@cadre/contracts';
import fc from 'fast-check';
import type { z } from 'zod';
import { replayDecisions } from './invariants/replay-decisions.js';
import { foldBlock, emptyShard } from './fold-shard.js';
import type { RunState } from './state.js';
import type { CommandBody } from './testing/engine-rig.js';
import { callKey, EngineRig, result, RUN_ID, settlement, task } from './testing/engine-rig.js';

type BudgetInput = NonNullable<z.input<typeof RunOptions>['budget']>;

const cap = fc.option(fc.constantFrom(0, 100, 250, 600), { nil: undefined });
const defined = <T extends object>(value: T): T => Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;

const budget: fc.Arbitrary<BudgetInput> = fc
  .record({ runMicros: cap, taskMicros: cap, agent: cap, onLimit: fc.constantFrom(...(['stop', 'degrade', 'ask'] as const)) })
  .map(({ agent, ...rest }) => defined({ ...rest, degradeTo: 'cheap', agentMicros: defined({ generalist: agent }) }) as BudgetInput);

const KINDS = ['m', 'm', 'cheap', 'look', 'put', 'pay', 'pay'] as const;

const step = fc.record({
  kind: fc.constantFrom(
    ...(['calls', 'calls', 'calls', 'calls', 'calls', 'calls', 'again', 'again', 'again', 'answer', 'answer', 'wait'] as const),
    ...(['complete', 'fail', 'fresh', 'lose', 'release', 'expire', 'expire-question', 'cancel', 'expire-run'] as const),
  ),
  task: fc.constantFrom('a', 'b'),
  calls: fc.array(
    fc.record({
      name: fc.constantFrom(...KINDS),
      number: fc.nat(1),
      later: fc.constantFrom(0, 0, 0, 1, -1),
      cost: fc.constantFrom(0, 60, 100),
    }),
    {
      maxLength: 3,
    },
  ),
  settle: fc.array(fc.constantFrom(...(['done', 'done', 'failed', 'unknown', 'leave'] as const)), { minLength: 3, maxLength: 3 }),
  paid: fc.constantFrom(0, 40, 100, 170),
  pick: fc.nat(30),
  choice: fc.constantFrom(...(['approve', 'approve', 'deny', 'done', 'repeat'] as const)),
  raiseMicros: fc.constantFrom(undefined, undefined, 0, 50),
  rare: fc.nat(40),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function wish(run: RunState, taskId: string, call: Step['calls'][number]): CallReservation {
  const key = callKey(`${taskId}${call.name}${call.number}`);
  const known = run.calls[taskId]?.[key];
  const next = known === undefined ? 1 : known.status === 'failed' || known.status === 'unknown' ? known.try + 1 : known.try;
  const effect = ({ put: 'idempotent', pay: 'once' } as const)[call.name as 'put' | 'pay'];
  const kind = call.name === 'm' || call.name === 'cheap' ? 'model' : 'tool';
  return { key, try: Math.max(1, next + call.later), kind, name: call.name, maxCostMicros: call.cost, ...(effect && { effect }) };
}

function ends(run: RunState, s: Step): CallSettlement[] {
  const open = (run.tasks[s.task]?.openCalls ?? []).slice(0, 3);
  return open.flatMap((key, i) => {
    const outcome = s.settle[i]!;
    if (outcome === 'leave') return [];
    return [
      { ...settlement('', { outcome, costMicros: outcome === 'failed' ? 0 : s.paid }), key, try: run.calls[s.task]?.[key]?.try ?? 1 },
    ];
  });
}

function bodyOf(run: RunState, s: Step, sent: CommandBody[]): CommandBody | undefined {
  const { task: taskId } = s;
  const held = { taskId, attempt: Math.max(1, run.tasks[taskId]!.attempt), workerId: 'w1' };
  const error = { code: 'x-broke', message: 'x', retriable: s.rare > 0 };
  switch (s.kind) {
    case 'calls':
      return { type: 'RecordCalls', ...held, settle: ends(run, s), reserve: s.calls.map((call) => wish(run, taskId, call)) };
    case 'again':
      return sent[s.pick % Math.max(1, sent.length)];
    case 'answer':
      return defined({
        type: 'AnswerQuestion' as const,
        tenant: 'default',
        questionId: `q${1 + (s.pick % Math.max(1, run.asked))}`,
        choice: s.choice,
        by: 'kim',
        raiseMicros: s.raiseMicros,
      }) as CommandBody;
    case 'complete':
      return s.rare < 3 ? { type: 'CompleteAttempt', ...held, settle: ends(run, s), result: result() } : undefined;
    case 'fail':
    case 'fresh':
      return { type: 'FailAttempt', ...held, settle: ends(run, s), error, fresh: s.kind === 'fresh' };
    case 'lose':
      return { type: 'LoseAttempt', ...held, reason: 'silent' };
    case 'release':
      return { type: 'ReleaseAttempt', ...held, settle: ends(run, s) };
    case 'expire':
      return { type: 'ExpireAttempt', taskId, attempt: held.attempt };
    case 'expire-question':
      return { type: 'ExpireQuestion', questionId: `q${1 + (s.pick % 3)}` };
    case 'cancel':
      return s.rare === 0 ? { type: 'CancelRun', tenant: 'default', reason: '' } : undefined;
    case 'expire-run':
      return { type: 'ExpireRun' };
    case 'wait':
      return undefined;
  }
}

/** Sends a command, and at once again: the second copy changes nothing, and calls are answered the same. */
function sendTwice(rig: EngineRig, body: CommandBody): void {
  const first = rig.send(body);
  const blocks = rig.blocks.length;
  const second = rig.send(body);
  expect(rig.blocks).toHaveLength(blocks);
  if (first.outcome !== 'accepted' || isTerminal(rig.run().status)) return;
  if (body.type === 'RecordCalls') expect(second).toEqual({ outcome: 'duplicate', result: first.result });
  else expect(second.outcome).toBe('duplicate');
}

function beginReady(rig: EngineRig): void {
  for (const { status, spec } of Object.values(rig.run().tasks)) if (status === 'ready') rig.begin(spec.id);
}

/** Answers every question and completes every task. */
function heal(rig: EngineRig): void {
  for (let turn = 0; !isTerminal(rig.run().status); turn += 1) {
    expect(turn).toBeLessThan(50);
    const open = Object.values(rig.run().questions).find((question) => !question.answer);
    if (open) rig.send({ type: 'AnswerQuestion', tenant: 'default', questionId: open.questionId, choice: open.choices[0]!, by: 'kim' });
    beginReady(rig);
    const running = Object.values(rig.run().tasks).find(({ status }) => status === 'running');
    if (running) rig.finish(running.spec.id);
  }
}

test('never over a cap, each reservation settled once, nothing done twice, the same answer for the same command', () => {
  fc.assert(
    fc.property(budget, fc.array(step, { maxLength: 80, size: 'max' }), (given, steps) => {
      const rig = new EngineRig();
      rig.comparing = true;
      rig.recording = true;
      rig.tools = ['look', 'put', 'pay'];
      const retry = { maxAttempts: 12, backoffMs: 0 };
      rig.start([task('a', { retry, fallbackAgents: ['second'] }), task('b', { retry })], {
        summarize: false,
        continueOnFailure: true,
        budget: given,
      });
      const sent: CommandBody[] = [];
      for (const s of steps) {
        if (isTerminal(rig.run().status)) break;
        beginReady(rig);
        const body = bodyOf(rig.run(), s, sent);
        if (!body) continue;
        sent.push(body);
        sendTwice(rig, body);
      }
      heal(rig);
      expect(rig.violations({ finished: true })).toEqual([]);
      expect(replayDecisions(rig.decisions())).toEqual([]);
      expect(rig.run()).toMatchObject({ calls: {}, spent: { reservedMicros: 0 }, openTasks: 0, waits: {} });
      for (const { block } of rig.blocks) Block.parse(block);
      expect(rig.blocks.reduce((shard, { block }) => foldBlock(shard, block), emptyShard())).toEqual(rig.shard);
      expect(Command.safeParse({ ...sent[0], id: 'c', runId: RUN_ID }).success || sent.length === 0).toBe(true);
    }),
    { numRuns: 300 },
  );
});
