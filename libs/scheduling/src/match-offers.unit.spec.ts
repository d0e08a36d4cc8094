import { PRIORITIES, makeRunId, type AgentSummary } from '@cadre/contracts';
import fc from 'fast-check';
import { attemptKey, groupReady, type ReadyAttempt } from './attempts.js';
import { capableAgent, matchOffers, type Match, type OpenWorker } from './match-offers.js';
import { rankOf, urgencyOf } from './urgency.js';

const NOW = 1_000_000;
const AGEING_MS = 1000;
const tenant = 'default';
const rules = { now: NOW, ageingMs: AGEING_MS };
const uuid = (n: number) => `00000000-0000-7000-8000-${n.toString().padStart(12, '0')}`;

function ready(n: number, change: Partial<ReadyAttempt> = {}): ReadyAttempt {
  return {
    runId: makeRunId(0, uuid(n)),
    taskId: 't',
    attempt: 1,
    tenant: 'default',
    rank: 2,
    skills: [],
    planning: false,
    readyAt: NOW,
    ...change,
  };
}

function agent(name: string, ...skills: string[]): AgentSummary {
  return { name, description: name, skills };
}

function worker(workerId: string, change: Partial<OpenWorker> = {}): OpenWorker {
  return {
    workerId,
    epoch: 'e',
    agents: [agent('generalist', 'general')],
    slots: 1,
    size: change.slots ?? 1,
    used: 0,
    lastTurn: 0,
    ...change,
  };
}

const names = (matches: Match[]) => matches.map(({ attempt, workerId }) => `${Number(attempt.runId.slice(-12))}>${workerId}`);

describe('who gets what', () => {
  test('the more urgent one first; waiting raises it by a level for each period', () => {
    const fresh = ready(1, { rank: 1 });
    const aged = ready(2, { rank: 4, readyAt: NOW - 3 * AGEING_MS });
    const older = ready(3, { rank: 4, readyAt: NOW - 4 * AGEING_MS });
    const one = (...list: ReadyAttempt[]) => names(matchOffers(groupReady(list), [worker('w')], rules));
    expect(one(ready(4), fresh)).toEqual(['1>w']);
    expect(one(fresh, older)).toEqual(['3>w']);
    expect(one(fresh, aged)).toEqual(['2>w']); // as urgent, and older
    expect(one(ready(6), ready(5))).toEqual(['5>w']);
  });

  test("an agent's room is asked for once, however many tasks and workers there are", () => {
    const asked: string[] = [];
    const room = (name: string) => (asked.push(name), 3);
    const many = Array.from({ length: 50 }, (_, n) => ready(n, { rank: n % 5 }));
    const workers = ['a', 'b', 'c', 'd'].map((id) => worker(id, { slots: 10 }));
    expect(matchOffers(groupReady(many), workers, { ...rules, room })).toHaveLength(3);
    expect(asked).toEqual(['generalist']);
  });

  test('the run shifts the priority of its tasks', () => {
    expect(rankOf('medium', 'medium')).toBe(2);
    expect(rankOf('medium', 'critical')).toBe(0);
    expect(rankOf('high', 'critical')).toBe(0);
    expect(rankOf('low', 'background')).toBe(4);
  });

  test('an agent needs every skill, unless it is named', () => {
    const agents = [agent('analyst', 'data-analysis', 'visualization'), agent('coder', 'code-generation')];
    expect(capableAgent(agents, { tenant, skills: ['visualization', 'data-analysis'] })?.name).toBe('analyst');
    expect(capableAgent(agents, { tenant, skills: ['visualization', 'code-generation'] })).toBeUndefined();
    expect(capableAgent(agents, { tenant, skills: ['visualization'], agent: 'coder' })?.name).toBe('coder');
    expect(capableAgent(agents, { tenant, skills: [], agent: 'writer' })).toBeUndefined();
  });

  test('specialists before generalists of the same load; work without needs goes to a generalist', () => {
    const all = worker('a-all', { agents: [agent('generalist', 'general', 'testing', 'planning')], slots: 3 });
    const tester = worker('tester', { agents: [agent('tester', 'testing')], slots: 3 });
    expect(names(matchOffers(groupReady([ready(1, { skills: ['testing'] })]), [all, tester], rules))).toEqual(['1>tester']);
    const [one, two] = [worker('a', { agents: [agent('tester', 'testing')], slots: 4 }), worker('b', { slots: 1 })];
    expect(names(matchOffers(groupReady([ready(1), ready(2)]), [one, two], rules))).toEqual(['1>b', '2>a']);
  });

  test('the least loaded, then by turns; a worker that let the offer pass comes last', () => {
    const workers = ['a', 'b', 'c'].map((id) => worker(id, { slots: 4 }));
    const first = matchOffers(groupReady(Array.from({ length: 6 }, (_, n) => ready(n))), workers, rules);
    expect(first.map((match) => match.workerId)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    expect(matchOffers(groupReady([ready(9)]), workers, { ...rules, shunned: () => 'a' })[0]?.workerId).toBe('b');
    const again = matchOffers(groupReady([ready(10)]), [workers[0]!], { ...rules, shunned: () => 'a' });
    expect(again).toHaveLength(1);
  });

  test('an urgent one that nobody can do does not hold up the rest', () => {
    const list = [ready(1, { rank: 0, skills: ['magic'] }), ready(2)];
    expect(names(matchOffers(groupReady(list), [worker('w', { slots: 5 })], rules))).toEqual(['2>w']);
  });
});

const SKILLS = ['general', 'testing', 'planning', 'writing'];
const someSkills = fc.subarray(SKILLS);
const readyList = fc
  .array(
    fc.record({
      rank: fc.integer({ min: 0, max: PRIORITIES.length - 1 }),
      skills: someSkills,
      agent: fc.option(fc.constantFrom('x', 'y'), { nil: undefined, freq: 5 }),
      readyAt: fc.integer({ min: NOW - 20 * AGEING_MS, max: NOW }),
    }),
    { maxLength: 40 },
  )
  .map((list) => list.map(({ agent: named, ...rest }, n) => ready(n, { ...rest, ...(named !== undefined && { agent: named }) })));
const workerList = fc
  .array(
    fc.record({
      slots: fc.integer({ min: 0, max: 6 }),
      used: fc.integer({ min: 0, max: 6 }),
      x: someSkills,
      y: someSkills,
      both: fc.boolean(),
    }),
    { maxLength: 6 },
  )
  .map((list) =>
    list.map(({ slots, used, x, y, both }, n) =>
      worker(`w${n}`, { slots, used, agents: both ? [agent('x', ...x), agent('y', ...y)] : [agent('x', ...x)] }),
    ),
  );
const copy = (workers: OpenWorker[]) => workers.map((each) => ({ ...each }));

describe('whatever the work and the workers', () => {
  test('no slot is promised twice, no attempt offered twice, every agent is capable', () => {
    fc.assert(
      fc.property(readyList, workerList, (list, workers) => {
        const matches = matchOffers(groupReady(list), copy(workers), rules);
        expect(new Set(matches.map(({ attempt }) => attemptKey(attempt))).size).toBe(matches.length);
        for (const each of workers) {
          const given = matches.filter((match) => match.workerId === each.workerId);
          expect(given.length).toBeLessThanOrEqual(Math.max(0, each.slots - each.used));
          for (const match of given) {
            const chosen = each.agents.find(({ name }) => name === match.agent);
            if (match.attempt.agent !== undefined) expect(chosen?.name).toBe(match.attempt.agent);
            else expect(match.attempt.skills.every((skill) => chosen?.skills.includes(skill))).toBe(true);
          }
        }
      }),
    );
  });

  test('nothing that could be done is left while a capable slot is free, and nobody is overtaken by the less urgent', () => {
    fc.assert(
      fc.property(readyList, workerList, (list, workers) => {
        const after = copy(workers);
        const matches = matchOffers(groupReady(list), after, rules);
        const matched = new Set(matches.map(({ attempt }) => attemptKey(attempt)));
        const urgency = (attempt: ReadyAttempt) => urgencyOf(attempt.rank, attempt.readyAt, NOW, AGEING_MS);
        for (const left of list.filter((attempt) => !matched.has(attemptKey(attempt)))) {
          const able = after.filter((each) => each.slots > 0 && capableAgent(each.agents, left));
          for (const each of able) {
            expect(each.used).toBeGreaterThanOrEqual(each.slots);
            for (const match of matches) {
              if (match.workerId === each.workerId) expect(urgency(match.attempt)).toBeLessThanOrEqual(urgency(left));
            }
          }
        }
      }),
    );
  });

  test('the same input gives the same matches, in whatever order the work comes', () => {
    fc.assert(
      fc.property(readyList, workerList, (list, workers) => {
        const once = matchOffers(groupReady(list), copy(workers), rules);
        expect(names(matchOffers(groupReady([...list].reverse()), copy(workers), rules))).toEqual(names(once));
        expect(names(matchOffers(groupReady(list), copy(workers), rules))).toEqual(names(once));
      }),
    );
  });

  test('nothing starves: under an endless stream of critical work the least urgent one gets its turn in time', () => {
    const old = ready(0, { rank: 4, readyAt: 0 });
    const wanted = new Map([[attemptKey(old), old]]);
    let n = 1;
    for (let now = 0; now < 60_000; now += 100) {
      for (let k = 0; k < 2; k += 1, n += 1) {
        const next = ready(n, { rank: 0, readyAt: now });
        wanted.set(attemptKey(next), next);
      }
      for (const match of matchOffers(groupReady(wanted.values()), [worker('w')], { now, ageingMs: AGEING_MS })) {
        wanted.delete(attemptKey(match.attempt));
      }
      // The stream is twice what the worker can do; the old one competes with the backlog by age.
      if (!wanted.has(attemptKey(old))) {
        expect(now).toBeLessThanOrEqual(10_000);
        return;
      }
    }
    throw new Error('it starved');
  });
});
