/** A thread of a soak: runs the seeds that it is given. */
import { parentPort } from 'node:worker_threads';
import { runSeed, type SeedResult } from '../run-seed.js';
import type { Chunk } from './soak.js';

parentPort?.on('message', ({ first, count, steps }: Chunk) => {
  void (async () => {
    const results: SeedResult[] = [];
    for (let seed = first; seed < first + count; seed += 1) results.push(await runSeed(seed, steps));
    parentPort?.postMessage(results);
  })();
});
