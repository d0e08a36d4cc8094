import { RunOptions, TaskSpec, makeRunId, type AgentName, type AgentSummary, type Block, type RunEvent } from '@cadre/contracts';
import { emptyShard, foldBlock, type ShardState } from '@cadre/engine';
import fc from 'fast-check';
import { AgentBreakers, BREAKER_RULES } from './agent-breakers.js';
import { groupReady, type ReadyAttempt } from './attempts.js';
import { matchOffers, type OpenWorker } from './match-offers.js';

const RUN = makeRunId(0, '00000000-0000-7000-8000-000000000001');
const { failures: N, windowMs, coolDownMs } = BREAKER_RULES;

/** A log whose only run has as many tasks as are asked for; each attempt is a task of its own. */
function rig() {
  const breakers = new AgentBreakers();
  const state: ShardState = emptyShard();
  const blocks: Block[] = [];
  let seq = 0;
  let tasks = 0;
  const self = {
    ...{ breakers, state, blocks },
    now: 1_000_000,
    log(...events: RunEvent[]): void {
      seq += 1;
      const commits = [{ runId: RUN, seq, at: self.now, cause: 'c', events }];
      const block: Block = { v: 1, id: `b${seq}`, shard: 0, owner: 'o', kind: 'commits', at: self.now, commits };
      blocks.push(block);
      foldBlock(state, block);
      breakers.apply(block);
    },
    /** @returns the task, whose first attempt now runs */
    start(agent: AgentName = 'a'): string {
      const taskId = `t${(tasks += 1)}`;
      const task = TaskSpec.parse({ id: taskId, title: 't', instructions: 'i' });
      const attempt = { taskId, attempt: 1 };
      self.log(
        { type: 'TasksAdded', source: 'submitted', tasks: [task] },
        { type: 'AttemptScheduled', ...attempt, notBefore: self.now },
        { type: 'AttemptStarted', ...attempt, agent, workerId: 'w', deadlineAt: self.now + 5000, tools: [] },
      );
      return taskId;
    },
    fail(taskId: string, code = 'model-unavailable', counted = true): void {
      self.log({ type: 'AttemptFailed', taskId, attempt: 1, error: { code, message: 'No.', retriable: true }, counted });
    },
    succeed(taskId: string): void {
      const result = { answer: { text: 'x' }, confidence: 1, artifacts: [] };
      self.log({ type: 'TaskCompleted', taskId, attempt: 1, result });
    },
    failTimes(times: number, agent: AgentName = 'a', code?: string): void {
      for (let n = 0; n < times; n += 1) self.fail(self.start(agent), code);
    },
    stateOf: (agent: AgentName = 'a') => breakers.stateOf(agent, self.now),
    room: (offered = 0, agent: AgentName = 'a') => breakers.room(agent, offered, self.now),
  };
  const options = RunOptions.parse({});
  self.log({ type: 'RunStarted', tenant: 'default', goal: 'g', inputs: [], options, fingerprint: 'f', deadlineAt: 9_000_000 });
  return self;
}

describe('an agent’s breaker', () => {
  test('opens after failures in a row, and only that agent’s', () => {
    const it = rig();
    it.failTimes(N - 1);
    expect([it.stateOf(), it.breakers.anyOpen, it.room()]).toEqual(['closed', false, Infinity]);
    it.failTimes(1);
    expect([it.stateOf(), it.breakers.anyOpen, it.room()]).toEqual(['open', true, 0]);
    expect([it.stateOf('b'), it.room(0, 'b')]).toEqual(['closed', Infinity]);
    expect(it.breakers.list(it.now)).toEqual([
      { agent: 'a', state: 'open', openedAt: it.now, probeAt: it.now + coolDownMs, error: { code: 'model-unavailable', message: 'No.' } },
    ]);
  });

  test('a success between failures starts the count anew', () => {
    const it = rig();
    it.failTimes(N - 1);
    it.succeed(it.start());
    it.failTimes(N - 1);
    expect(it.stateOf()).toBe('closed');
  });

  test('failures that lie far apart do not open it', () => {
    const it = rig();
    for (let n = 0; n < 3 * N; n += 1, it.now += windowMs / (N - 1) + 1) it.failTimes(1);
    expect(it.stateOf()).toBe('closed');
  });

  test.each(['worker-lost', 'attempt-released', 'budget-exceeded', 'run-cancelled', 'run-ended', 'waiting-for-answer', 'model-refused'])(
    '%s is not its fault',
    (code) => {
      const it = rig();
      it.failTimes(3 * N, 'a', code);
      expect(it.stateOf()).toBe('closed');
    },
  );

  test('a failure that the engine does not count is none here', () => {
    const it = rig();
    for (let n = 0; n < 2 * N; n += 1) it.fail(it.start(), 'model-unavailable', false);
    expect(it.stateOf()).toBe('closed');
  });

  test('is half open after the cool-down: one probe, on its way or at work', () => {
    const it = rig();
    const straggler = it.start();
    it.now += 1;
    it.failTimes(N);
    it.now += coolDownMs - 1;
    expect(it.room()).toBe(0);
    it.now += 1;
    expect([it.stateOf(), it.room(0), it.room(1)]).toEqual(['half-open', 1, 0]);
    const probe = it.start();
    expect(it.room()).toBe(0);
    it.fail(probe, 'worker-lost');
    expect([it.stateOf(), it.room()]).toEqual(['half-open', 1]);
    it.fail(it.start());
    expect(it.stateOf()).toBe('open');
    it.now += 2;
    it.fail(straggler);
    expect(it.breakers.list(it.now)[0]?.openedAt).toBe(it.now - 2);
    it.now += coolDownMs;
    it.succeed(it.start());
    expect([it.stateOf(), it.room()]).toEqual(['closed', Infinity]);
  });

  test('a log that is read again is counted once; a new scheduler finds out from the tail', () => {
    const it = rig();
    it.failTimes(N - 1);
    it.breakers.reset(0, emptyShard());
    for (const block of it.blocks) it.breakers.apply(block);
    expect(it.stateOf()).toBe('closed');
    it.now += 1;
    it.failTimes(1);
    expect(it.stateOf()).toBe('open');
    const successor = new AgentBreakers();
    for (const block of it.blocks) successor.apply(block);
    expect(successor.stateOf('a', it.now)).toBe('open');
    const late = new AgentBreakers();
    late.reset(0, it.state);
    expect(late.stateOf('a', it.now)).toBe('closed');
  });

  test('what runs is taken from a snapshot', () => {
    const it = rig();
    const running = Array.from({ length: N }, () => it.start());
    const successor = new AgentBreakers();
    successor.reset(0, structuredClone(it.state));
    const before = it.blocks.length;
    for (const taskId of running) it.fail(taskId);
    for (const block of it.blocks.slice(before)) successor.apply(block);
    expect(successor.stateOf('a', it.now)).toBe('open');
  });

  test('can be switched off', () => {
    const it = rig();
    const off = new AgentBreakers({ failures: 0 });
    it.failTimes(3 * N);
    for (const block of it.blocks) off.apply(block);
    expect(off.stateOf('a', it.now)).toBe('closed');
  });
});

describe('matching', () => {
  const summary = (name: string, ...skills: string[]): AgentSummary => ({ name, description: name, skills });
  const ready = (n: number, change: Partial<ReadyAttempt> = {}): ReadyAttempt => ({
    ...{ runId: RUN, taskId: `t${n}`, attempt: 1, tenant: 'default', rank: 2, skills: [], planning: false, readyAt: 0 },
    ...change,
  });
  const worker = (workerId: string, agents: AgentSummary[], slots = 10): OpenWorker => ({
    ...{ workerId, epoch: 'e', agents, slots, size: slots, used: 0, lastTurn: 0 },
  });
  const agentsOf = (attempts: ReadyAttempt[], workers: OpenWorker[], room: (agent: AgentName) => number) =>
    matchOffers(groupReady(attempts), workers, { now: 0, ageingMs: 1000, room }).map((match) => match.agent);

  test('passes over an agent that is open, for another one of the same worker or of another', () => {
    const [bad, good] = [summary('bad', 'testing'), summary('good', 'testing', 'general')];
    const room = (agent: AgentName) => (agent === 'bad' ? 0 : Infinity);
    const wanted = [ready(1, { skills: ['testing'] }), ready(2, { skills: ['testing'] })];
    expect(agentsOf(wanted, [worker('w', [bad, good])], room)).toEqual(['good', 'good']);
    expect(agentsOf(wanted, [worker('v', [bad]), worker('w', [good])], room)).toEqual(['good', 'good']);
    expect(agentsOf(wanted, [worker('v', [bad])], room)).toEqual([]);
    expect(agentsOf([ready(3, { agent: 'bad' })], [worker('w', [bad, good])], room)).toEqual([]);
  });

  test('gives a half-open agent one attempt, and the rest to others', () => {
    const [bad, good] = [summary('bad', 'testing'), summary('good', 'testing', 'general')];
    const room = (agent: AgentName) => (agent === 'bad' ? 1 : Infinity);
    const wanted = Array.from({ length: 4 }, (_, n) => ready(n, { skills: n % 2 ? ['testing'] : [] }));
    for (const workers of [[worker('w', [bad, good])], [worker('v', [bad]), worker('w', [good])]]) {
      const given = agentsOf(wanted, workers, room);
      expect(given).toHaveLength(4);
      expect(given.filter((agent) => agent === 'bad')).toHaveLength(1);
    }
    expect(agentsOf(wanted, [worker('v', [bad])], room)).toEqual(['bad']);
  });
});

const step = fc.oneof(
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: coolDownMs }) }),
  fc.record({ do: fc.constant('offer' as const) }),
  fc.record({
    do: fc.constantFrom('fail' as const, 'fail' as const, 'fail' as const, 'lose' as const, 'succeed' as const),
    which: fc.nat(20),
  }),
);

test('whatever happens: nothing to an open agent, one at a time to a half-open one, and never stuck', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const it = rig();
      it.failTimes(N);
      const running: string[] = [];
      let probes = new Set<string>();
      for (const each of steps) {
        const before = it.stateOf();
        if (each.do === 'wait') it.now += each.ms;
        else if (each.do === 'offer') {
          if (it.room() === 0) continue;
          expect(before).not.toBe('open');
          const taskId = it.start();
          running.push(taskId);
          if (before === 'half-open') probes.add(taskId);
          expect(probes.size).toBeLessThanOrEqual(1);
        } else {
          const [taskId] = running.splice(each.which % Math.max(1, running.length), 1);
          if (taskId === undefined) continue;
          probes.delete(taskId);
          if (each.do === 'succeed') it.succeed(taskId);
          else it.fail(taskId, each.do === 'lose' ? 'worker-lost' : 'model-timeout');
          if (each.do === 'succeed') expect(it.stateOf()).toBe('closed');
        }
        if (it.stateOf() === 'closed') probes = new Set();
      }
      for (const taskId of running) it.fail(taskId, 'worker-lost');
      it.now += coolDownMs;
      expect(it.room()).toBeGreaterThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
});
