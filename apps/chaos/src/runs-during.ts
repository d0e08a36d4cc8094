/** A stream of runs while something happens. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Play } from './play.js';

const EVERY_MS = 300;

/** Starts runs until the accident is over. @returns those started, once all their starts are acknowledged, and what the accident gave */
export async function runsDuring<T>(
  { submitter, direct, request }: Play,
  accident: () => Promise<T>,
): Promise<{ runs: string[]; value: T }> {
  let over = false;
  const starts = [submitter.start(request), direct.start(request)];
  await sleep(EVERY_MS / 2);
  const happening = accident().finally(() => (over = true));
  happening.catch(() => undefined);
  for (await sleep(EVERY_MS); !over; await sleep(EVERY_MS)) {
    starts.push(starts.length % 2 === 0 ? submitter.start(request) : direct.start(request));
  }
  return { runs: await Promise.all(starts), value: await happening };
}
