/** A run on a stand-in, and what is right of one that succeeds. */
import type { MadeCall } from '@cadre/agents';
import { runOn, type Ran, type Wanted } from './matrix-bench.js';
import { MatrixServer, type Mood } from './matrix-server.js';
import type { ServerProfile } from './profile.js';

export const WEATHER = new URL('../../../../../node_modules/vega-datasets/data/seattle-weather.csv', import.meta.url).pathname;
/** The demo's goal. */
export const DEMO: Wanted = { goal: 'Analyze the weather data, generate report code, write tests, and document the API', file: WEATHER };
/** One task with one attempt: whatever counts as one ends it. */
export const ANALYSIS: Wanted = {
  goal: 'Analyze the weather data',
  file: WEATHER,
  tasks: [{ id: 'analyze', title: 'Analyze', instructions: 'Analyze the weather data.', agent: 'data-analyst', retry: { maxAttempts: 1 } }],
  options: { summarize: false },
};

export interface Tried {
  server: MatrixServer;
  ran: Ran;
}

const started: MatrixServer[] = [];

export async function tried(profile: ServerProfile, mood: Mood, wanted: Wanted): Promise<Tried> {
  const server = await MatrixServer.start(profile, mood);
  started.push(server);
  return { server, ran: await runOn(server, wanted) };
}

export async function stopAll(): Promise<void> {
  for (const server of started.splice(0)) await server.stop();
}

export const modelCalls = ({ made }: Ran): MadeCall[] => made.filter(({ kind }) => kind === 'model');

/** Green, the tools called, its figures those of the file, and what it says that it cost is what the server takes. */
export function expectGreen(ran: Ran, billedMicros: number): void {
  expect([ran.status, ran.error]).toEqual(['completed', undefined]);
  expect(ran.tools['analyze']).toEqual(expect.arrayContaining(['profile_data', 'query_data', 'find_trends']));
  const all = Object.values(ran.tools).flat();
  expect(all.filter((name) => name.endsWith(' failed'))).toEqual([]);
  expect(ran.answer).toMatch(/1[,.]?461/);
  expect(ran.costMicros).toBeGreaterThan(0);
  expect(ran.costMicros).toBe(billedMicros);
  expect(ran.violations).toEqual([]);
}

/** The demo's goal: each part of it done, nothing refused but what is learnt from. */
export function expectDemo({ server, ran }: Tried): void {
  expectGreen(ran, server.billedMicros);
  const { learns } = server.profile;
  const refused = server.refusals.map((each) => JSON.stringify(each.refused));
  expect(refused.filter((words) => learns?.test(words) !== true)).toEqual([]);
  expect(Object.keys(ran.tools)).toEqual(expect.arrayContaining(['analyze', 'code', 'docs', 'review', 'test']));
  expect(ran.answer).toContain('passed');
}
