import type { CommandReply } from '@cadre/contracts';
import { fitReplies } from './fit-replies.js';
import { EngineRig, reservation, result, settlement, task } from './testing/engine-rig.js';

/** The answer to the start of a task whose dependency has answered so much. */
function assignment(text: string): CommandReply {
  const rig = new EngineRig();
  rig.start([task('a'), task('b', { dependsOn: ['a'] })], { summarize: false });
  rig.complete('a', result(text));
  return { id: 'c', outcome: 'accepted', result: rig.begin('b') as never };
}

const times = (count: number, reply: CommandReply): CommandReply[] => Array.from({ length: count }, (_, n) => ({ ...reply, id: `c${n}` }));
const bytes = (replies: CommandReply[]): number => Buffer.byteLength(JSON.stringify({ replies }));

test('what fits is passed on as it is', () => {
  const small = times(200, assignment('short'));
  expect(fitReplies(small)).toBe(small);
  const large = times(50, assignment('x'.repeat(16_000)));
  expect(bytes(large)).toBeGreaterThan(700 * 1024);
  expect(fitReplies(large)).toBe(large);
  const refused = times(900, { id: '', outcome: 'rejected', code: 'unknown-run', message: 'There is no such run.' });
  expect(fitReplies(refused)).toBe(refused);
});

test('of more than a message holds the first ones are sent', () => {
  const wide = times(200, assignment('界'.repeat(5000)));
  const fitted = fitReplies(wide);
  expect(fitted.length).toBeGreaterThan(50);
  expect(bytes(fitted)).toBeLessThan(901 * 1024);
  expect(fitted).toEqual(wide.slice(0, fitted.length));
});

test('what the tasks are given counts, too', () => {
  const rig = new EngineRig();
  rig.start([task('a', { input: { rows: Array.from({ length: 2000 }, (_, n) => `row ${n} of the table`) } })], { summarize: false });
  const many = times(40, { id: 'c', outcome: 'accepted', result: rig.begin('a') as never });
  expect(bytes(many)).toBeGreaterThan(1024 * 1024);
  expect(bytes(fitReplies(many))).toBeLessThan(901 * 1024);
});

test('records of calls count, too', () => {
  const rig = new EngineRig();
  rig.start([task('a')], { summarize: false });
  rig.begin('a');
  rig.ask('a', reservation('x'));
  rig.record('a', [settlement('x', { body: { text: '"'.repeat(1000) } })], []);
  const grants = rig.grants(
    'a',
    [],
    Array.from({ length: 90 }, () => reservation('x')),
  );
  const many = times(20, { id: 'c', outcome: 'duplicate', result: grants as never });
  expect(bytes(fitReplies(many))).toBeLessThan(901 * 1024);
  expect(fitReplies(many).length).toBeLessThan(20);
});

test('one reply is always sent', () => {
  const one = times(1, assignment('x'.repeat(16_000)));
  expect(fitReplies(one)).toBe(one);
});
