/** What the documents tell people to type, set, open and read exists. A planted text proves that the check sees each kind of fault. */
import { join } from 'node:path';
import { runProgram } from '../apps/cli/src/program.js';
import { CommandGrammar } from './docs/command-grammar.js';
import { DocumentCheck } from './docs/document-check.js';
import { Repository } from './docs/repository.js';
import { shellCommands } from './docs/shell-words.js';

const repository = new Repository(join(import.meta.dirname, '..'));

async function helpOf(path: string[]): Promise<string> {
  const lines: string[] = [];
  const out = (text: string) => void lines.push(text);
  const code = await runProgram([...path, '--help'], {
    env: {},
    cwd: repository.root,
    out,
    err: out,
    outIsTty: false,
    errIsTty: false,
    columns: 80,
    onInterrupt: () => () => undefined,
  });
  expect(code).toBe(0);
  return lines.join('\n');
}

const check = new DocumentCheck(repository, new CommandGrammar(helpOf));

test('README, AGENTS and docs are among the documents', () => {
  expect(repository.documents()).toEqual(expect.arrayContaining(['README.md', 'AGENTS.md', 'docs/CLI.md', 'docs/schemas/README.md']));
});

test.each(repository.documents())('%s names what exists', async (file) => {
  expect(await check.faultsOf(file, repository.read(file))).toEqual([]);
});

const planted: [text: string, fault: string][] = [
  ['[map](docs/NOWHERE.md)', 'the link docs/NOWHERE.md leads nowhere'],
  ['[up](../README.md)', 'the link ../README.md leads nowhere'],
  ['[head](#no-such-heading)', 'the link #no-such-heading names no heading'],
  ['[head](docs/ARCHITECTURE.md#no-such-heading)', 'the link docs/ARCHITECTURE.md#no-such-heading names no heading'],
  ['[map]: docs/NOWHERE.md', 'the link docs/NOWHERE.md leads nowhere'],
  ['```sh\nnpx cadre walk\n```', 'cadre has no command walk'],
  ['```sh\nnpx cadre runs lsit   # a comment\n```', 'cadre runs has no command lsit'],
  ['```sh\nnpx cadre runs\n```', 'cadre runs needs one of its commands: list, get, calls, thinking, events, cancel'],
  ['```sh\nnpx cadre run "a goal" --inputs FILE\n```', 'cadre run has no option --inputs'],
  ['```sh\nLOG_LEVEL=info npx cadre run "a goal" \\\n  --input a.csv --wait\n```', 'cadre run has no option --wait'],
  ['```sh\nnpx cadre run a goal\n```', 'cadre run takes 1 arguments, not 2'],
  ['```sh\nnpx cadre run --input a.csv\n```', 'cadre run needs 1 arguments, not 0'],
  ['```sh\nnpx cadre run "a goal" --input\n```', '--input of cadre run needs a value'],
  ['```\ncadre watch RUN && cadre runs get --json RUN\n```', 'cadre runs get has no option --json'],
  ['Type `npx cadre stop`.', 'cadre has no command stop'],
  ['| `cadre runs list \\| jq --foo`, `cadre agents show` |', 'cadre agents has no command show'],
  ['```sh\nnpm ci && npm run demonstrate\n```', 'package.json has no script demonstrate'],
  ['Use `npm run nothing`.', 'package.json has no script nothing'],
  ['```sh\nnpx nosuchprogram\n```', 'npx nosuchprogram: no such program'],
  ['```sh\nexport CADRE_NO_SUCH=1\n```', 'nothing reads the environment variable CADRE_NO_SUCH'],
  ['```sh\nCADRE_NO_SUCH=1 npx cadre dev\n```', 'nothing reads the environment variable CADRE_NO_SUCH'],
  ['Set `CADRE_NO_SUCH=1`.', 'nothing reads the environment variable CADRE_NO_SUCH'],
  ['| `CADRE_NO_SUCH` | nothing |', 'nothing reads the environment variable CADRE_NO_SUCH'],
  ['See `libs/engine/src/nowhere.ts`.', 'there is no libs/engine/src/nowhere.ts'],
  ['See `libs/engin/`.', 'there is no libs/engin/'],
  ['See `nowhere.ts`.', 'there is no nowhere.ts'],
  ['See `libs/*/src/nowhere-*.ts`.', 'there is no libs/*/src/nowhere-*.ts'],
  ['```sh\nnode tools/nowhere.mjs\n```', 'there is no tools/nowhere.mjs'],
  ['```json\n{"a": 1,}\n```', 'not JSON'],
  ['```json\n{"tasks": [{"id": "a", "title": "A"}]}\n```', 'not a plan: tasks.0.instructions'],
];

test.each(planted)('a fault is seen: %j', async (text, fault) => {
  const faults = await check.faultsOf('README.md', `# Title\n\n${text}\n`);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(/^README\.md:[3-5]: /);
  expect(faults[0]).toContain(fault);
});

test('what is right, or no business of the check, passes', async () => {
  const text = `# A title: with \`code\`
[map](docs/ARCHITECTURE.md), [words](docs/ARCHITECTURE.md#glossary), [here](#a-title-with-code), [web](https://example.org/x), \`docs/adr\` and
\`libs/engine/\`, \`commands.ts\`, \`src/testing/\`, \`*-desk.ts\`, \`.unit.spec.ts\`, \`application/json\`, \`@cadre/contracts\`, \`/v1/runs\`, \`.cadre/\`,
\`cadre run … > answer.md\`, \`cadre dev\`, \`npx cadre\`, \`npm run\`, \`npm ci\`, \`CADRE_URL\`, \`LOG_LEVEL=debug\`, \`OTEL_EXPORTER_OTLP_ENDPOINT\`, \`PATH\`,
\`.cache/\`.

\`\`\`sh
$ npx cadre run "a goal; with | signs" --input=a.csv -i b.csv -o json > answer.json 2>&1   # --nothing
export OPENAI_BASE_URL=http://127.0.0.1:1/v1
NO_COLOR=1 npx cadre runs events RUN --follow | jq --anything . && npm test
curl -s http://127.0.0.1:7400/v1/runs --no-such-option
cadre run "<goal>" [--input FILE]... [options]
npx cadre --help
\`\`\`

\`\`\`ts
npx cadre is not checked here
\`\`\`
`;
  expect(await check.faultsOf('README.md', text)).toEqual([]);
});

test('shell texts are read as the shell does', () => {
  const text = `A=1 B='x y' run "two words" 'it''s' a\\ b # no\nx | y>out 2>&1; z <in && w --v="1 2"\nlong \\\n  line`;
  expect(shellCommands(text).map(({ words }) => words)).toEqual([
    ['run', 'two words', 'its', 'a\\ b'],
    ['x'],
    ['y'],
    ['z'],
    ['w', '--v=1 2'],
    ['long', 'line'],
  ]);
  expect(shellCommands(text)[0]!.variables).toEqual(['A', 'B']);
});
