import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../program.js';
import { recordedTerminal } from '../testing/recorded-terminal.js';

interface Asked {
  tools?: { function: { name: string } }[];
}

/** A model server that lists one model; `toolParser` off: it writes calls as prose. */
class ModelServer {
  toolParser = true;
  key: string | undefined;
  /** What was asked. */
  readonly paths: (string | undefined)[] = [];
  private server!: Server;

  static async start(): Promise<ModelServer> {
    const self = new ModelServer();
    self.server = createServer((request, response) => void self.serve(request, response));
    await new Promise<void>((resolve) => self.server.listen(0, '127.0.0.1', resolve));
    return self;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    this.paths.push(request.url);
    let text = '';
    for await (const chunk of request) text += String(chunk);
    if (this.key !== undefined && request.headers.authorization !== `Bearer ${this.key}`)
      return send(401, { error: { message: 'bad key' } });
    if (request.method === 'GET') return send(200, { data: [{ id: 'llama3.3:latest', max_model_len: 4096 }] });
    const { tools } = JSON.parse(text) as Asked;
    const calls = tools && this.toolParser;
    const call = { id: 'c1', type: 'function', function: { name: 'report_number', arguments: '{"number":7}' } };
    const message = calls ? { content: null, tool_calls: [call] } : { content: tools ? 'I would report 7.' : '{"number": 7}' };
    const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
    send(200, {
      model: 'llama3.3',
      choices: [{ index: 0, finish_reason: calls ? 'tool_calls' : 'stop', message: { role: 'assistant', ...message } }],
      usage,
    });
  }
}

let server: ModelServer;
let folder: string;

beforeEach(async () => {
  server = await ModelServer.start();
  folder = mkdtempSync(join(tmpdir(), 'cadre-models-'));
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function run(args: string[], env: Record<string, string> = {}) {
  const terminal = recordedTerminal({ cwd: folder, env: { CADRE_URL: 'http://127.0.0.1:1', ...env } });
  const code = await runProgram(['models', ...args], terminal);
  return { code, out: terminal.stdout.join('\n'), err: terminal.stderr.join('\n') };
}

function writeFile(): void {
  const text = `
servers:
  local: { url: '${server.url}', key: { env: LOCAL_KEY } }
models:
  smart:
    targets:
      - { server: local, model: llama3.3, price: { input: 0, output: 0 } }
      - { server: local, model: gone }
default: smart
`;
  writeFileSync(join(folder, 'models.yaml'), text);
}

test('without a file the one server is listed, with what is known of its model', async () => {
  const { code, out, err } = await run(['list'], { OPENAI_BASE_URL: server.url, CADRE_MODEL: 'llama3.3' });
  expect(code).toBe(0);
  expect(out).toMatch(/llama3\.3 +order +default\/llama3\.3 +chat +http.* +none +unknown +unknown/);
  expect(err).toContain('Every other name is asked of the server default.');
});

test('a file is listed with its keys, by reference and whether they are there', async () => {
  writeFile();
  const { code, out } = await run(['list', '--file', 'models.yaml']);
  expect(code).toBe(0);
  expect(out).toMatch(/smart +order +local\/llama3\.3 .* LOCAL_KEY \(missing\) +0 +0/);
  const listed = JSON.parse((await run(['list', '-o', 'json'], { CADRE_MODELS: 'models.yaml', LOCAL_KEY: 'k' })).out) as object;
  expect(listed).toMatchObject({
    default: 'smart',
    targets: [{ model: 'smart', server: 'local', price: { input: 0 } }, { targetModel: 'gone' }],
  });
  expect(JSON.stringify(listed)).not.toContain('"k"');
});

test('a file with faults is refused with their places', async () => {
  writeFileSync(join(folder, 'bad.yaml'), 'servers: { a: { url: x } }\nmodels: { m: { targets: [] } }');
  const { code, err } = await run(['list', '--file', 'bad.yaml']);
  expect(code).toBe(2);
  expect(err).toMatch(/servers\.a\.url: .*models\.m\.targets: /s);
  expect((await run(['list', '--file', 'none.yaml'])).err).toContain('cannot be read');
});

test('a test asks with a tool and with a format, and tells what is wrong with window and price', async () => {
  const { code, out } = await run(['test'], { OPENAI_BASE_URL: server.url, CADRE_MODEL: 'llama3.3' });
  expect(out).toMatch(/ok .*calls the tool/);
  expect(out).toMatch(/ok .*keeps to the format/);
  expect(out).toMatch(/warn .*its window is only 4096 tokens/);
  expect(out).toContain(`CADRE_PRICES='{"llama3.3":{"input":0,"output":0}}'`);
  expect(code).toBe(0);
});

test('a server whose tool parser is off fails, with what to set', async () => {
  server.toolParser = false;
  const { code, out } = await run(['test'], { OPENAI_BASE_URL: server.url, CADRE_MODEL: 'llama3.3' });
  expect(code).toBe(1);
  expect(out).toMatch(/fail .*not so: calls the tool.*I would report 7\.\n.*--jinja/);
});

test('a refused key, a key that is missing, and a model that is not listed are told apart', async () => {
  server.key = 'right';
  writeFile();
  expect((await run(['test', '--file', 'models.yaml'])).out).toMatch(/fail .*its key is to be in LOCAL_KEY/);
  expect((await run(['test', '--file', 'models.yaml'], { LOCAL_KEY: 'wrong' })).out).toMatch(/refuses the key/);
  const right = await run(['test', '--file', 'models.yaml', '-o', 'json'], { LOCAL_KEY: 'right' });
  expect(JSON.parse(right.out)).toMatchObject({ model: 'smart', works: true });
  expect(right.out).toContain('the server does not list it; it lists llama3.3:latest');
  expect((await run(['test', 'clever', '--file', 'models.yaml'])).out).toContain('there is no model clever; there are: smart');
});

test('a server that is not there is named with its proxy', async () => {
  const env = { OPENAI_BASE_URL: 'http://model.internal/v1', CADRE_MODEL: 'm', HTTP_PROXY: 'http://127.0.0.1:9' };
  const { code, out } = await run(['test'], env);
  expect(code).toBe(1);
  expect(out).toMatch(/nothing answers at http:\/\/model\.internal\/v1, through the proxy http:\/\/127\.0\.0\.1:9/);
});

test.each([
  [{ OPENAI_BASE_URL: 'localhost:11434' }, /OPENAI_BASE_URL must be an http or https URL/],
  [{ OPENAI_BASE_URL: 'https://user:secret@models.example/v1' }, /OPENAI_BASE_URL must be without user and password/],
  [{ OPENAI_BASE_URL: 'http://127.0.0.1:9/v1', CADRE_MODEL_API: 'grpc' }, /CADRE_MODEL_API must be one of chat, /],
])('settings that cannot be used are named, %#', async (env, wanted) => {
  const { code, out, err } = await run(['test'], { CADRE_MODEL: 'm', ...env });
  expect(code).toBe(1);
  expect(err).toMatch(wanted);
  expect(out + err).not.toContain('secret');
});

test("the server's own API is spoken", async () => {
  const env = { OPENAI_BASE_URL: server.url, CADRE_MODEL: 'm', CADRE_MODEL_API: 'anthropic' };
  await run(['test'], env);
  expect(server.paths).toContain('/v1/messages');
});
