/** Who goes first when several tenants wait, and how far each of them, and each run and agent, may go. */
import { makeRunId, type AgentSummary } from '@cadre/contracts';
import fc from 'fast-check';
import { groupReady, type ReadyAttempt } from './attempts.js';
import { matchOffers, type Match, type MatchRules, type OpenWorker } from './match-offers.js';

const NOW = 1_000_000;
const rules: MatchRules = { now: NOW, ageingMs: 1000 };
const AGENTS: AgentSummary[] = [{ name: 'generalist', description: 'g', skills: ['general'] }];
const runOf = (n: number) => makeRunId(0, `00000000-0000-7000-8000-${n.toString().padStart(12, '0')}`);

function ready(tenant: string, n: number, change: Partial<ReadyAttempt> = {}): ReadyAttempt {
  return { runId: runOf(1), taskId: `${tenant}-${n}`, attempt: 1, tenant, rank: 2, skills: [], planning: false, readyAt: NOW, ...change };
}
const many = (tenant: string, count: number, change: Partial<ReadyAttempt> = {}) =>
  Array.from({ length: count }, (_, n) => ready(tenant, n, change));
const workers = (slots: number, used = 0): OpenWorker[] => [
  { workerId: 'w', epoch: 'e', agents: AGENTS, slots, size: slots, used, lastTurn: 0 },
];
const tenants = (matches: Match[]) => matches.map(({ attempt }) => attempt.tenant).join('');

test('the tenant with the least at work goes first, until all have as much', () => {
  const list = [...many('a', 100), ...many('b', 3)];
  const atWork = (tenant: string) => (tenant === 'a' ? 2 : 0);
  expect(tenants(matchOffers(groupReady(list), workers(8), { ...rules, atWork }))).toBe('bbabaaaa');
});

test('neither age nor priority of one tenant holds up another; they order what is its own', () => {
  const old = [...many('a', 5, { rank: 0, readyAt: 0 }), ready('a', 9, { rank: 3 })];
  const fresh = [ready('b', 1, { rank: 4 }), ready('b', 2, { rank: 1 })];
  const matches = matchOffers(groupReady([...old, ...fresh]), workers(4), rules);
  expect(tenants(matches)).toBe('abab');
  expect(matches.filter(({ attempt }) => attempt.tenant === 'b').map(({ attempt }) => attempt.taskId)).toEqual(['b-2', 'b-1']);
});

test('a limit of a tenant or of a run leaves the slots to others', () => {
  const limited = many('a', 9, { runId: runOf(2), runLimit: 2 });
  const free = many('a', 3).map((each) => ({ ...each, taskId: `free-${each.taskId}` }));
  const runRoom: MatchRules['runRoom'] = ({ runId, limit }) => (runId === runOf(2) ? limit - 1 : 0);
  const taken = matchOffers(groupReady([...limited, ...free]), workers(10), { ...rules, runRoom });
  expect(taken.filter(({ attempt }) => attempt.runId === runOf(2))).toHaveLength(1);
  expect(taken).toHaveLength(4);
  const tenantRoom = (tenant: string) => (tenant === 'a' ? 1 : Infinity);
  expect(tenants(matchOffers(groupReady([...limited, ...many('b', 4)]), workers(10), { ...rules, tenantRoom }))).toBe('babbb');
});

test('a thousand runs with limits are matched to a thousand workers without looking at each worker for each run', () => {
  let looked = 0;
  const agents = new Proxy(AGENTS, { get: (target, key) => ((looked += key === 'filter' ? 1 : 0), Reflect.get(target, key) as unknown) });
  const all = Array.from({ length: 1000 }, (_, n) => ({ ...workers(2)[0]!, workerId: `w${n}`, agents }));
  const list = Array.from({ length: 1000 }, (_, n) => ready('a', n, { runId: runOf(n), runLimit: 1 }));
  expect(matchOffers(groupReady(list), all, { ...rules, limit: 10 })).toHaveLength(10);
  expect(looked).toBeLessThan(3000);
});

const someWork = fc.array(
  fc.record({
    tenant: fc.constantFrom('a', 'b', 'c'),
    run: fc.integer({ min: 1, max: 4 }),
    rank: fc.integer({ min: 0, max: 4 }),
    readyAt: fc.integer({ min: NOW - 20_000, max: NOW }),
  }),
  { maxLength: 40 },
);
const counts = fc.record({ a: fc.nat(8), b: fc.nat(8), c: fc.nat(8) });

test('whatever waits: no limit is passed, and nobody gets more than one beyond another who still waits and may have more', () => {
  fc.assert(
    fc.property(someWork, counts, counts, fc.nat(30), (work, working, most, slots) => {
      const limits = new Map([1, 2].map((run) => [run, run]));
      const list = work.map(({ run, ...rest }, n) => {
        const limit = limits.get(run);
        return ready(rest.tenant, n, { ...rest, runId: runOf(run), ...(limit !== undefined && { runLimit: limit }) });
      });
      const atWork = (tenant: string) => working[tenant as 'a'];
      const tenantRoom = (tenant: string) => most[tenant as 'a'];
      const matches = matchOffers(groupReady(list), workers(slots), { ...rules, atWork, tenantRoom });
      const given = (match: (attempt: ReadyAttempt) => boolean) => matches.filter(({ attempt }) => match(attempt)).length;
      for (const [run, limit] of limits) expect(given(({ runId }) => runId === runOf(run))).toBeLessThanOrEqual(limit);
      const left = list.filter((attempt) => !matches.some((match) => match.attempt === attempt));
      const mayHave = left.filter(
        ({ tenant, runId, runLimit }) =>
          given((other) => other.tenant === tenant) < tenantRoom(tenant) &&
          (runLimit === undefined || given((other) => other.runId === runId) < runLimit),
      );
      if (mayHave.length > 0) expect(matches).toHaveLength(slots);
      for (const tenant of ['a', 'b', 'c']) {
        const got = given((attempt) => attempt.tenant === tenant);
        expect(got).toBeLessThanOrEqual(tenantRoom(tenant));
        if (got === 0) continue;
        for (const waiting of mayHave) {
          const others = atWork(waiting.tenant) + given((attempt) => attempt.tenant === waiting.tenant);
          expect(atWork(tenant) + got).toBeLessThanOrEqual(others + 1);
        }
      }
    }),
  );
});

test('whatever waits: each leaves to others what is kept of the slots that can do it, and no slot rests that somebody may have', () => {
  const sizes = fc.record({ x: fc.nat(30), y: fc.nat(30), both: fc.nat(30) });
  const demand = fc.record({ a: fc.nat(60), b: fc.nat(60) });
  fc.assert(
    fc.property(sizes, demand, demand, fc.nat(50), (size, forX, forY, percent) => {
      const skilled = (workerId: 'x' | 'y' | 'both', ...skills: string[]): OpenWorker => {
        const agents = [{ name: workerId, description: 'g', skills }];
        return { workerId, epoch: 'e', agents, slots: size[workerId], size: size[workerId], used: 0, lastTurn: 0 };
      };
      const all = [skilled('x', 'x'), skilled('y', 'y'), skilled('both', 'x', 'y')];
      const wanting = (skill: string, wanted: { a: number; b: number }) =>
        (['a', 'b'] as const).flatMap((tenant) =>
          many(tenant, wanted[tenant], { skills: [skill] }).map((each) => ({ ...each, taskId: `${skill}-${each.taskId}` })),
        );
      const list = [...wanting('x', forX), ...wanting('y', forY)];
      const kept = { percent: (tenant: string) => (tenant === 'a' ? percent : 0), held: () => 0 };
      const matches = matchOffers(groupReady(list), all, { ...rules, kept });
      for (const skill of ['x', 'y'] as const) {
        const able = size[skill] + size.both;
        const most = able - Math.floor((able * percent) / 100);
        const held = matches.filter(({ attempt, workerId }) => attempt.tenant === 'a' && [skill, 'both'].includes(workerId)).length;
        const ofKind = matches.filter(({ attempt }) => attempt.tenant === 'a' && attempt.skills[0] === skill);
        expect(ofKind.length).toBeLessThanOrEqual(most);
        const rests = matches.filter(({ workerId }) => [skill, 'both'].includes(workerId)).length < able;
        const waits = (tenant: string) =>
          list.some((each) => each.tenant === tenant && each.skills[0] === skill && !matches.some(({ attempt }) => attempt === each));
        if (rests) expect([waits('b'), waits('a') && held < most]).toEqual([false, false]);
      }
    }),
    { numRuns: 300 },
  );
});
