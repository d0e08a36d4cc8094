import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPlan } from './plan-file.js';

let cwd: string;
beforeAll(async () => void (cwd = await mkdtemp(join(tmpdir(), 'plan-spec-'))));
afterAll(() => rm(cwd, { recursive: true }));

async function read(text: string, name = 'plan.yaml') {
  await writeFile(join(cwd, name), text);
  return readPlan(name, cwd);
}

const YAML = `# Two tasks
tasks:
  - id: count
    title: Count
    instructions: >
      Count the
      words.
    templated: true
    input: { text: '\${{ params.text }}' }
  - id: map
    title: Map
    instructions: All of them.
    dependsOn: [count]
    scope:
      over: params.texts
      body:
        - { id: one, title: One, instructions: Do it. }
`;

test('YAML and JSON say the same', async () => {
  const plan = await read(YAML);
  expect(plan.tasks[0]).toMatchObject({ instructions: 'Count the words.\n', input: { text: '${{ params.text }}' }, priority: 'medium' });
  expect(plan.tasks[1]?.scope).toMatchObject({ over: 'params.texts', join: { need: 'all' }, body: [{ id: 'one' }] });
  expect(await read(JSON.stringify(plan), 'plan.json')).toEqual(plan);
});

test.each([
  ['a field that is missing', YAML.replace('    title: Count\n', ''), 'line 3, tasks.0.title: '],
  ['a field of the wrong kind', YAML.replace('dependsOn: [count]', 'dependsOn: count'), 'line 13, tasks.1.dependsOn: '],
  ['a field that nobody knows', YAML.replace('over:', 'ower:'), 'line 15, tasks.1.scope: Unrecognized key: "ower"'],
  ['deep within', YAML.replace('id: one', 'id: 1st'), 'line 17, tasks.1.scope.body.0.id: a task id starts with a letter'],
  ['JSON', '{\n"tasks": [\n{"id": "a", "title": "A",\n"instructions": 7}]}', 'line 4, tasks.0.instructions: '],
  ['nothing', '', 'the whole: '],
])('%s is told with its line', async (_, text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});

const BOMB = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...'bcdef'.split('').map((name, n) => `${name}: &${name} [${Array(9).fill(`*${'abcde'[n]}`)}]`),
];

test.each([
  ['tasks:\n  - id: a\n    id: b\n', 'is not YAML: Map keys must be unique at line 3'],
  ['tasks: [', 'is not YAML'],
  [BOMB.join('\n'), 'is not YAML: Excessive alias count'],
])('what is no YAML is refused (%#)', async (text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});

test('what is no JSON is refused, and so is what is not there', async () => {
  await expect(read('{', 'plan.json')).rejects.toThrow('The plan plan.json is not JSON');
  await expect(readPlan('none.yaml', cwd)).rejects.toThrow('The plan none.yaml cannot be read: there is no such file.');
});
