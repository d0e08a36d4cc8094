import fc from 'fast-check';
import { splitExactly } from './exact-split.js';

test('parts follow the weights; without weights they are alike', () => {
  expect(splitExactly(100, [1, 3])).toEqual([25, 75]);
  expect(splitExactly(10, [1, 1, 1])).toEqual([3, 4, 3]);
  expect(splitExactly(7, [0, 0])).toEqual([4, 3]);
  expect(splitExactly(7, [0, 1])).toEqual([0, 7]);
  expect(splitExactly(0, [5, 5])).toEqual([0, 0]);
  expect(splitExactly(100, [9, 1], [50, 100])).toEqual([50, 50]);
  // More than there is room for is parted all the same: it was charged.
  expect(splitExactly(100, [1, 1], [10, 20])).toEqual([45, 55]);
});

test('whatever the weights, nothing is lost or made, no part is below nothing, and none is above its bound while another has room', () => {
  const part = fc.record({ weight: fc.oneof(fc.nat(1000), fc.double({ min: 0, max: 1e6, noNaN: true })), most: fc.nat(2_000_000) });
  fc.assert(
    fc.property(fc.nat(1_000_000_000), fc.array(part, { minLength: 1, maxLength: 50 }), (total, given) => {
      const [weights, most] = [given.map(({ weight }) => weight), given.map((each) => each.most)];
      const room = most.reduce((sum, each) => sum + each, 0);
      for (const [parts, bounded] of [
        [splitExactly(total, weights), false] as const,
        [splitExactly(total, weights, most), room >= total] as const,
      ]) {
        expect(parts.reduce((sum, each) => sum + each, 0)).toBe(total);
        expect(parts.every((each) => Number.isInteger(each) && each >= 0)).toBe(true);
        if (bounded) expect(parts.every((each, place) => each <= most[place]!)).toBe(true);
      }
    }),
  );
});
