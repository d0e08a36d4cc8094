/** What is refused before anything is sent. What is sent is tried on the real system, in `examples.e2e.spec.ts`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../program.js';
import { ProgramStage } from '../testing/program-stage.js';
import { recordedTerminal } from '../testing/recorded-terminal.js';

let stage: ProgramStage;
beforeAll(async () => {
  stage = await ProgramStage.open();
});
afterAll(() => stage.close());

/** Where nobody answers. */
const terminalFor = () => recordedTerminal({ cwd: stage.cwd, env: { CADRE_URL: 'http://127.0.0.1:1' } });

test.each([
  ['name: Reader\ntemplate: assistant\ndescription: d\nskills: [a]\n', 'line 1, name: an agent name is lower-case letters'],
  ['name: reader\ntemplate: assistant\ndescription: d\nskills: [a]\ntool: [x]\n', 'The agent agent.yaml is not valid'],
  ['name: reader\nskills: [a]\n', 'description'],
  ['name: [', 'The agent agent.yaml is not YAML'],
])('a definition that cannot be is refused with its line (%#)', async (text, words) => {
  const terminal = terminalFor();
  await writeFile(join(stage.cwd, 'agent.yaml'), text);
  expect(await runProgram(['agents', 'define', 'agent.yaml'], terminal)).toBe(2);
  expect(terminal.stderr.join(' ').replace(/\s+/g, ' ')).toContain(words);
});

test('a file that is not there is named', async () => {
  const terminal = terminalFor();
  expect(await runProgram(['agents', 'define', 'nowhere.yaml'], terminal)).toBe(2);
  expect(terminal.stderr.join(' ')).toContain('nowhere.yaml cannot be read');
});
