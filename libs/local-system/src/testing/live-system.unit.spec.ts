import type { RunStatus } from '@cadre/contracts';
import { LiveSystem } from './live-system.js';

/** A system whose only run is found in these states, one after the other. */
function withRun(...statuses: RunStatus[]): LiveSystem {
  const getRun = () => Promise.resolve({ status: statuses.length > 1 ? statuses.shift() : statuses[0] });
  return Object.create(LiveSystem.prototype, { client: { value: { getRun } } }) as LiveSystem;
}

test('a run that is being cancelled has not ended', async () => {
  const live = withRun('planning', 'running', 'cancelling', 'cancelled');
  expect((await live.ended('r', 5000)).status).toBe('cancelled');
});
