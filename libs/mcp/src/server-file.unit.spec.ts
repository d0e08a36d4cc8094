import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readMcpServers } from './server-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-file-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (text: string, name = 'mcp.yaml') => {
  writeFileSync(join(folder, name), text);
  return readMcpServers(name, folder);
};

test('a file says how servers are reached, and what is not said is careful', () => {
  const { servers, pinsFile } = read(`
servers:
  files: { command: ./server, args: [/srv], env: { A: '\${env:B}' }, agents: [generalist] }
  issues: { url: 'https://example.org/mcp', headers: { Authorization: 'Bearer \${file:/run/secrets/t}' }, effects: { list: none } }
`);
  expect(servers.get('files')).toMatchObject({
    command: join(folder, 'server'),
    cwd: folder,
    effect: 'once',
    templates: [],
    callTimeoutMs: 60_000,
  });
  expect(servers.get('issues')).toMatchObject({ effects: { list: 'none' }, agents: [] });
  expect(pinsFile).toBe(join(folder, 'mcp.pins.json'));
});

test('servers may stand in the variable itself, and then say where the approvals are', () => {
  const text = JSON.stringify({ servers: { a: { command: 'a' } }, pins: 'pins.json' });
  expect(readMcpServers(text, folder)).toMatchObject({ pinsFile: join(folder, 'pins.json'), folder });
  expect(() => readMcpServers('{"servers":{}}', folder)).toThrow(/pins: has to be there/);
});

test('all faults are told together, each with its place', () => {
  const faulty = `
servers:
  Files: { command: a }
  both: { command: a, url: 'https://example.org' }
  none: {}
  odd: { url: 'ftp://x', headers: { 'a b': c }, effect: maybe, agents: [Big], timeout: 3 }
  refs: { command: a, env: { A: '\${B}' }, allow: [x], deny: [x], callTimeoutMs: 1 }
`;
  const fault = (() => {
    try {
      read(faulty);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  })();
  for (const line of [
    'servers.Files: a server name is',
    'servers.both: says either command',
    'servers.none: says either command',
    'servers.odd.url: must be an http or https URL',
    'servers.odd.headers.a b: is not the name of a header',
    'servers.odd.effect:',
    'servers.odd.agents.0: an agent name is',
    'servers.odd: Unrecognized key: "timeout"',
    'servers.refs.env.A: a reference is written',
    'servers.refs.callTimeoutMs:',
  ])
    expect(fault).toContain(`- ${line}`);
  expect(() => read('servers: { a: { command: x, allow: [b], deny: [b] } }')).toThrow(/servers\.a\.deny: both allow and deny name b/);
  expect(() => read('servers: [')).toThrow(/cannot be read/);
  expect(() => readMcpServers('missing.yaml', folder)).toThrow(/cannot be read: ENOENT/);
});
