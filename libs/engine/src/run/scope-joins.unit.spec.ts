/**
 * Whatever the join rule, and in whatever order its items end: a scope ends when the rule says so, not before and not after, and leaves
 * nothing at work.
 */
import type { TaskSpecInput } from '@cadre/contracts';
import fc from 'fast-check';
import { EngineRig, result, task } from '../testing/engine-rig.js';

type Join = NonNullable<NonNullable<TaskSpecInput['scope']>['join']>;

const needs = fc.oneof(
  fc.constantFrom('all' as const, 'any' as const),
  fc.integer({ min: 0, max: 6 }),
  fc.double({ min: 0.01, max: 1, noNaN: true }).map((share) => ({ share })),
);
/** How each item ends, in the order in which they do; and how many are at work at once. */
const stories = fc.record({
  need: needs,
  until: fc.constantFrom('enough' as const, 'ended' as const),
  outcomes: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
  width: fc.integer({ min: 1, max: 6 }),
  picks: fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
});

function neededOf(need: Join['need'], count: number): number {
  if (need === 'all' || need === undefined) return count;
  if (need === 'any') return 1;
  return typeof need === 'number' ? need : Math.ceil(need.share * count);
}

/** What the rule says of so many good and bad ones out of all. */
function verdict({ need, until }: Join, good: number, bad: number, count: number): 'on' | 'completed' | 'failed' {
  const needed = neededOf(need, count);
  const hopeless = count - bad < needed;
  if (good + bad === count) return hopeless ? 'failed' : 'completed';
  if (until === 'ended') return 'on';
  if (hopeless) return 'failed';
  return needed > 0 && good >= needed ? 'completed' : 'on';
}

test('a scope ends as its rule says', () => {
  fc.assert(
    fc.property(stories, ({ need, until, outcomes, width, picks }) => {
      const count = outcomes.length;
      const rig = new EngineRig();
      const over = JSON.stringify(outcomes.map((_, item) => item));
      const body = [task('work', { retry: { maxAttempts: 1 } })];
      rig.start([task('scope', { scope: { over, width, body, join: { need, until } } })], { summarize: false, continueOnFailure: true });
      let [good, bad] = [0, 0];
      for (const pick of picks) {
        const ready = Object.values(rig.run().tasks).filter(({ status }) => status === 'ready');
        if (verdict({ need, until }, good, bad, count) !== 'on') break;
        expect(rig.run().tasks['scope']).toMatchObject({ status: 'open' });
        expect(ready.length).toBe(Math.min(width, count - good - bad));
        const { id } = ready[pick % ready.length]!.spec;
        if (outcomes[Number(id.split('~')[1])]) {
          good += 1;
          rig.complete(id, result('1'));
        } else {
          bad += 1;
          rig.fail(id);
        }
      }
      const { tasks } = rig.run();
      expect(tasks['scope']?.status).toBe(verdict({ need, until }, good, bad, count));
      expect(Object.values(tasks).filter(({ status }) => ['waiting', 'ready', 'running', 'open'].includes(status))).toEqual([]);
      if (tasks['scope']?.status === 'completed') {
        const answer = tasks['scope'].result?.answer;
        expect(answer && 'text' in answer ? (JSON.parse(answer.text) as unknown[]).length : undefined).toBe(good);
        expect(tasks['scope'].result?.partial).toBe(bad > 0 ? true : undefined);
      }
      expect(rig.violations()).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
