/**
 * Each documented server, played strictly, in each situation: the real engine, agents, tools and adapter on the stand-ins of
 * `testing/matrix`. docs/MODEL-SERVERS.md has the table, docs/adr/0039 says why it is done so.
 */
import { readFileSync } from 'node:fs';
import { jest } from '@jest/globals';
import type { ModelRequest } from '@cadre/agents';
import { modelsOf } from './testing/matrix/matrix-bench.js';
import { MatrixServer } from './testing/matrix/matrix-server.js';
import type { Body } from './testing/matrix/profile.js';
import { SERVERS } from './testing/matrix/servers/servers.js';
import { matrixTable } from './testing/matrix/table.js';
import { ANALYSIS, DEMO, expectDemo, expectGreen, modelCalls, stopAll, tried, type Tried } from './testing/matrix/tried.js';

jest.setTimeout(120_000);

const WAIT_MS = 2500;
/** The demo's goal on one server of each API; `model-matrix.slow.spec.ts` has all. */
const QUICK = ['openai-chat', 'openai-responses', 'anthropic'];

afterAll(stopAll);

describe.each(SERVERS.map((profile) => [profile.name, profile] as const))('%s', (_, profile) => {
  let limited: Tried;
  let cold: Tried;
  let thinking: Tried;
  beforeAll(async () => {
    [limited, cold, thinking] = await Promise.all([
      tried(profile, { limited: { from: 3, ms: WAIT_MS } }, ANALYSIS),
      tried(profile, { notReadyMs: WAIT_MS }, ANALYSIS),
      tried(profile, { thinks: true }, ANALYSIS),
    ]);
  });

  if (QUICK.includes(profile.id)) {
    test("the demo's goal runs to its end", async () => expectDemo(await tried(profile, {}, DEMO)));
  }

  test('a limit costs no attempt, and is waited for', () => {
    expectGreen(limited.ran, limited.server.billedMicros);
    const refused = limited.server.refusals.filter((each) => profile.learns?.test(JSON.stringify(each.refused)) !== true);
    expect(refused.length).toBeGreaterThan(0);
    // A server that says for how long is not asked before.
    if (profile.namesTime) expect(refused).toHaveLength(1);
  });

  test('a server that is not ready is waited for', () => {
    expectGreen(cold.ran, cold.server.billedMicros);
    const turnedAway = cold.ran.made.filter(({ kind, ok }) => kind === 'model' && !ok);
    expect(turnedAway.length).toBeGreaterThan(0);
    expect(turnedAway.every(({ costMicros }) => costMicros === 0)).toBe(true);
  });

  test('a thinking model gets its thoughts back where it demands them', () => {
    const { server, ran } = thinking;
    expectGreen(ran, server.billedMicros);
    const answered = server.exchanges.filter(({ counts }) => (counts?.reasoning ?? 0) > 0);
    expect(answered.length).toBeGreaterThan(2);
    // What is refused at first is learnt, once.
    expect(server.refusals.length).toBeLessThanOrEqual(2);
    expect(server.refusals.every(({ refused }) => !/thought|reasoning_content|signature/i.test(JSON.stringify(refused)))).toBe(true);
    expect(modelCalls(ran)).toHaveLength(answered.length);
  });

  test('a budget is kept, to the millionth of a dollar', async () => {
    // The least that pays for a first call: what a call can cost is estimated before it.
    for (let budget = Math.floor(thinking.server.billedMicros * 0.6); ; budget = Math.ceil(budget * 1.3)) {
      const options = { ...ANALYSIS.options, budget: { runMicros: budget } };
      const { server, ran } = await tried(profile, { thinks: true }, { ...ANALYSIS, options });
      expect([ran.status, ran.costMicros]).toEqual(['failed', server.billedMicros]);
      expect(ran.costMicros).toBeLessThanOrEqual(budget);
      expect(ran.error).toMatch(/beyond the run's cap/);
      expect(ran.violations).toEqual([]);
      if (ran.costMicros > 0) break;
    }
  });

  test.each(profile.violations.map((each) => [each.what, each] as const))('the stand-in refuses %s', (__, { change, status, words }) => {
    const { server } = thinking;
    const taken = server.exchanges.findLast((each) => each.status === 200)!;
    const body = structuredClone(taken.body) as Body;
    expect(server.judge(body)).toBeUndefined();
    change(body);
    const refusal = server.judge(body);
    expect([refusal?.status, JSON.stringify(refusal?.body)]).toEqual([status, expect.stringMatching(words)]);
  });
});

/** Anthropic is not among them: what stands for a thought there is not documented. */
test.each(SERVERS.filter(({ id }) => id === 'deepseek' || id === 'gemini').map((profile) => [profile.name, profile] as const))(
  '%s goes on with a conversation that another model began, and is asked wrongly once only',
  async (_, profile) => {
    const server = await MatrixServer.start(profile, { thinks: true });
    try {
      const model = modelsOf(server, () => undefined);
      const request: ModelRequest = {
        ...{ temperature: 0, maxOutputTokens: 1000 },
        messages: [
          { role: 'user', text: 'Which files are there?' },
          { role: 'assistant', text: '', toolCalls: [{ id: 'a1', name: 'list_files', arguments: '{}' }], from: 'http://other/v1 other' },
          { role: 'tool', toolCallId: 'a1', text: '{"files":[]}' },
        ],
        tools: [{ name: 'list_files', description: 'Lists files.', parameters: { type: 'object', properties: {} } }],
      };
      const ask = () => model.complete(request, new AbortController().signal);
      expect((await ask()).text).not.toBe('');
      expect(server.refusals).toHaveLength(1);
      expect((await ask()).text).not.toBe('');
      expect(server.refusals).toHaveLength(1);
    } finally {
      await server.stop();
    }
  },
);

test('the documents have the matrix as it is', () => {
  expect(readFileSync(new URL('../../../docs/MODEL-SERVERS.md', import.meta.url), 'utf8')).toContain(matrixTable(SERVERS));
});
