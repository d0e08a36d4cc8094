/** `cadre mcp` with a real server process. */
import { readFileSync } from 'node:fs';
import { UnrulyStage } from '@cadre/mcp/testing';
import { runProgram } from '../program.js';
import { recordedTerminal } from '../testing/recorded-terminal.js';

let stage: UnrulyStage;
beforeEach(() => {
  stage = new UnrulyStage();
});
afterEach(() => stage.remove());

async function cadre(...args: string[]) {
  const terminal = recordedTerminal({ env: { CADRE_MCP_SERVERS: stage.file } });
  const code = await runProgram(['mcp', ...args], terminal);
  return { code, out: terminal.stdout.join('\n'), err: terminal.stderr.join('\n') };
}

test('what a server has is shown, approved, and withheld when it changes, until it is approved anew', async () => {
  stage.declare({ unruly: { deny: ['die'], effects: { hang: 'none', fly: 'none' }, templates: ['assistant'] } });
  const before = await cadre('list');
  expect(before).toMatchObject({ code: 0, err: expect.stringContaining('cadre mcp approve unruly') });
  expect(before.out).toMatch(/^unruly +note +new +once +generalist, assistant \(template\) +sha256:[0-9a-f]{12}$/m);
  expect(before.out).toMatch(/^unruly +die +left out/m);
  expect(before.err).toContain('unruly has no tool fly, which its declaration names.');
  const one = await cadre('approve', 'unruly', 'note');
  expect(one).toMatchObject({ code: 0, out: expect.stringContaining('unruly_note: Writes a note.\n  {"type":"object"') });
  expect((await cadre('approve', 'unruly')).err).toMatch(/^11 approved, in .*mcp\.pins\.json\.$/);
  expect((await cadre('approve', 'unruly')).err).toBe('Nothing to approve of unruly.');
  expect((await cadre('list')).out).toMatch(/^unruly +unruly_hang +approved +none/m);
  stage.put('changed');
  const changed = await cadre('list', 'unruly');
  expect(changed).toMatchObject({ code: 1, err: expect.stringContaining('Withheld until you approve') });
  expect(changed.out).toMatch(/^unruly +unruly_note +changed/m);
  expect(await cadre('approve', 'unruly')).toMatchObject({ code: 0, out: expect.stringContaining('evil.example') });
  expect(await cadre('list')).toMatchObject({ code: 0 });
  const json = JSON.parse((await cadre('list', '-o', 'json')).out);
  expect(json.servers[0].tools).toContainEqual(expect.objectContaining({ name: 'note', as: 'unruly_note', standing: 'approved' }));
  expect(readFileSync(stage.file.replace('.json', '.pins.json'), 'utf8')).toContain('"as": "unruly_note"');
});

test('faults, unknown names and servers that are not there', async () => {
  stage.declare({ unruly: { command: '/no/such' }, nobody: { agents: [] } });
  expect(await cadre('check')).toMatchObject({ code: 0, err: expect.stringContaining('Nobody has the tools of nobody') });
  const list = await cadre('list');
  expect(list).toMatchObject({ code: 1, err: expect.stringContaining('cannot be reached') });
  expect(list.out).toMatch(/^unruly +not there/m);
  expect(await cadre('list', 'other')).toMatchObject({ code: 1, err: expect.stringContaining('There are: unruly, nobody.') });
  expect(await cadre('approve', 'nobody', 'fly')).toMatchObject({ code: 2, err: expect.stringContaining('nobody has no tool fly.') });
  stage.put('mcp.json', '{"servers": {"a": {}, "B": {"command": "x"}}}');
  expect(await cadre('check')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/servers\.a: says either[^]*servers\.B: a server name/),
  });
  const bare = recordedTerminal();
  expect(await runProgram(['mcp', 'list'], bare)).toBe(2);
  expect(bare.stderr.join()).toContain('docs/MCP.md');
});
