/**
 * Makes a failing seed small: kinds of faults are taken out of its weather and parts out of its world, as long as something is still found.
 * The search is fast-check's; what it is given is the whole world of the seed, as an example that fails.
 */
import fc from 'fast-check';
import { drawOptions, type WorldOptions } from './options.js';
import { POLITE } from './outside/outside.js';
import { runWorld, type SeedResult, type SeedSettings } from './run-seed.js';
import { DISASTERS, MESSAGE_FAULTS } from './weather.js';

/** What is left of a seed's world. */
export interface Reduction {
  seed: number;
  steps: number;
  /** Kinds of faults that are kept. */
  faults: string[];
  rude: boolean;
  skewed: boolean;
  workers: number;
  slots: number;
  maxOpenRuns: number;
  caps: boolean;
}

export interface Shrunk {
  reduction: Reduction;
  result: SeedResult;
}

const KINDS = [...MESSAGE_FAULTS.map((kind) => `message ${kind}`), ...DISASTERS.map((kind) => `disaster ${kind}`)];

/** The world of a seed with some of it taken out. */
export function reduced(reduction: Reduction): WorldOptions {
  const { seed, steps, faults, rude, skewed, workers, slots, maxOpenRuns, caps } = reduction;
  const whole = drawOptions(seed, steps);
  const messages = { ...whole.weather.messages };
  const disasters = { ...whole.weather.disasters };
  for (const kind of MESSAGE_FAULTS) if (!faults.includes(`message ${kind}`)) messages[kind] = 0;
  for (const kind of DISASTERS) if (!faults.includes(`disaster ${kind}`)) disasters[kind] = 0;
  return {
    ...whole,
    ...{ workers, slots, maxOpenRuns },
    capEveryMs: caps ? whole.capEveryMs : 0,
    manners: rude ? whole.manners : POLITE,
    weather: { messages, disasters, skewMs: skewed ? whole.weather.skewMs : 0 },
  };
}

/** @returns undefined when the seed shows nothing */
export async function shrinkSeed(seed: number, steps: number, settings: Pick<SeedSettings, 'plant'> = {}): Promise<Shrunk | undefined> {
  const { workers, slots, maxOpenRuns } = drawOptions(seed, steps);
  const whole: Reduction = { seed, steps, faults: KINDS, rude: true, skewed: true, workers, slots, maxOpenRuns, caps: true };
  const first = await runWorld(reduced(whole), settings);
  if (!first.finding) return undefined;
  const part = fc.record({
    seed: fc.constant(seed),
    // What comes after the finding was of no use.
    steps: fc.integer({ min: 20, max: steps }),
    faults: fc.subarray(KINDS),
    rude: fc.boolean(),
    skewed: fc.boolean(),
    workers: fc.integer({ min: 1, max: workers }),
    slots: fc.integer({ min: 1, max: slots }),
    maxOpenRuns: fc.integer({ min: 1, max: maxOpenRuns }),
    caps: fc.boolean(),
  });
  const isQuiet = fc.asyncProperty(part, async (reduction) => (await runWorld(reduced(reduction), settings)).finding === undefined);
  const details = await fc.check(isQuiet, { examples: [[{ ...whole, steps: Math.min(steps, first.steps) }]], numRuns: 1, seed: 1 });
  const reduction = details.counterexample?.[0] ?? whole;
  return { reduction, result: await runWorld(reduced(reduction), { ...settings, readable: true }) };
}
