import { follows } from './positions.js';

test.each([
  [undefined, '1.0', true],
  [undefined, '1.1', false],
  [undefined, '2.0', false],
  ['1.0', '1.1', true],
  ['1.0', '2.0', true],
  ['1.0', '1.2', false],
  ['1.0', '2.1', false],
  ['1.0', '3.0', false],
  ['9.10', '10.0', true],
  ['2.0', '1.1', false],
])('after %p comes %s: %p', (last, next, expected) => {
  expect(follows(last, next)).toBe(expected);
});
