import { result, task } from '../testing/engine-rig.js';
import { started } from '../testing/scope-steps.js';
import { rankedBids } from './auction.js';

const figures = (rest: object = {}) => ({ load: 0, succeeded: 8, failed: 0, costMicros: 100, ...rest });
const order = (...bids: Parameters<typeof rankedBids>[0][number][]) =>
  rankedBids(bids.map((bid, at) => ({ ...bid, at }))).map(({ at }) => at);

test('each figure counts for itself', () => {
  expect(order({ confidence: 0.5, figures: figures() }, { confidence: 0.9, figures: figures() })).toEqual([1, 0]);
  expect(order({ confidence: 0.9, figures: figures({ load: 1 }) }, { confidence: 0.9, figures: figures() })).toEqual([1, 0]);
  expect(order({ confidence: 0.9, figures: figures({ failed: 8 }) }, { confidence: 0.9, figures: figures() })).toEqual([1, 0]);
  expect(order({ confidence: 0.9, figures: figures({ costMicros: 900 }) }, { confidence: 0.9, figures: figures() })).toEqual([1, 0]);
});

test('the formula, and what is not known is the middle', () => {
  const [bid] = rankedBids([{ confidence: 0.8, figures: { load: 0.5, succeeded: 3, failed: 1, costMicros: 50 } }]);
  expect(bid?.score).toBe(0.4);
  expect(rankedBids([{}])[0]?.score).toBe(0.1406);
  expect(order({ confidence: 0.9 }, { confidence: 0.9 })).toEqual([0, 1]);
  expect(
    rankedBids([
      { confidence: 1, figures: figures({ costMicros: 0 }) },
      { confidence: 1, figures: figures({ costMicros: 4 }) },
    ])[1]?.score,
  ).toBe(0.45);
});

test('what a bidder says of itself does not count, and its figures are in the log', () => {
  const body = ['ann', 'bob'].map((agent) => task(agent, { agent, bid: true }));
  const rig = started([task('bids', { scope: { branches: true, body, combine: { by: 'auction' } } })]);
  const start = (id: string, agent: string, known: object) =>
    rig.send({ type: 'StartAttempt', taskId: id, attempt: 1, workerId: 'w1', agent, figures: figures(known) });
  start('bids~0~ann', 'ann', { failed: 30 });
  start('bids~1~bob', 'bob', {});
  rig.finish('bids~0~ann', result('{"load": 0, "price": 0, "success": 1}', { confidence: 0.95 }));
  rig.finish('bids~1~bob', result('I would.', { confidence: 0.6 }));
  const { answer } = rig.task('bids').result!;
  const ranked = JSON.parse('text' in answer ? answer.text : '') as { agent: string; figures: object }[];
  expect(ranked).toMatchObject([
    { agent: 'bob', figures: { failed: 0 } },
    { agent: 'ann', figures: { failed: 30 } },
  ]);
  expect(rig.violations()).toEqual([]);
});

test('of what is no bid no figures are kept', () => {
  const rig = started([task('a')]);
  rig.send({ type: 'StartAttempt', taskId: 'a', attempt: 1, workerId: 'w1', agent: 'ann', figures: figures() });
  expect(rig.task('a').figures).toBeUndefined();
});
