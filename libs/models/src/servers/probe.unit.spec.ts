import { ScriptedModel, callsTools } from '@cadre/agents/testing';
import { CadreError } from '@cadre/contracts';
import { listedAs, readListing } from './listed-models.js';
import { probeModel } from './probe.js';

const signal = new AbortController().signal;

test('a model that calls the tool and keeps to the format passes, with its cost', async () => {
  const model = new ScriptedModel([callsTools({ name: 'report_number', args: { number: 7 } }), { text: '{"number": 7}' }]);
  const probe = await probeModel(model, 'm', signal, () => 0);
  expect(probe).toEqual({ tool: { kind: 'ok' }, format: { kind: 'ok' }, costMicros: 6, tookMs: 0 });
  expect(model.requests.map(({ tools, responseSchema }) => [tools.length, responseSchema?.name])).toEqual([
    [1, undefined],
    [0, 'reply'],
  ]);
});

test('one that talks instead of calling, or wraps its object, is told apart from one that fails', async () => {
  const model = new ScriptedModel([{ text: 'The number is 7.' }, { text: 'Sure! {"number": 7}', priced: false }]);
  const probe = await probeModel(model, 'm', signal, () => 0);
  expect(probe).toMatchObject({ tool: { kind: 'ignored', answer: 'The number is 7.' }, format: { kind: 'ignored' }, costMicros: 3 });
  const error = new CadreError('model-not-found', 'no such model');
  const failing = await probeModel(new ScriptedModel([error, error]), 'm', signal, () => 0);
  expect(failing).toEqual({ tool: { kind: 'failed', error }, format: { kind: 'failed', error }, tookMs: 0 });
});

test.each([
  ['OpenAI', { object: 'list', data: [{ id: 'gpt-x', object: 'model' }] }, { id: 'gpt-x' }],
  ['vLLM', { data: [{ id: 'q', max_model_len: 32_768 }] }, { id: 'q', contextTokens: 32_768 }],
  ['llama.cpp', { data: [{ id: 'l', meta: { n_ctx: 4096, n_ctx_train: 131_072 } }] }, { id: 'l', contextTokens: 4096 }],
  ['OpenRouter', { data: [{ id: 'a/b', context_length: 200_000 }] }, { id: 'a/b', contextTokens: 200_000 }],
  ['Mistral', { data: [{ id: 'm', max_context_length: 131_072 }] }, { id: 'm', contextTokens: 131_072 }],
  ['Together, whose answer is the list itself', [{ id: 't', context_length: 8192 }], { id: 't', contextTokens: 8192 }],
  ['nonsense in its place', { data: [{ id: 'n', context_length: 'big', meta: 'x' }] }, { id: 'n' }],
])('the list of %s is read', (_, answer, listed) => {
  expect(readListing(answer)).toEqual([listed]);
});

test('what is no list is no list; entries without an id are left out', () => {
  expect([readListing('<html>'), readListing({ data: 'x' }), readListing({ data: [{}, null, { id: 'a' }] })]).toEqual([
    undefined,
    undefined,
    [{ id: 'a' }],
  ]);
});

test('a model is found under the longer name that a server gives it', () => {
  const models = [{ id: 'llama3.3:latest' }, { id: 'models/gemini-3' }];
  expect(listedAs(models, 'llama3.3')?.id).toBe('llama3.3:latest');
  expect(listedAs(models, 'gemini-3')?.id).toBe('models/gemini-3');
  expect(listedAs(models, 'llama3')).toBeUndefined();
});
