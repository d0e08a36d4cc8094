import type { Json } from '@cadre/contracts';
import { decodeSnapshot, encodeSnapshot } from './snapshot-codec.js';

const states: Json[] = [
  { open: {}, ended: {} },
  { open: { a: { x: [1, null, 'Zürich\n🚀'] }, b: 2 }, ended: { c: {} }, count: 3, list: [{}], nothing: null, 'a\nb': '\u2028' },
  JSON.parse('{"__proto__": {"__proto__": 1, "constructor": {}}, "10": 1, "9": 2}') as Json,
  {},
  [],
  'text',
  null,
  0,
];

test.each(states)('a state comes back as it was: %j', async (state) => {
  const back = await decodeSnapshot(7, await encodeSnapshot(7, { seq: 12, state }));
  expect(back.seq).toBe(12);
  expect(JSON.stringify(back.state)).toBe(JSON.stringify(state));
});

test('what is cut off, of another shard, or no snapshot is refused', async () => {
  const bytes = await encodeSnapshot(7, { seq: 12, state: { open: { a: 1 } } });
  await expect(decodeSnapshot(8, bytes)).rejects.toThrow('this shard');
  await expect(decodeSnapshot(7, bytes.subarray(0, bytes.length - 9))).rejects.toThrow();
  await expect(decodeSnapshot(7, Buffer.from('no gzip'))).rejects.toThrow();
});

test('a large state is written piece by piece, and the event loop turns between them', async () => {
  const run = {
    goal: 'goal '.repeat(200),
    tasks: Array.from({ length: 10 }, (_, i) => ({ id: `t${i}`, instructions: 'do it '.repeat(60) })),
  };
  let [turn, over] = [0, false];
  const turning = (): void => {
    turn += 1;
    if (!over) setImmediate(turning);
  };
  turning();
  const writtenIn = new Set<number>();
  const toJSON = { value: () => (writtenIn.add(turn), run) };
  const runs = Array.from({ length: 4000 }, (_, i) => [`r${i}`, Object.defineProperty({ ...run }, 'toJSON', toJSON)] as const);
  const state = { open: Object.fromEntries(runs), ended: {} };
  const bytes = await encodeSnapshot(7, { seq: 1, state });
  const back = await decodeSnapshot(7, bytes);
  over = true;
  expect(back.state).toEqual(state);
  expect(writtenIn.size).toBeGreaterThan(20);
});
