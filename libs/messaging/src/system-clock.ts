import { randomUUID } from 'node:crypto';
import type { Chance, Clock } from '@cadre/engine';

/** The clock of this machine and its event loop. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  soon: (run) => void setImmediate(run),
};

/** For what lives on durations: setting the time of day does not change it. Its numbers mean nothing outside of this process. */
export const steadyClock: Clock = { ...systemClock, now: () => performance.now() };

/** Chance from this machine's own sources. */
export const systemChance: Chance = { random: () => Math.random(), newId: () => randomUUID() };
