import { runSeed } from '../run-seed.js';
import { catchPlant } from './catch-plant.js';
import { PLANTS } from './index.js';

const STEPS = 3000;
/** Most faults show within a few seeds; these need a rare meeting of events. */
const SEEDS: Record<string, number> = {
  'the lease is believed after a pause': 1500,
  'the result of a closed attempt is accepted': 1500,
};
const FEW_SEEDS = 150;

test('there are more than twenty', () => {
  expect(Object.keys(PLANTS).length).toBeGreaterThan(20);
});

test.each(Object.keys(PLANTS))(
  '%s',
  async (name) => {
    const caught = await catchPlant(name, STEPS, SEEDS[name] ?? FEW_SEEDS);
    expect(caught).toBeDefined();
    // The same seed without the fault shows nothing.
    expect((await runSeed(caught!.seed, STEPS)).finding).toBeUndefined();
  },
  120_000,
);
