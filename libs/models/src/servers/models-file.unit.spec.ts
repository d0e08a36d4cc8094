import { CadreError } from '@cadre/contracts';
import { parseModelsFile, settingsOf } from './models-file.js';

const GOOD = `
servers:
  hosted:
    url: https://api.example.com/v1/
    key: { env: HOSTED_KEY }
    keys: { acme: { file: /run/secrets/acme } }
    headers: { X-Team: cadre }
    limits: { '*': { requestsPerMinute: 60 } }
    maxOutputTokens: { '*': 4096 }
    extra: { top_p: 0.9, seed: 1 }
  local: { url: 'http://127.0.0.1:11434/v1', temperature: omit }
models:
  smart:
    policy: cheapest
    targets:
      - { server: hosted, model: big-1, price: { input: 1, output: 4 }, contextTokens: 128000, extra: { seed: 2 } }
      - { server: local, model: 'qwen3:8b' }
default: smart
`;

function fault(text: string): string {
  try {
    parseModelsFile(text, 'models.yaml');
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(CadreError);
    return (error as CadreError).message;
  }
}

test('servers and models are read, with what is said by default', () => {
  const file = parseModelsFile(GOOD, 'models.yaml');
  expect(file.servers['hosted']).toMatchObject({ url: 'https://api.example.com/v1', api: 'chat' });
  expect(file.models['smart']?.targets[1]).toEqual({ server: 'local', model: 'qwen3:8b', weight: 1 });
});

test("a target's own wishes go before those of its server", () => {
  const { servers, models } = parseModelsFile(GOOD, 'models.yaml');
  const [hosted, local] = models['smart']!.targets;
  expect(settingsOf(servers['hosted']!, hosted!)).toEqual({
    maxOutputTokens: { '*': 4096 },
    contextTokens: 128_000,
    extra: { top_p: 0.9, seed: 2 },
  });
  expect(settingsOf(servers['local']!, local!)).toEqual({ maxOutputTokens: {}, temperature: 'omit' });
});

test.each([
  ['', /servers: /],
  ["servers: { a: { url: 'http://x' } }\nothers: b", /others: there is no server b; there are: a/],
  ['servers: {}\nmodels: {}', /servers: name at least one server/],
  [GOOD.replace('{ env: HOSTED_KEY }', 'sk-secret'), /servers\.hosted\.key: a key is given by reference/],
  [GOOD.replace('server: local', 'server: lokal'), /models\.smart\.targets\.1\.server: there is no server lokal; there are: hosted, local/],
  [GOOD.replace('default: smart', 'default: smrat'), /default: there is no model smrat/],
  [GOOD.replace('https://api.example.com/v1/', 'ftp://x'), /servers\.hosted\.url: must be an http or https URL/],
  [GOOD.replace('https://api.', 'https://user:secret@api.'), /servers\.hosted\.url: must be without user and password/],
  [GOOD.replace('policy: cheapest', 'policy: best\n    plicy: x'), /models\.smart\.policy: .*; models\.smart: .*plicy/],
  ['servers: [', /models\.yaml is not as it should be: /],
])('%# what is wrong is said with its place, all at once', (text, words) => {
  expect(fault(text)).toMatch(words);
});

test('no fault shows a key', () => {
  expect(fault(GOOD.replace('{ env: HOSTED_KEY }', 'sk-secret'))).not.toContain('sk-secret');
});
