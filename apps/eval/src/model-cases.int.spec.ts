/**
 * Faults of model servers that users of other projects have met, and more of their kinds: the real engine, agent loop and adapter on a
 * stand-in that behaves as the model's name says. docs/MODEL-SERVERS.md has the table.
 */
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import type { ModelPort } from '@cadre/agents';
import { modelOn, tryOn, type Tried } from './testing/case-bench.js';
import type { Case, Right } from './testing/quirks/case.js';
import { CASES } from './testing/quirks/cases.js';
import { PRICE } from './testing/quirks/money.js';
import { MODEL_LIMIT_MS, TIME } from './testing/quirks/time.js';
import { FALLBACK } from './testing/quirks/turns.js';
import { GOOD, plain, type Behaviour } from './testing/said.js';
import { StandIn, type Asked } from './testing/stand-in.js';

jest.setTimeout(120_000);

const PATIENCE_MS = 60_000;

let standIn: StandIn;
let patient: ModelPort;
/** Does not wait long for an answer. */
let hasty: ModelPort;
/** All are under way at once, as most of the time is waiting. */
const trials = new Map<string, Promise<{ tried: Tried; asked: Asked[]; again: Asked[] | undefined }>>();

beforeAll(async () => {
  const behaviours = new Map<string, Behaviour>([
    ...CASES.map(({ id, behave }): [string, Behaviour] => [id, behave]),
    ...Object.entries(FALLBACK),
  ]);
  const priced = [...behaviours.keys()];
  for (const id of ['unpriced-1', 'unpriced-2']) behaviours.set(id, (body) => plain(body));
  standIn = await StandIn.start(behaviours);
  patient = modelOn(standIn.baseUrl, priced, PATIENCE_MS);
  hasty = modelOn(standIn.baseUrl, priced, MODEL_LIMIT_MS);
  for (const each of CASES) {
    const trial = attempt(each);
    trial.catch(() => undefined);
    trials.set(each.id, trial);
  }
});
afterAll(() => standIn.stop());

async function attempt({ id, options, agent, right }: Case): Promise<{ tried: Tried; asked: Asked[]; again: Asked[] | undefined }> {
  const model = TIME.some((each) => each.id === id) ? hasty : patient;
  const run = (): Promise<Tried> => tryOn(model, { model: id, ...options }, agent === undefined ? {} : { agent });
  const tried = await run();
  const asked = standIn.of(id).slice();
  if (right.again === undefined) return { tried, asked, again: undefined };
  await run();
  return { tried, asked, again: standIn.of(id).slice(asked.length) };
}

const refusals = (asked: readonly Asked[]): number => asked.filter(({ status, usage }) => status !== 200 || usage === undefined).length;
const billed = (asked: readonly Asked[]): number =>
  asked.reduce((sum, { usage }) => {
    if (!usage) return sum;
    const output = Math.max(usage.completion_tokens, usage.total_tokens - usage.prompt_tokens);
    return sum + usage.prompt_tokens * PRICE.input + output * PRICE.output;
  }, 0);
const atMost = (expected: number | { atMost: number }, actual: number): number =>
  typeof expected === 'number' ? expected : Math.min(actual, expected.atMost);

function expectRight(tried: Tried, asked: readonly Asked[], right: Right): void {
  const { status = 'completed', answer = GOOD.answer, requests = 2, refused = 0, costMicros = billed(asked) } = right;
  const seen = { status: tried.status, requests: asked.length, refused: refusals(asked), error: tried.error };
  expect(seen).toEqual({
    status,
    requests: atMost(requests, seen.requests),
    refused: atMost(refused, seen.refused),
    error: status === 'failed' ? expect.any(String) : undefined,
  });
  if (status === 'completed') expect(tried.answer).toEqual(typeof answer === 'string' ? answer : expect.stringMatching(answer));
  if (costMicros !== 'any') expect(tried.costMicros).toBe(costMicros);
  if (right.code !== undefined) expect(tried.shown).toContain(`"code":"${right.code}"`);
  if (right.shown !== undefined) expect(tried.shown).toMatch(right.shown);
  if (right.sent !== undefined) expect(right.sent(asked.map(({ body }) => body))).toBe(true);
  expect(tried.violations).toEqual([]);
}

test.each(CASES.map((each) => [each.id, each.what, each] as const))('%s: %s', async (id, _, { right }) => {
  const { tried, asked, again } = await trials.get(id)!;
  expectRight(tried, asked, right);
  if (again !== undefined) expect({ requests: again.length, refused: refusals(again) }).toEqual(right.again);
});

test('M04b: the fallback goes on with the turn of a model that is gone, whatever its ids were', async () => {
  const tried = await tryOn(patient, {}, { changes: { model: 'alpha', fallbackModels: ['beta'] } });
  expect([tried.status, tried.answer, tried.error]).toEqual(['completed', GOOD.answer, undefined]);
  expect(standIn.of('beta').map(({ status, toolResults }) => ({ status, toolResults }))).toEqual([{ status: 200, toolResults: 1 }]);
});

test('M14: without a budget an unpriced model runs; with one it is refused unasked, and both ways out are named', async () => {
  const free = await tryOn(patient, { model: 'unpriced-1' });
  expect([free.status, free.answer, free.costMicros]).toEqual(['completed', GOOD.answer, 0]);
  const refused = await tryOn(patient, { model: 'unpriced-2', budget: { runMicros: 1_000_000 } });
  expect([refused.status, standIn.of('unpriced-2')]).toEqual(['failed', []]);
  expect(refused.shown).toMatch(/CADRE_PRICES/);
  expect(refused.shown).toMatch(/unpriced/);
});

test('M20: a server that only the proxy of the environment knows is reached through it, one on loopback is not', async () => {
  const through: string[] = [];
  const proxy = createServer((request, response) => {
    const { host, pathname } = new URL(request.url ?? '/', 'http://nowhere');
    through.push(host);
    const { method, headers } = request;
    const onward = httpRequest({ host: '127.0.0.1', port: standIn.port, path: pathname, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const before = process.env['HTTP_PROXY'];
  process.env['HTTP_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  try {
    const behind = await tryOn(modelOn('http://model.internal/v1', [], PATIENCE_MS), { model: 'unpriced-1' });
    expect([behind.status, behind.answer]).toEqual(['completed', GOOD.answer]);
    expect(new Set(through)).toEqual(new Set(['model.internal']));
    const near = await tryOn(modelOn(standIn.baseUrl, [], PATIENCE_MS), { model: 'unpriced-1' });
    expect(near.status).toBe('completed');
    expect(new Set(through)).toEqual(new Set(['model.internal']));
  } finally {
    if (before === undefined) delete process.env['HTTP_PROXY'];
    else process.env['HTTP_PROXY'] = before;
    proxy.closeAllConnections();
    proxy.close();
  }
});
