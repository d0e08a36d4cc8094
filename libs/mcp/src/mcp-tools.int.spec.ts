/** Tools of real server processes, of the reference servers and of one that misbehaves, as an attempt's tool desk has them. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ToolDesk } from '@cadre/agents';
import { sampleAgent, sampleAssignment, soloWork } from '@cadre/agents/testing';
import { McpTools } from './mcp-tools.js';
import type { McpParts } from './mcp-tools.js';
import { UNRULY_SERVER, UnrulyStage } from './testing/index.js';

let stage: UnrulyStage;
const opened: McpTools[] = [];
const children: ChildProcess[] = [];
let logged: { about: object; message: string }[] = [];

beforeEach(() => {
  stage = new UnrulyStage();
  logged = [];
});
afterEach(async () => {
  for (const tools of opened.splice(0)) await tools.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  stage.remove();
});

function open(parts: Partial<McpParts> = {}): McpTools {
  const take = (about: object, message: string) => void logged.push({ about, message });
  const log = { info: take, warn: take };
  const tools = new McpTools({ setting: stage.file, folder: '/', env: {}, specialty: 'generalist', log, ...parts });
  opened.push(tools);
  return tools;
}

/** Calls a granted tool as a model does, with the call's record behind it. */
function deskOf(tools: McpTools, keep?: Parameters<McpTools['tools']>[1]) {
  const names = tools.forAgent('generalist');
  const { work } = soloWork({ assignment: sampleAssignment({ tools: names }), agent: sampleAgent({ tools: names }) });
  const desk = new ToolDesk(names, tools.tools(names, keep), work.calls);
  let calls = 0;
  const call = async (name: string, args: object = {}) => {
    calls += 1;
    const [answer] = await desk.answerTurn([{ id: `c${calls}`, name, arguments: JSON.stringify(args) }], String(calls));
    return JSON.parse(answer!.text) as Record<string, unknown>;
  };
  return { desk, call };
}

const approved = async (server: object = { effect: 'none' }) => {
  await stage.declare({ unruly: server }).approve();
  return open();
};

describe('a server that misbehaves', () => {
  test('an agent has what was approved for it, under prefixed names, and is told what was approved', async () => {
    const tools = await approved({ effect: 'none', deny: ['die'], templates: ['assistant'] });
    expect(tools.forAgent('generalist')).toContain('unruly_note');
    expect(tools.forAgent('generalist')).not.toContain('unruly_die');
    expect(tools.forAgent('somebody')).toEqual([]);
    expect(tools.forTemplate('assistant')).toEqual(tools.forAgent('generalist'));
    const { desk, call } = deskOf(tools);
    const note = desk.schemas().find(({ name }) => name === 'unruly_note');
    expect(note).toMatchObject({ description: 'Writes a note.', parameters: { required: ['text'], additionalProperties: false } });
    expect(tools.states()).toMatchObject([{ server: 'unruly', state: 'idle' }]);
    expect(await call('unruly_note', { text: 'a' })).toEqual({ text: 'noted' });
    expect(await call('unruly_die')).toMatchObject({ error: expect.stringContaining('There is no tool unruly_die for you') });
    expect(stage.effects()).toEqual([expect.stringMatching(/^[0-9a-f]{32} a$/)]);
    expect(tools.states()).toMatchObject([{ server: 'unruly', state: 'ready' }]);
  });

  test('arguments are checked before they are sent', async () => {
    const { call } = deskOf(await approved());
    for (const args of [{}, { text: 7 }, { text: '' }, { text: 'a', more: 1 }]) {
      expect(await call('unruly_note', args)).toMatchObject({ error: expect.stringMatching(/^The arguments of unruly_note are wrong/) });
    }
    expect(stage.effects()).toEqual([]);
  });

  test('a schema or description that changes is withheld until it is approved anew, without a restart', async () => {
    await stage.declare({ unruly: { effect: 'none' } }).approve();
    const tools = open({ lookMs: 20 });
    let changes = 0;
    tools.watch(() => void (changes += 1));
    const before = deskOf(tools);
    expect(await before.call('unruly_note', { text: 'a' })).toEqual({ text: 'noted' });
    await before.call('unruly_change');
    await until(() => tools.states()[0]!.withheld.length > 0);
    expect(await before.call('unruly_note', { text: 'b' })).toEqual({
      error: expect.stringContaining('may not be called now: its server has changed its description since it was approved'),
    });
    const { desk } = deskOf(tools);
    expect(desk.schemas().map(({ name }) => name)).not.toContain('unruly_note');
    expect(logged).toContainEqual({
      about: expect.objectContaining({ tool: 'unruly_note', approve: 'cadre mcp approve unruly note' }),
      message: 'the MCP tool is withheld until it is approved anew',
    });
    expect(stage.effects()).toHaveLength(1);
    stage.put('changed');
    await stage.approve();
    await until(() => changes > 0);
    const after = deskOf(tools);
    expect(after.desk.schemas()).toContainEqual(expect.objectContaining({ description: expect.stringContaining('evil.example') }));
    expect(await after.call('unruly_note', { text: 'c' })).toEqual({ text: 'noted' });
  });

  test('a server that is another one after a restart is found out before the first call', async () => {
    const tools = await approved();
    stage.put('changed');
    expect(await deskOf(tools).call('unruly_note', { text: 'a' })).toEqual({ error: expect.stringContaining('has changed') });
    expect(stage.effects()).toEqual([]);
  });

  test('one that hangs is told to the model with the setting; progress keeps a call alive', async () => {
    const { call } = deskOf(await approved({ effect: 'none', callTimeoutMs: 1500 }));
    expect(await call('unruly_hang')).toEqual({ error: expect.stringContaining('did not answer within 1500 ms (callTimeoutMs)') });
    expect(await call('unruly_slow', { steps: 4, ms: 500 })).toEqual({ text: 'there' });
  });

  test('50 MB are refused, and do not lie in memory', async () => {
    const { call } = deskOf(await approved());
    await call('unruly_fail');
    const before = process.memoryUsage().rss;
    expect(await call('unruly_big', { bytes: 50_000_000 })).toEqual({
      error: 'The tool server unruly answered with more than 4194304 bytes (maxResultBytes). Ask for less.',
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
    expect(await call('unruly_note', { text: 'still there' })).toEqual({ text: 'noted' });
  });

  test.each([{ bytes: 50_000_000 }, { bytes: 50_000_000, last: true }])(
    'an answer that is too long is nobody else’s trouble: %j',
    async (args) => {
      const { call } = deskOf(await approved());
      const held = call('unruly_hold', { text: 'a' });
      while (stage.effects().length === 0) await sleep(20);
      expect(await call('unruly_big', args)).toEqual({ error: expect.stringContaining('more than 4194304 bytes') });
      stage.put('go');
      expect(await held).toEqual({ text: 'held' });
      expect(logged.map(({ message }) => message)).not.toContain('the MCP server is not there');
    },
  );

  test('one that dies in the middle of a call: told to the model, and started again', async () => {
    const { call } = deskOf(await approved());
    expect(await call('unruly_die', { text: 'a' })).toEqual({
      error: 'The tool server unruly ended while the call was on its way.',
    });
    expect(await call('unruly_note', { text: 'b' })).toEqual({ text: 'noted' });
    expect(logged.map(({ message }) => message)).toContain('the MCP server is not there');
  });

  test('what must happen once and is in doubt is no answer: a person decides', async () => {
    const { call } = deskOf(await approved({}));
    expect(await call('unruly_note', { text: 'known' })).toEqual({ text: 'noted' });
    expect(await call('unruly_refuse')).toEqual({ error: 'The tool server unruly says: refused' });
    const hasty = deskOf(await approved({ callTimeoutMs: 300 }));
    await expect(hasty.call('unruly_hang')).rejects.toMatchObject({ code: 'effect-unknown' });
    const other = deskOf(await approved({}));
    await expect(other.call('unruly_die', { text: 'x' })).rejects.toMatchObject({ code: 'effect-unknown' });
    const third = deskOf(await approved({}));
    await expect(third.call('unruly_big', { bytes: 50_000_000 })).rejects.toMatchObject({
      message: expect.stringContaining('more than 4194304 bytes'),
    });
  });

  test('errors, structure, pictures and links', async () => {
    const kept: [string, string][] = [];
    const keep = async (name: string, bytes: Uint8Array) => (kept.push([name, Buffer.from(bytes).toString()]), name);
    const { call } = deskOf(await approved(), keep);
    expect(await call('unruly_fail')).toEqual({ error: 'It is broken.' });
    expect(await call('unruly_structured')).toEqual({ n: 7 });
    const picture = await call('unruly_picture');
    expect(kept).toEqual([[expect.stringMatching(/^unruly_picture-[0-9a-f]{8}-1\.png$/), 'not really']]);
    expect(picture).toEqual({
      text: `Look:\n[10 bytes of image/png: the file ${kept[0]![0]}]\n[note://1]\na text\n[two: note://2]`,
      files: [kept[0]![0]],
    });
  });

  test('it sees nothing of the environment but what every program needs and what is named; secrets stay out of the log', async () => {
    process.env['SOME_KEY'] = 'a-key-of-the-worker';
    const server = { effect: 'none', env: { TOKEN: '${env:THE_TOKEN}' } };
    await stage.declare({ unruly: server }).approve({ THE_TOKEN: 'a-long-secret' });
    const { call } = deskOf(open({ env: { THE_TOKEN: 'a-long-secret' } }));
    const { text } = (await call('unruly_environment')) as { text: string };
    delete process.env['SOME_KEY'];
    expect(text.split(' ')).toEqual(expect.arrayContaining(['PATH', 'TOKEN']));
    expect(text).not.toMatch(/SOME_KEY|THE_TOKEN|NODE_ENV/);
    await call('unruly_noise');
    await until(() => logged.some(({ about }) => JSON.stringify(about).includes('left out')));
    const lines = logged.filter(({ message }) => message.includes('stderr')).map(({ about }) => JSON.stringify(about));
    expect(lines.join()).toContain('token ***');
    expect(lines.join()).not.toContain('a-long-secret');
    expect(lines.length).toBeLessThan(70);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1100);
    const { call: other } = deskOf(open());
    expect(await other('unruly_note', { text: 'a' })).toEqual({
      error: expect.stringContaining('the variable THE_TOKEN, which is not there'),
    });
  });

  test('a program that cannot be started, and one that says nothing', async () => {
    await stage.declare().approve();
    stage.declare({ unruly: { effect: 'none', command: '/no/such/program' } });
    expect(await deskOf(open()).call('unruly_note', { text: 'a' })).toEqual({
      error: expect.stringMatching(/The tool server unruly cannot be reached\. .*ENOENT/),
    });
    stage.declare({ unruly: { effect: 'none', command: 'sleep', args: ['60'], connectTimeoutMs: 500 } });
    expect(await deskOf(open()).call('unruly_note', { text: 'a' })).toEqual({
      error: 'The tool server unruly cannot be reached. It was not ready within 500 ms (connectTimeoutMs).',
    });
  });
});

describe('over HTTP', () => {
  async function serve(): Promise<{ url: string; child: ChildProcess }> {
    const child = spawn(process.execPath, [UNRULY_SERVER, stage.folder, 'http'], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [port] = (await once(child.stdout!, 'data')) as [Buffer];
    return { url: `http://127.0.0.1:${String(port).trim()}/mcp`, child };
  }

  const remote = (url: string) => ({ url, agents: ['generalist'], headers: { authorization: 'Bearer ${env:TOKEN}' } });

  test('credentials by reference, results, limits, a server that dies and one that is gone', async () => {
    stage.put('token', 'a-long-secret');
    const { url } = await serve();
    const env = { TOKEN: 'a-long-secret' };
    await stage.declare({ far: { ...remote(url), effect: 'none' } }).approve(env);
    const { call } = deskOf(open({ env }));
    expect(await call('far_note', { text: 'a' })).toEqual({ text: 'noted' });
    expect(await call('far_big', { bytes: 50_000_000 })).toEqual({ error: expect.stringContaining('more than 4194304 bytes') });
    expect(await call('far_die', { text: 'b' })).toEqual({ error: 'The tool server far ended while the call was on its way.' });
    expect(await call('far_note', { text: 'c' })).toEqual({ error: expect.stringContaining('The tool server far cannot be reached.') });
    const refused = deskOf(open({ env: { TOKEN: 'wrong-secret' } }));
    expect(JSON.stringify(await refused.call('far_note', { text: 'd' }))).not.toContain('secret');
  });

  test('what must happen once and was refused has not happened; what was cut off is in doubt', async () => {
    const { url, child } = await serve();
    await stage.declare({ far: { url, agents: ['generalist'] } }).approve();
    const tools = open();
    const { call } = deskOf(tools);
    expect(await call('far_note', { text: 'a' })).toEqual({ text: 'noted' });
    await expect(call('far_die', { text: 'b' })).rejects.toMatchObject({ code: 'effect-unknown' });
    await until(() => child.exitCode !== null);
    expect(await deskOf(tools).call('far_note', { text: 'c' })).toEqual({ error: expect.stringContaining('cannot be reached') });
  });
});

describe('the reference servers', () => {
  const program = (name: string) =>
    join(createRequire(import.meta.url).resolve(`@modelcontextprotocol/${name}/package.json`), '../dist/index.js');

  test('files', async () => {
    writeFileSync(join(stage.folder, 'hello.txt'), 'Hello there.');
    const args = [program('server-filesystem'), stage.folder];
    await stage.declare({ files: { args, effect: 'idempotent', effects: { read_text_file: 'none' } } }).approve();
    const { desk, call } = deskOf(open());
    expect(desk.schemas().map(({ name }) => name)).toEqual(
      expect.arrayContaining(['files_read_text_file', 'files_write_file', 'files_move_file']),
    );
    expect(await call('files_read_text_file', { path: join(stage.folder, 'hello.txt') })).toEqual({ content: 'Hello there.' });
    expect(await call('files_read_text_file', { path: '/etc/passwd' })).toEqual({ error: expect.stringContaining('Access denied') });
    await call('files_write_file', { path: join(stage.folder, 'new.txt'), content: 'New.' });
    expect(await call('files_read_text_file', { path: join(stage.folder, 'new.txt') })).toEqual({ content: 'New.' });
  });

  test('everything, by stdio and by HTTP', async () => {
    const port = await freePort();
    const child = spawn(process.execPath, [program('server-everything'), 'streamableHttp'], {
      env: { PATH: process.env['PATH'], PORT: String(port) },
      stdio: 'ignore',
    });
    children.push(child);
    const url = `http://127.0.0.1:${port}/mcp`;
    await until(() =>
      fetch(url).then(
        () => true,
        () => false,
      ),
    );
    const effects = { effect: 'none', agents: ['generalist'] };
    await stage.declare({ near: { args: [program('server-everything')], ...effects }, far: { url, ...effects } }).approve();
    const kept: string[] = [];
    const { call } = deskOf(open(), async (name) => (kept.push(name), name));
    for (const server of ['near', 'far']) {
      expect(await call(`${server}_echo`, { message: 'hi' })).toEqual({ text: 'Echo: hi' });
      expect(await call(`${server}_get_sum`, { a: 2, b: 40 })).toEqual({ text: expect.stringContaining('42') });
      expect(await call(`${server}_get_sum`, { a: 'two', b: 40 })).toEqual({ error: expect.stringContaining('are wrong') });
      expect(await call(`${server}_get_structured_content`, { location: 'Chicago' })).toMatchObject({ temperature: expect.any(Number) });
      await call(`${server}_get_tiny_image`);
      expect(kept.pop()).toMatch(/\.png$/);
      expect(await call(`${server}_trigger_long_running_operation`, { duration: 1, steps: 4 })).toMatchObject({ text: expect.any(String) });
    }
    child.kill('SIGKILL');
    expect(await call('far_echo', { message: 'hi' })).toEqual({ error: expect.any(String) });
  });
});

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await holds());) {
    if (Date.now() > end) throw new Error(`it did not become true: ${holds}`);
    await sleep(10);
  }
}
