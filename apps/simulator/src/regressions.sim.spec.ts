import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runSeed } from './run-seed.js';

/** Seeds that once showed a fault of production code. */
interface Regression {
  seed: number;
  steps: number;
  /** What they showed. */
  showed: string;
}

const REGRESSIONS = JSON.parse(readFileSync(join(import.meta.dirname, '../regressions.json'), 'utf8')) as Regression[];

test.each(REGRESSIONS)('seed $seed: $showed', async ({ seed, steps }) => {
  expect((await runSeed(seed, steps)).finding).toBeUndefined();
});
