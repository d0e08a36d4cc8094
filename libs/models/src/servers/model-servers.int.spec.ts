import type { CallGate, ModelRequest } from '@cadre/agents';
import { PriceBook } from '../prices/price-book.js';
import { WireServer, completion, reply } from '../testing/wire-server.js';
import { ModelServers, keyReader } from './model-servers.js';
import type { ModelServersParts } from './model-servers.js';
import { parseModelsFile } from './models-file.js';

const signal = new AbortController().signal;
const request: ModelRequest = {
  model: 'smart',
  temperature: 0.5,
  maxOutputTokens: 9000,
  messages: [{ role: 'user', text: 'Hi' }],
  tools: [],
};
const well = (text: string) => (response: Parameters<WireServer['answer']>[0]) => reply(response, 200, completion({ content: text }));

let a: WireServer;
let b: WireServer;

beforeEach(async () => void ([a, b] = [await WireServer.start(), await WireServer.start()]));
afterEach(async () => void (await Promise.all([a.stop(), b.stop()])));

const file = (more = '') => `
servers:
  one:
    url: ${a.baseUrl}
    key: { env: ONE_KEY }
    keys: { acme: { file: acme.key } }
    headers: { X-Team: cadre, X-Secret: { env: SECRET } }
    extra: { top_k: 20, seed: 1 }
    temperature: omit
    maxOutputTokens: { '*': 2000 }
  two: { url: '${b.baseUrl}' }
models:
  smart:
    targets:
      - { server: one, model: m-one, price: { input: 1, output: 2 }, extra: { seed: 7 }, contextTokens: 5000 }
      - { server: two, model: m-two, price: { input: 100, output: 200 }, contextTokens: 9000 }
${more}`;

function served(text: string, more: Partial<ModelServersParts> = {}) {
  const env = { ONE_KEY: 'k-one', SECRET: 's-1' };
  const keyOf = keyReader(env, (path) => {
    if (path === 'acme.key') return 'k-acme\n';
    throw new Error(`ENOENT ${path}`);
  });
  const fallbacks: string[] = [];
  const parts: ModelServersParts = {
    ...{ keyOf, prices: new PriceBook(), defaultModel: 'smart', random: () => 0.5, now: () => Date.now() },
    onFallback: ({ from, to }) => fallbacks.push(`${from} > ${to}`),
    ...more,
  };
  return { servers: new ModelServers(parseModelsFile(text, 'models.yaml'), parts), fallbacks };
}

test("a target is asked with its server's key, headers and fields, under its own model, and within its cap", async () => {
  a.answer = well('one');
  const { servers } = served(file());
  expect(await servers.complete({ ...request, model: '' }, signal)).toMatchObject({ text: 'one', priced: true });
  const { headers, body } = a.seen[0]!;
  expect(headers).toMatchObject({ authorization: 'Bearer k-one', 'x-team': 'cadre', 'x-secret': 's-1' });
  expect(body).toMatchObject({ model: 'm-one', max_tokens: 2000, top_k: 20, seed: 7 });
  expect(body).not.toHaveProperty('temperature');
});

test('a tenant with a key of its own is asked for with it, others with that of the server', async () => {
  a.answer = well('one');
  const { servers } = served(file());
  for (const tenant of ['acme', 'other', 'acme']) await servers.complete({ ...request, tenant }, signal);
  expect(a.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer k-acme', 'Bearer k-one', 'Bearer k-acme']);
});

test('a server that limits is left for the next one within the call, and its price counts', async () => {
  a.answer = (response) => reply(response, 429, { error: { message: 'slow down' } }, { 'retry-after': '20' });
  b.answer = well('two');
  const { servers, fallbacks } = served(file());
  const { text, model, costMicros, inputTokens, outputTokens } = await servers.complete(request, signal);
  expect([text, fallbacks, costMicros]).toEqual(['two', ['one/m-one > two/m-two'], inputTokens * 100 + outputTokens * 200]);
  expect(model).not.toBe('m-one');
});

test('the quote covers the dearest target and names the larger window', () => {
  const { servers } = served(file());
  const quote = servers.quote(request);
  expect(quote).toMatchObject({ model: 'smart', priced: true, contextTokens: 9000 });
  expect(quote.maxCostMicros).toBeGreaterThanOrEqual(9000 * 200);
});

test('a key that is missing is named with its variable, and the next target is asked', async () => {
  b.answer = well('two');
  const { servers } = served(file().replace('ONE_KEY', 'NO_KEY'));
  expect((await servers.complete(request, signal)).text).toBe('two');
  const alone = served(
    file()
      .replace('ONE_KEY', 'NO_KEY')
      .replace(/      - \{ server: two.*\n/, ''),
  ).servers;
  await expect(alone.complete(request, signal)).rejects.toMatchObject({
    code: 'model-key-missing',
    message: 'The key of a model server is not there: the variable NO_KEY is not set.',
  });
});

test('names that the file does not have go to the server for others as they are; without one they are refused', async () => {
  b.answer = well('as it is');
  const { servers } = served(file('others: two'));
  expect((await servers.complete({ ...request, model: 'qwen3:8b' }, signal)).text).toBe('as it is');
  expect(b.seen[0]!.body).toMatchObject({ model: 'qwen3:8b' });
  expect(() => served(file()).servers.quote({ ...request, model: 'qwen3:8b' })).toThrow(/There is no model qwen3:8b/);
});

test('a file that is replaced counts from the next call on; what has not changed in it keeps its gate', async () => {
  a.answer = well('one');
  b.answer = well('two');
  const asked: string[] = [];
  const gate: CallGate = { governs: () => false, enter: async () => ({ over: () => undefined }) };
  const limited = file().replace("two: { url: '", "two: { limits: { '*': { concurrent: 2 } }, url: '");
  const { servers } = served(limited, { gateOf: (server) => (asked.push(server), gate) });
  await servers.complete(request, signal);
  servers.replace(parseModelsFile(limited.replace(/      - \{ server: one.*\n/, ''), 'models.yaml'));
  expect((await servers.complete(request, signal)).text).toBe('two');
  servers.replace(parseModelsFile(limited, 'models.yaml'));
  expect((await servers.complete(request, signal)).text).toBe('one');
  expect(asked.filter((server) => server === b.baseUrl)).toHaveLength(1);
});
