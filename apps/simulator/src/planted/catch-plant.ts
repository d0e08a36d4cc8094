/** How soon a planted fault is seen. */
import { runSeed } from '../run-seed.js';
import type { Finding } from '../watch/watch.js';

export interface Caught {
  /** Seeds tried, the one that shows it included. */
  seeds: number;
  seed: number;
  finding: Finding;
}

/** Tries one seed after the other. @returns undefined when none of them shows it */
export async function catchPlant(plant: string, steps: number, mostSeeds: number, firstSeed = 1): Promise<Caught | undefined> {
  for (let seeds = 1; seeds <= mostSeeds; seeds += 1) {
    const seed = firstSeed + seeds - 1;
    const { finding } = await runSeed(seed, steps, { plant });
    if (finding) return { seeds, seed, finding };
  }
  return undefined;
}
