import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawOptions } from './options.js';
import { runWorld } from './run-seed.js';

/** Seeds that once showed a fault of production code. */
interface Regression {
  seed: number;
  steps: number;
  /** What they showed. */
  showed: string;
}

const REGRESSIONS = JSON.parse(readFileSync(join(import.meta.dirname, '../regressions.json'), 'utf8')) as Regression[];

test.each(REGRESSIONS)('seed $seed: $showed', async ({ seed, steps }) => {
  // All were found before plans had scopes; with them these seeds are other worlds.
  expect((await runWorld({ ...drawOptions(seed, steps), scopes: false })).finding).toBeUndefined();
});
