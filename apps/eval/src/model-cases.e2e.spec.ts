/**
 * W02: who does not want an answer any more lets the model server go. On the whole system, as the scheduler and the worker's processes
 * have their part in it.
 */
import { jest } from '@jest/globals';
import { LiveSystem } from '@cadre/local-system/testing';
import type { RunRequestInput } from '@cadre/sdk';
import { final, type Behaviour } from './testing/said.js';
import { StandIn } from './testing/stand-in.js';

jest.setTimeout(120_000);

const HANGS: Behaviour = () => ({ ...final(), afterMs: 120_000 });

let standIn: StandIn;
let live: LiveSystem;
const submissions: { runId: string }[] = [];

beforeAll(async () => {
  standIn = await StandIn.start(new Map(['W02', 'W02-many', 'W02-task'].map((id) => [id, HANGS])));
  live = await LiveSystem.start({ OPENAI_BASE_URL: standIn.baseUrl, OPENAI_API_KEY: 'x', CADRE_MODEL: 'plain', CADRE_SLOTS: '60' });
});
afterAll(async () => {
  try {
    if (live) expect(await live.violations(submissions)).toEqual([]);
  } finally {
    await live?.stop();
    await standIn.stop();
  }
});

type TaskInput = { id: string; title: string; instructions: string; agent: string; timeoutMs?: number };
const look = (id = 'look'): TaskInput => ({
  ...{ id, agent: 'generalist', title: 'Look which files are there', instructions: 'Say which files are there.' },
});

async function start(model: string, options: RunRequestInput['options'] = {}, tasks = [look()]): Promise<string> {
  const request = { goal: 'List the files', plan: { tasks }, options: { summarize: false, model, ...options } };
  const { runId } = await live.client.startRun(request);
  submissions.push({ runId });
  return runId;
}

describe('W02: who does not want the answer any more lets the server go', () => {
  const asking = (model: string, count = 1): Promise<true> =>
    live.until(`${model} is asked`, async () => (standIn.of(model).length >= count ? true : undefined));

  test('a cancelled run', async () => {
    const runId = await start('W02', { cancelGraceMs: 2000 });
    await asking('W02');
    await live.client.cancelRun(runId);
    expect((await live.ended(runId)).status).toBe('cancelled');
    expect(standIn.of('W02').map(({ clientLeft }) => clientLeft)).toEqual([true]);
    expect((await live.client.calls(runId)).calls).toMatchObject([{ outcome: 'unknown' }]);
  });

  test('a cancelled run of fifty tasks', async () => {
    const tasks = Array.from({ length: 50 }, (_, n) => look(`look-${n}`));
    const runId = await start('W02-many', { cancelGraceMs: 2000 }, tasks);
    await asking('W02-many', 20);
    await live.client.cancelRun(runId);
    expect((await live.ended(runId)).status).toBe('cancelled');
    expect(standIn.of('W02-many').every(({ clientLeft }) => clientLeft)).toBe(true);
  });

  test('a task whose time is up', async () => {
    const runId = await start('W02-task', {}, [{ ...look(), timeoutMs: 1500 }]);
    await asking('W02-task');
    const run = await live.ended(runId);
    expect(run.status).toBe('failed');
    const asked = standIn.of('W02-task');
    expect(asked.every(({ clientLeft, atMs, endedMs }) => clientLeft === true && endedMs! - atMs < 4000)).toBe(true);
  });
});
