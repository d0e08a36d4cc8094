/** The tidy ratchet on planted trees. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cadre-tidy-'));
  execFileSync('git', ['init', '-q'], { cwd: root });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
const tidy = () => spawnSync(process.execPath, [join(import.meta.dirname, 'tidy.mjs'), '--root', root], { encoding: 'utf8' });
const longFunction = (lines: number) => `export function long(): void {\n${'  void 0;\n'.repeat(lines - 2)}}\n`;

test('a tree in order passes', () => {
  write('libs/a/src/offer-desk.ts', longFunction(70));
  expect(tidy().status).toBe(0);
});

test('a long file, a long function and a forbidden name are refused', () => {
  write('libs/a/src/big.ts', 'export const x = 1;\n'.repeat(501));
  write('libs/a/src/long.ts', longFunction(71));
  write('libs/a/src/string-utils.ts', 'export const y = 1;\n');
  write('libs/a/src/BadName.ts', 'export const z = 1;\n');
  const run = tidy();
  expect(run.status).toBe(1);
  expect(run.stderr).toContain('libs/a/src/big.ts: file of 501 lines');
  expect(run.stderr).toContain('libs/a/src/long.ts#long: function of 71 lines');
  expect(run.stderr).toContain('string-utils.ts: the name is not in the house style');
  expect(run.stderr).toContain('BadName.ts: the name is not in the house style');
});

test('an exception holds the size it names and may only shrink', () => {
  write('libs/a/src/long.ts', longFunction(80));
  write('tools/tidy-exceptions.json', JSON.stringify({ 'libs/a/src/long.ts#long': 80 }));
  expect(tidy().status).toBe(0);
  write('libs/a/src/long.ts', longFunction(81));
  expect(tidy().stderr).toContain('grew to 81');
  write('libs/a/src/long.ts', longFunction(75));
  expect(tidy().stderr).toContain('shrank to 75');
  write('libs/a/src/long.ts', longFunction(20));
  expect(tidy().stderr).toContain('no longer over the limit');
});

/** Words of so many columns in all. */
const words = (columns: number) => 'ab '.repeat(columns).slice(0, columns - 1) + '…';

test('a wide line of a comment or a document is refused', () => {
  write(
    'libs/a/src/wide.ts',
    `/**\n * ${words(138)}\n */\nexport const x = 1;\n  // ${words(136)}\n/** ${words(134)} */\nexport const y = 2;\n`,
  );
  write('bench/wide.mjs', `const a = \`\n${words(60)}\`;\n/* ${words(150)} */\n`);
  write('docs/WIDE.md', `# Wide\n\n- ${words(139)}\n\n\`\`\`sh\nls\n\`\`\`\n${words(141)}\n`);
  const run = tidy();
  expect(run.status).toBe(1);
  expect(run.stderr.trim().split('\n')).toEqual([
    'bench/wide.mjs:3: a line of a comment has over 140 columns',
    'libs/a/src/wide.ts:2: a line of a comment has over 140 columns',
    'libs/a/src/wide.ts:5: a line of a comment has over 140 columns',
    'libs/a/src/wide.ts:6: a line of a comment has over 140 columns',
    'docs/WIDE.md:3: a line of a document has over 140 columns',
    'docs/WIDE.md:8: a line of a document has over 140 columns',
    'tidy: 6 faults',
  ]);
});

test('lines of 140 columns, tables, code blocks, targets of links and what stands in templates may be', () => {
  const link = `https://example.org/${'x'.repeat(150)}`;
  write('libs/a/src/wide.ts', `// ${words(137)}\n// see ${link}\nexport const x = \`\n * ${words(150)}\n// ${words(150)}\n\`;\n`);
  write('docs/WIDE.md', `${words(140)}\n\n| ${words(200)} |\n\n[a link](${link}), ${link}\n\n  ~~~~\n  ~~~\n  ${words(200)}\n  ~~~~\n`);
  expect(tidy()).toMatchObject({ status: 0, stderr: '' });
});
