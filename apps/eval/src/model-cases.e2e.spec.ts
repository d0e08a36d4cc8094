/**
 * Faults of model servers that users of other projects have met, and more of their kinds: one system, one stand-in that behaves as the
 * model's name says. docs/MODEL-SERVERS.md has the table.
 */
import { jest } from '@jest/globals';
import type { RunView } from '@cadre/contracts';
import { LiveSystem } from '@cadre/local-system/testing';
import type { Case } from './testing/quirks/case.js';
import { CASES as ALL } from './testing/quirks/cases.js';
import { isPending } from './testing/quirks/pending.js';
import { PRICE } from './testing/quirks/money.js';
import { MODEL_LIMIT_MS } from './testing/quirks/time.js';
import { FALLBACK } from './testing/quirks/turns.js';
import { GOOD, plain, final, type Behaviour } from './testing/said.js';
import { StandIn, type Asked } from './testing/stand-in.js';

jest.setTimeout(120_000);

const CASES = ALL.filter(({ id }) => !isPending(id));
const UNPRICED = ['unpriced-1', 'unpriced-2'];
const HANGS: Behaviour = () => ({ ...final(), afterMs: 120_000 });
const behaviours = new Map<string, Behaviour>([
  ...CASES.map(({ id, behave }): [string, Behaviour] => [id, behave]),
  ...Object.entries(FALLBACK),
  ...UNPRICED.map((id): [string, Behaviour] => [id, (body) => plain(body)]),
  ...['W02', 'W02-many', 'W02-task'].map((id): [string, Behaviour] => [id, HANGS]),
]);

let standIn: StandIn;
let live: LiveSystem;
const submissions: { runId: string }[] = [];

beforeAll(async () => {
  standIn = await StandIn.start(behaviours);
  const prices = Object.fromEntries([...behaviours.keys()].filter((id) => !UNPRICED.includes(id)).map((id) => [id, PRICE]));
  live = await LiveSystem.start({
    ...{ OPENAI_BASE_URL: standIn.baseUrl, OPENAI_API_KEY: 'x', CADRE_PRICES: JSON.stringify(prices), CADRE_MODEL: 'plain' },
    ...{ CADRE_MODEL_TIMEOUT_MS: String(MODEL_LIMIT_MS), CADRE_SLOTS: '60' },
  });
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
const look = (agent = 'generalist', id = 'look'): TaskInput => ({
  ...{ id, agent, title: 'Look which files are there', instructions: 'Say which files are there.' },
});

async function start(model: string, options: Case['options'] = {}, tasks = [look()]): Promise<string> {
  const request = { goal: 'List the files', plan: { tasks }, options: { summarize: false, model, ...options } };
  const { runId } = await live.client.startRun(request);
  submissions.push({ runId });
  return runId;
}

interface Tried {
  run: RunView;
  asked: Asked[];
  /** The second run's requests. */
  again: Asked[] | undefined;
  /** All that a person can see of the run. */
  shown: string;
}

async function attempt({ id, options, agent, right }: Case): Promise<Tried> {
  const runId = await start(id, options, [look(agent)]);
  const run = await live.ended(runId);
  const asked = standIn.of(id).slice();
  const { events } = await live.client.eventPage(runId, { limit: 1000 });
  const shown = JSON.stringify([run, await live.client.calls(runId), events]);
  if (right.again === undefined) return { run, asked, again: undefined, shown };
  await live.ended(await start(id, options, [look(agent)]));
  return { run, asked, again: standIn.of(id).slice(asked.length), shown };
}

const refusals = (asked: readonly Asked[]): number => asked.filter(({ status, usage }) => status !== 200 || usage === undefined).length;
const billed = (asked: readonly Asked[]): number =>
  asked.reduce((sum, { usage }) => {
    if (!usage) return sum;
    const output = Math.max(usage.completion_tokens, usage.total_tokens - usage.prompt_tokens);
    return sum + usage.prompt_tokens * PRICE.input + output * PRICE.output;
  }, 0);

function expectRight({ run, asked, again, shown }: Tried, right: Case['right']): void {
  const { status = 'completed', answer = GOOD.answer, requests = 2, refused = 0, costMicros = billed(asked) } = right;
  const task = run.tasks.find(({ taskId }) => taskId === 'look')!;
  const told = task.answer && 'text' in task.answer ? task.answer.text : undefined;
  const matching = (expected: number | { atMost: number }, actual: number) =>
    typeof expected === 'number' ? expected : Math.min(actual, expected.atMost);
  const seen = { status: run.status, requests: asked.length, refused: refusals(asked), error: run.error?.message };
  expect(seen).toEqual({
    status,
    requests: matching(requests, seen.requests),
    refused: matching(refused, seen.refused),
    error: status === 'failed' ? expect.any(String) : undefined,
  });
  if (status === 'completed') expect(told).toEqual(typeof answer === 'string' ? answer : expect.stringMatching(answer));
  if (costMicros !== 'any') expect(run.usage.costMicros).toBe(costMicros);
  if (right.code !== undefined) expect(shown).toContain(`"code":"${right.code}"`);
  if (right.shown !== undefined) expect(shown).toMatch(right.shown);
  if (right.sent !== undefined) expect(right.sent(asked.map(({ body }) => body))).toBe(true);
  if (again !== undefined) expect({ requests: again.length, refused: refusals(again) }).toEqual(right.again);
}

describe('each fault', () => {
  /** All are under way at once, as most of the time is waiting. */
  const tried = new Map<string, Promise<Tried>>();
  beforeAll(() => {
    for (const each of CASES) {
      const trial = attempt(each);
      trial.catch(() => undefined);
      tried.set(each.id, trial);
    }
  });

  test.each(CASES.map((each) => [each.id, each.what, each] as const))('%s: %s', async (id, _, { right }) => {
    expectRight(await tried.get(id)!, right);
  });
});

(isPending('M04b') ? test.skip : test)(
  'M04b: the fallback goes on with the turn of a model that is gone, whatever its ids were',
  async () => {
    await live.client.definedAgents.define('two-models', {
      ...{ template: 'assistant', description: 'Lists files, with a second model to fall back on.', skills: ['listing'] },
      ...{
        instructions: 'You list the files and say how many there are.',
        model: 'alpha',
        fallbackModels: ['beta'],
        tools: ['list_files'],
      },
    });
    const { runId } = await live.client.startRun({ goal: 'List', plan: { tasks: [look('two-models')] }, options: { summarize: false } });
    submissions.push({ runId });
    const run = await live.ended(runId);
    expect([run.status, run.tasks[0]!.answer]).toEqual(['completed', { text: GOOD.answer }]);
    expect(standIn.of('beta').map(({ status, toolResults }) => ({ status, toolResults }))).toEqual([{ status: 200, toolResults: 1 }]);
  },
);

(isPending('M14') ? test.skip : test)(
  'M14: without a budget a model without a price runs, and its cost is unknown; with one it is refused before it is asked',
  async () => {
    const free = await live.ended(await start(UNPRICED[0]!));
    expect([free.status, free.tasks[0]!.answer]).toEqual(['completed', { text: GOOD.answer }]);
    const refused = await start(UNPRICED[1]!, { budget: { runMicros: 1_000_000 } }).then(
      async (runId) => JSON.stringify(await live.ended(runId)),
      (error: Error & { remedy?: string }) => `${error.message} ${error.remedy}`,
    );
    expect(refused).toMatch(/price/);
    expect(refused).toMatch(/CADRE_PRICES/);
    expect(refused).toMatch(/unpriced/);
    expect(standIn.of(UNPRICED[1]!)).toEqual([]);
  },
);

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
    const tasks = Array.from({ length: 50 }, (_, n) => look('generalist', `look-${n}`));
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
