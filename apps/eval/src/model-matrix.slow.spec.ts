/** The demo's goal on each documented server; `model-matrix.int.spec.ts` has the other situations. */
import { jest } from '@jest/globals';
import { SERVERS } from './testing/matrix/servers/servers.js';
import { DEMO, expectDemo, stopAll, tried } from './testing/matrix/tried.js';

jest.setTimeout(120_000);
afterAll(stopAll);

test.each(SERVERS.map((profile) => [profile.name, profile] as const))("%s: the demo's goal runs to its end", async (_, profile) => {
  expectDemo(await tried(profile, {}, DEMO));
});
