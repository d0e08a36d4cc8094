/** Faults as Cadre's own adapter meets them, and the witness that counts what was really done. */
import type { ModelRequest } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import { RemoteModel, PriceBook } from '@cadre/models';
import type { CallReport } from './call-witness.js';
import { startModelSim, type RunningModelSim } from './start-model-sim.js';

let server: RunningModelSim | undefined;
afterEach(() => server?.stop());

/** @param timeoutMs short where an answer never comes; else enough on a busy machine */
async function start(faults: string, timeoutMs = 20_000, env: Record<string, string> = {}): Promise<RemoteModel> {
  server = await startModelSim({ LOG_LEVEL: 'silent', MODEL_SIM_FAULTS: faults, ...env });
  return new RemoteModel({ baseUrl: `${server.url}/v1`, defaultModel: 'cadre-sim-1', timeoutMs });
}

const ask = (callKey?: string): ModelRequest => ({
  temperature: 0,
  maxOutputTokens: 100,
  messages: [{ role: 'user', text: 'Hello' }],
  tools: [],
  ...(callKey !== undefined && { callKey }),
});
const never = new AbortController().signal;
const outcomeOf = (model: RemoteModel, callKey?: string) =>
  model.complete(ask(callKey), never).then(
    () => 'ok',
    (error: unknown) => (error as CadreError).code,
  );
const report = async () => (await (await fetch(`${server?.url}/sim/calls`)).json()) as CallReport;
const reset = (body: unknown) =>
  fetch(`${server?.url}/sim/reset`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

test.each([
  ['429', 'model-rate-limited', 0],
  ['500', 'model-unavailable', 0],
  ['503', 'model-unavailable', 0],
  ['refuse', 'model-unavailable', 0],
  ['reset', 'model-unavailable', 1],
  ['truncated', 'model-unavailable', 1],
  ['garbage', 'model-garbled', 1],
  ['hang', 'model-timeout', 1],
])('%s is %s to the caller, and the model worked %i times', async (fault, code, done) => {
  const model = await start(`${fault}@1`, fault === 'hang' ? 1000 : undefined);
  expect(await outcomeOf(model, 'k1')).toBe(code);
  expect((await report()).keys['k1']).toMatchObject({ received: 1, done, outcomes: { [fault]: 1 } });
  expect(await outcomeOf(model, 'k1')).toBe('ok');
  expect((await report()).keys['k1']).toMatchObject({ received: 2, done: done + 1, outcomes: { [fault]: 1, answered: 1 } });
});

test('429 and 503 say when to come back', async () => {
  const model = await start('429@1,503@2,retry-after:2');
  for (let n = 0; n < 2; n += 1) await expect(model.complete(ask(), never)).rejects.toMatchObject({ retryAfterMs: 2000, billed: 'no' });
});

test('slow answers come late', async () => {
  const model = await start('slow@1,slow-ms:50');
  const began = performance.now();
  expect(await outcomeOf(model)).toBe('ok');
  expect(performance.now() - began).toBeGreaterThanOrEqual(45);
});

test('the witness counts tokens and price of each key as the adapter does, within its quote', async () => {
  const model = await start('');
  const replies = [await model.complete(ask('a'), never), await model.complete(ask('a'), never), await model.complete(ask(), never)];
  const [reply] = replies as [(typeof replies)[0]];
  const { total, keys, unkeyed, forgotten } = await report();
  const one = { inputTokens: reply.inputTokens, outputTokens: reply.outputTokens, costMicros: reply.costMicros };
  expect(unkeyed).toEqual({ received: 1, done: 1, ...one, outcomes: { answered: 1 } });
  expect(keys['a']).toMatchObject({ received: 2, done: 2, costMicros: 2 * reply.costMicros });
  expect(total).toMatchObject({ received: 3, done: 3, costMicros: 3 * reply.costMicros });
  expect(forgotten).toBe(0);
  expect(new PriceBook().find('cadre-sim-1')).toBeDefined();
  const quote = model.quote(ask('a'));
  expect(reply.inputTokens).toBeLessThanOrEqual(quote.maxInputTokens);
  expect(reply.costMicros).toBeLessThanOrEqual(quote.maxCostMicros);
});

test('a reset forgets the calls, and may bring other faults', async () => {
  const model = await start('500:1');
  expect(await outcomeOf(model, 'a')).toBe('model-unavailable');
  expect((await reset({ faults: 'hang' })).status).toBe(400);
  expect((await reset({ faults: '429@2' })).status).toBe(200);
  expect((await report()).total.received).toBe(0);
  expect([await outcomeOf(model), await outcomeOf(model), await outcomeOf(model)]).toEqual(['ok', 'model-rate-limited', 'ok']);
  expect((await reset({})).status).toBe(200);
  expect([await outcomeOf(model), await outcomeOf(model)]).toEqual(['ok', 'model-rate-limited']);
});

test('a request that is no good is no work', async () => {
  const model = await start('');
  await expect(model.complete({ ...ask('x'), model: 'other' }, never)).rejects.toMatchObject({ code: 'model-not-found' });
  expect((await report()).keys['x']).toMatchObject({ received: 1, done: 0, outcomes: { rejected: 1 } });
});

test('beyond the limits it refuses, says when to come back, does no work and counts it', async () => {
  const model = await start('', undefined, { MODEL_SIM_LIMITS: 'rpm:2' });
  expect([await outcomeOf(model, 'a'), await outcomeOf(model, 'a')]).toEqual(['ok', 'ok']);
  const refused: CadreError = await model.complete(ask('a'), never).then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error as CadreError,
  );
  expect(refused).toMatchObject({ code: 'model-rate-limited', billed: 'no' });
  expect(refused.retryAfterMs).toBeGreaterThan(20_000);
  expect((await report()).keys['a']).toMatchObject({ received: 3, done: 2, outcomes: { answered: 2, limited: 1 } });
  const limits = await fetch(`${server?.url}/sim/limits`);
  expect(await limits.json()).toEqual({ accepted: 2, refused: { requests: 1, tokens: 0, concurrent: 0 } });
  const body = JSON.stringify({ model: 'cadre-sim-1', messages: [{ role: 'user', content: 'x' }] });
  const raw = await fetch(`${server?.url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  expect([raw.status, raw.headers.get('x-ratelimit-limit-requests'), raw.headers.get('x-ratelimit-remaining-requests')]).toEqual([
    429,
    '2',
    '0',
  ]);
  await reset({});
  expect(await outcomeOf(model)).toBe('ok');
});

test('limits that are none are told at the start', async () => {
  await expect(startModelSim({ LOG_LEVEL: 'silent', MODEL_SIM_LIMITS: 'rps:5' })).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringContaining('rpm:600') as string,
  });
});
