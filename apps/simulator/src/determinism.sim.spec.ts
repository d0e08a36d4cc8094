import { runSeed } from './run-seed.js';

test('the same seed gives the same trace, another one another', async () => {
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 12; seed += 1) {
    const [one, two] = [await runSeed(seed, 1500), await runSeed(seed, 1500, { readable: true })];
    expect({ ...two, lines: undefined }).toEqual({ ...one, lines: undefined });
    hashes.add(one.hash);
  }
  expect(hashes.size).toBe(12);
}, 60_000);
