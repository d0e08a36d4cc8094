/** Channels from the command line: what is refused before anything is sent. What is sent is in `system.e2e.spec.ts`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StandInGateway } from '@cadre/sdk/testing';
import { runProgram } from '../program.js';
import { recordedTerminal } from '../testing/recorded-terminal.js';

let gateway: StandInGateway;
let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'cli-spec-'));
  await writeFile(join(cwd, 'bad.json'), '{"type": }');
  gateway = await StandInGateway.start();
});
afterAll(async () => {
  await gateway.stop();
  await rm(cwd, { recursive: true, force: true });
});

test.each([
  ['create news', "required option '--kind <kind>'"],
  ['create news --kind chat', 'Choose one of direct, broadcast, multicast, topic.'],
  ['create a.b --kind topic', '"a.b" is no name of a channel'],
  ['create news --kind topic --member ann', 'The member "ann" has no right.'],
  ['create news --kind topic --member Ann=send', '--member is "Ann", not a name.'],
  ['create news --kind topic --schema none.json', 'there is no such file'],
  ['create news --kind topic --schema bad.json', 'bad.json is not JSON'],
  ['create news --kind topic --max-messages 0', '--max-messages is "0"'],
  ['create news --kind topic --max-age soon', '"soon" is not a length of time'],
  ['send news bad..type', 'is no type of a message'],
  ['send news alert --data {x}', '--data is not JSON'],
  ['send news alert --to A', '--to is "A", not a name.'],
  ['request news alert --timeout 2m', '--timeout is at most 60s.'],
  ['listen news --as Me', '--as is "Me", not a name.'],
  ['listen news --after x', '--after is "x"'],
])('channels %s is refused', async (line, message) => {
  const terminal = recordedTerminal({ cwd, env: { CADRE_URL: gateway.url } });
  expect(await runProgram(['channels', ...line.split(' ')], terminal)).toBe(2);
  expect(terminal.stderr.join(' ')).toContain(message);
  expect(gateway.requests).toEqual([]);
});
