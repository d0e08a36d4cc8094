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

test('a large state does not hold up the event loop for long', async () => {
  const run = {
    goal: 'goal '.repeat(200),
    tasks: Array.from({ length: 10 }, (_, i) => ({ id: `t${i}`, instructions: 'do it '.repeat(60) })),
  };
  const state = { open: Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`r${i}`, run])), ended: {} };
  // Turns of the event loop while it is at work: without pauses there are hardly any.
  let [turns, over] = [0, false];
  const turn = (): void => {
    turns += 1;
    if (!over) setImmediate(turn);
  };
  turn();
  const bytes = await encodeSnapshot(7, { seq: 1, state });
  const back = await decodeSnapshot(7, bytes);
  over = true;
  expect(back.state).toEqual(state);
  expect(turns).toBeGreaterThan(40);
});
