/** What a seed's world is like. */
import { Dice } from './chance.js';
import { drawManners, type OutsideManners } from './outside/outside.js';
import { drawWeather, type Weather } from './weather.js';

export interface WorldOptions {
  seed: number;
  /** Events taken before the weather clears up. */
  steps: number;
  shards: number;
  orchestrators: number;
  schedulers: number;
  workers: number;
  slots: number;
  /** Mean time between two new runs. */
  runEveryMs: number;
  maxOpenRuns: number;
  capEveryMs: number;
  snapshotBlocks: number;
  keepBlocks: number;
  weather: Weather;
  manners: OutsideManners;
  /** Plans have scopes and waits in them, and agents give work to each other. */
  scopes: boolean;
}

/** The world of a seed. */
export function drawOptions(seed: number, steps: number): WorldOptions {
  const dice = new Dice(seed, 1);
  return {
    seed,
    steps,
    shards: dice.chance(0.3) ? 2 : 1,
    orchestrators: 2,
    schedulers: 2,
    workers: dice.int(2, 4),
    slots: dice.int(1, 4),
    runEveryMs: dice.pick([100, 300, 800]),
    maxOpenRuns: dice.int(2, 8),
    capEveryMs: dice.chance(0.4) ? dice.int(500, 6000) : 0,
    snapshotBlocks: dice.pick([5, 20, 1_000_000]),
    keepBlocks: dice.pick([0, 3]),
    weather: drawWeather(dice.fork()),
    manners: drawManners(dice.fork()),
    scopes: dice.chance(0.5),
  };
}
