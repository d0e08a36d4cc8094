/** Properties of the whole core: whatever commands come, in whatever order, its promises hold. */
import { Assignment, Block, Command, isTerminal } from '@cadre/contracts';
import type { Plan } from '@cadre/contracts';
import fc from 'fast-check';
import { decideInShard } from './decide/decide.js';
import { withoutDraft } from './decision.js';
import { foldCommit } from './evolve.js';
import { emptyShard, foldBlock } from './fold-shard.js';
import type { RunState, ShardState } from './state.js';
import { anyPlan, goodPlan, step } from './testing/arbitraries.js';
import type { Step } from './testing/arbitraries.js';
import { EngineRig, reservation, result, RUN_ID, settlement, startBody } from './testing/engine-rig.js';

type Body = Parameters<EngineRig['send']>[0];

interface Setting {
  plan: Plan | undefined;
  summarize: boolean;
  continueOnFailure: boolean;
}

const setting: fc.Arbitrary<Setting> = fc.record({
  plan: fc.option(goodPlan, { freq: 4, nil: undefined }),
  summarize: fc.boolean(),
  continueOnFailure: fc.boolean(),
});

function begin(rig: EngineRig, { plan, summarize, continueOnFailure }: Setting): Body {
  const options = { summarize, continueOnFailure, deadlineMs: 600_000 };
  const body = { ...startBody(undefined, options), ...(plan && { plan }) };
  expect(rig.send(body).outcome).toBe('accepted');
  return body;
}

/** Turns a random step into a command; most are wrong in one way or another. */
function bodyOf(run: RunState, s: Step, start: Body, sent: Body[]): Body | undefined {
  const all = [...Object.keys(run.tasks), 'nowhere'];
  const lively = all.filter((id) => ['ready', 'running'].includes(run.tasks[id]?.status ?? ''));
  const ids = s.rare < 24 && lively.length > 0 ? lively : all;
  const taskId = ids[s.task % ids.length]!;
  const named = { taskId, attempt: Math.max(1, (run.tasks[taskId]?.attempt ?? 1) + s.attemptOff) };
  const held = { ...named, workerId: s.worker };
  switch (s.kind) {
    case 'start':
      return { type: 'StartAttempt', ...held, agent: run.tasks[taskId]?.wantedAgent ?? 'generalist' };
    case 'complete': {
      const planned = s.plan && { plan: { plan: s.plan, source: 'model' as const } };
      const next = s.rare % 3 === 0 && { next: { agent: 'generalist', tools: [], slots: 1 + (s.rare % 4) } };
      return { type: 'CompleteAttempt', ...held, result: result('text', { confidence: s.confidence, ...planned }), ...next };
    }
    case 'fail': {
      const cause = (s.confidence ?? 0) > 0.6 ? { cause: 'server' as const } : {};
      return { type: 'FailAttempt', ...held, error: { code: 'x-broke', message: 'x', retriable: s.retriable }, ...cause };
    }
    case 'release':
      return { type: 'ReleaseAttempt', ...held };
    case 'lose':
      return { type: 'LoseAttempt', ...held, reason: 'silent' };
    case 'expire':
      return { type: 'ExpireAttempt', ...named };
    case 'record': {
      const key = `${s.task % 4}`;
      return s.rare % 2 === 0
        ? { type: 'RecordCalls', ...held, reserve: [reservation(key)] }
        : { type: 'RecordCalls', ...held, settle: [settlement(key)] };
    }
    case 'repeat':
      return sent[s.task % Math.max(1, sent.length)];
    case 'restart':
      return s.task % 2 === 0 ? start : ({ ...start, fingerprint: 'f2' } as Body);
    case 'expire-run':
      return { type: 'ExpireRun' };
    case 'cancel':
      return s.rare === 0 ? { type: 'CancelRun', tenant: s.task === 0 ? 'other' : 'default', reason: 'x' } : undefined;
    case 'wait':
      return undefined;
  }
}

/** Sends, and checks on the way that a decision changes nothing and is the same each time. */
function sendChecked(rig: EngineRig, body: Body): void {
  const command = Command.parse({ ...body, id: 'probe', runId: RUN_ID });
  const before = JSON.stringify(rig.shard);
  const decided = (shard: ShardState) => JSON.stringify(withoutDraft(decideInShard(shard, command, { now: rig.now, random: rig.random })));
  const probe = decided(rig.shard);
  expect(JSON.stringify(rig.shard)).toBe(before);
  expect(decided(JSON.parse(before) as ShardState)).toBe(probe);
  const decision = rig.send(body);
  expect(JSON.stringify(decision)).toBe(probe);
  if (body.type === 'StartAttempt' && decision.outcome !== 'rejected') Assignment.parse(decision.result);
}

function play(rig: EngineRig, steps: Step[], start: Body): void {
  const sent: Body[] = [];
  for (const s of steps) {
    rig.now += s.waitMs;
    rig.random = s.random;
    const body = bodyOf(rig.run(), s, start, sent);
    if (!body) continue;
    sent.push(body);
    sendChecked(rig, body);
  }
}

/** Answers every open attempt until the run ends. */
function drive(rig: EngineRig, steps: Step[]): void {
  for (let turn = 0; !isTerminal(rig.run().status); turn += 1) {
    expect(turn).toBeLessThan(500);
    const open = Object.values(rig.run().tasks).find((task) => task.status === 'ready' || task.status === 'running');
    expect(open).toBeDefined();
    const id = open!.spec.id;
    if (open!.status === 'ready') rig.begin(id, 'w1');
    const s = steps[turn % Math.max(1, steps.length)];
    const { attempt, workerId } = rig.task(id);
    const held = { taskId: id, attempt, workerId: workerId! };
    if (s && s.task < 3) rig.send({ type: 'FailAttempt', ...held, error: { code: 'x-broke', message: 'x', retriable: s.retriable } });
    else rig.send({ type: 'CompleteAttempt', ...held, result: result('text', { confidence: s?.confidence ?? 1 }) });
  }
}

function expectConsistent(rig: EngineRig): void {
  for (const { block } of rig.blocks) Block.parse(block);
  const scratch = rig.blocks.reduce((shard, { block }) => foldBlock(shard, block), emptyShard());
  expect(scratch).toEqual(rig.shard);
  const refolded = rig.blocks.flatMap(({ block }) => block.commits).reduce<RunState | undefined>(foldCommit, undefined);
  expect(refolded).toEqual(rig.run());
  expect(JSON.parse(JSON.stringify(rig.run()))).toEqual(rig.run());
}

test('whatever commands come, the invariants hold, folding agrees, and the run ends once its attempts are answered', () => {
  let adopted = 0;
  fc.assert(
    fc.property(setting, fc.array(step, { maxLength: 60 }), (given, steps) => {
      const rig = new EngineRig();
      rig.comparing = true;
      const start = begin(rig, given);
      play(rig, steps, start);
      expect(rig.violations()).toEqual([]);
      drive(rig, steps);
      expect(rig.violations({ finished: true, submissions: [{ runId: RUN_ID, fingerprint: 'f1' }] })).toEqual([]);
      expectConsistent(rig);
      adopted += rig.adopted;
    }),
    { numRuns: 400 },
  );
  expect(adopted).toBeGreaterThan(1000);
});

test('a run in which every task succeeds completes, whole', () => {
  fc.assert(
    fc.property(setting, (given) => {
      const tasks = (given.plan?.tasks ?? []).map(({ condition: _condition, ...rest }) => rest);
      const rig = new EngineRig();
      begin(rig, { ...given, plan: given.plan && { tasks } });
      drive(rig, []);
      expect(rig.run()).toMatchObject({ status: 'completed', partial: false });
    }),
    { numRuns: 200 },
  );
});

test('a plan is either refused, or runs to its end', () => {
  fc.assert(
    fc.property(anyPlan, fc.array(step, { maxLength: 10 }), (plan, steps) => {
      const rig = new EngineRig();
      const decision = rig.send({ ...startBody(undefined, { continueOnFailure: true }), plan });
      if (decision.outcome === 'rejected') return expect(decision.code).toBe('invalid-plan');
      drive(rig, steps);
      expect(rig.violations({ finished: true })).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
