import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelReply, ModelRequest } from '@cadre/agents';
import { ScriptedModel, answers } from '@cadre/agents/testing';
import { CadreError } from '@cadre/contracts';
import { ModelBreaker } from './model-breaker.js';
import type { BreakerChange } from './model-breaker.js';

const OPEN_MS = 500;
const never = new AbortController().signal;
const ask = (model?: string): ModelRequest => ({
  temperature: 0,
  maxOutputTokens: 10,
  messages: [{ role: 'user', text: 'Hello' }],
  tools: [],
  ...(model !== undefined && { model }),
});

type Turn = () => Promise<Partial<ModelReply>>;

/** A breaker over a model whose every call does what `turn` says at that time. */
function rig(failures = 3) {
  const changes: BreakerChange[] = [];
  const self = {
    changes,
    calls: 0,
    turn: works as Turn,
    breaker: undefined as unknown as ModelBreaker,
    states: () => changes.map(({ state }) => state),
    codes: async (count: number) => {
      const outcomes = await Promise.allSettled(Array.from({ length: count }, () => self.breaker.complete(ask(), never)));
      return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'ok' : (outcome.reason as CadreError).code));
    },
    async one(): Promise<string> {
      return (await self.codes(1))[0]!;
    },
  };
  const inner = new ScriptedModel(
    Array.from({ length: 1000 }, () => () => {
      self.calls += 1;
      return self.turn();
    }),
  );
  const options = { server: 'http://model', model: 'm', failures, openMs: OPEN_MS };
  self.breaker = new ModelBreaker(inner, { ...options, onChange: (change) => changes.push(change) });
  return self;
}

const works: Turn = () => Promise.resolve(answers('Yes.'));
const fails =
  (code: string, retryAfterMs?: number): Turn =>
  () =>
    Promise.reject(new CadreError(code, 'No.', { retriable: true, billed: 'no', ...(retryAfterMs !== undefined && { retryAfterMs }) }));

async function opened(failures = 3): Promise<ReturnType<typeof rig>> {
  const it = rig(failures);
  it.turn = fails('model-unavailable');
  for (let n = 0; n < failures; n += 1) await it.one();
  expect(it.states()).toEqual(['open']);
  return it;
}

test('opens after failures of the server in a row, and then calls nobody', async () => {
  const it = rig();
  it.turn = fails('model-timeout');
  expect([await it.one(), await it.one()]).toEqual(['model-timeout', 'model-timeout']);
  it.turn = works;
  expect(await it.one()).toBe('ok');
  it.turn = fails('model-unavailable');
  expect([await it.one(), await it.one()]).toEqual(['model-unavailable', 'model-unavailable']);
  expect(it.changes).toEqual([]);
  expect(await it.one()).toBe('model-unavailable');
  expect(it.changes).toEqual([{ server: 'http://model', model: 'm', state: 'open' }]);
  const { calls } = it;
  const refused = await it.breaker.complete(ask(), never).catch((error: unknown) => error as CadreError);
  expect(refused).toMatchObject({ code: 'model-breaker-open', retriable: true, billed: 'no' });
  expect((refused as CadreError).retryAfterMs).toBeGreaterThan(0);
  expect((refused as CadreError).retryAfterMs).toBeLessThanOrEqual(OPEN_MS);
  expect(it.calls).toBe(calls);
});

test.each(['model-rejected', 'model-unauthorized', 'model-not-found', 'model-rate-limited', 'aborted'])(
  '%s never opens it',
  async (code) => {
    const it = rig();
    it.turn = fails(code);
    for (let n = 0; n < 10; n += 1) expect(await it.one()).toBe(code);
    expect(it.changes).toEqual([]);
  },
);

test('half open lets one call through, however many ask at once, and refuses the others without waiting', async () => {
  const it = await opened();
  await sleep(OPEN_MS + 5);
  let finish: () => void = () => undefined;
  it.turn = () => new Promise((resolve) => (finish = () => resolve(answers('Yes.'))));
  const { calls } = it;
  const probe = it.one();
  expect(await it.codes(20)).toEqual(Array.from({ length: 20 }, () => 'model-breaker-open'));
  expect(it.calls).toBe(calls + 1);
  finish();
  expect(await probe).toBe('ok');
  it.turn = works;
  expect(await it.codes(20)).toEqual(Array.from({ length: 20 }, () => 'ok'));
  expect(it.states()).toEqual(['open', 'half-open', 'closed']);
});

test('many at the same moment make one probe', async () => {
  const it = await opened();
  await sleep(OPEN_MS + 5);
  it.turn = works;
  const { calls } = it;
  const codes = await it.codes(20);
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
  expect(it.calls).toBe(calls + 1);
});

test('a probe that fails opens it again; one that the server answers with a refusal closes it', async () => {
  const it = await opened();
  await sleep(OPEN_MS + 5);
  expect(await it.one()).toBe('model-unavailable');
  expect(await it.one()).toBe('model-breaker-open');
  await sleep(OPEN_MS + 5);
  it.turn = fails('model-rejected');
  expect(await it.one()).toBe('model-rejected');
  expect(it.states()).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
});

test('a probe that is stopped from outside shows nothing: it stays open', async () => {
  const it = await opened();
  await sleep(OPEN_MS + 5);
  const stopped = new AbortController();
  it.turn = () => {
    stopped.abort();
    return fails('aborted')();
  };
  await expect(it.breaker.complete(ask(), stopped.signal)).rejects.toMatchObject({ code: 'aborted' });
  it.turn = works;
  expect(await it.one()).toBe('model-breaker-open');
  await sleep(OPEN_MS + 5);
  expect(await it.one()).toBe('ok');
});

test('a 429 with a time holds all calls of the model back until then, and opens nothing', async () => {
  const it = rig();
  it.turn = fails('model-rate-limited', 500);
  expect(await it.one()).toBe('model-rate-limited');
  it.turn = works;
  const { calls } = it;
  const early = await it.breaker.complete(ask(), never).catch((error: unknown) => error as CadreError);
  expect(early).toMatchObject({ code: 'model-rate-limited', retriable: true, billed: 'no' });
  expect(it.calls).toBe(calls);
  await sleep((early as CadreError).retryAfterMs);
  expect(await it.one()).toBe('ok');
  expect(it.changes).toEqual([]);
});

test('a quote is that of the port within', () => {
  expect(rig().breaker.quote(ask('other'))).toMatchObject({ model: 'other', priced: true });
});

const loading = (retryAfterMs?: number) =>
  new CadreError('model-loading', 'The model server answered 503: Loading model', {
    ...{ retriable: true, billed: 'no', remedy: 'Wait.' },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });

test('what is kept back is told the last that the server said, and what to do about it', async () => {
  const it = rig();
  it.turn = fails('model-unavailable');
  await it.codes(2);
  it.turn = () => Promise.reject(loading());
  expect(await it.one()).toBe('model-loading');
  const refused = await it.breaker.complete(ask(), never).catch((error: unknown) => error as CadreError);
  expect(refused).toMatchObject({ code: 'model-breaker-open', retriable: true, billed: 'no', remedy: 'Wait.' });
  expect((refused as CadreError).message).toMatch(
    /^The model server answered 503: Loading model\. m has failed 3 times in a row there and is /,
  );
});

test('a server that loads and says how long is not asked before, and tells each call the same', async () => {
  const it = rig();
  it.turn = () => Promise.reject(loading(30_000));
  await it.one();
  const early = await it.breaker.complete(ask(), never).catch((error: unknown) => error as CadreError);
  expect(early).toMatchObject({ code: 'model-loading', message: loading().message, remedy: 'Wait.', billed: 'no' });
  expect((early as CadreError).retryAfterMs).toBeGreaterThan(29_000);
  expect(it.calls).toBe(1);
});
