/** Planted violations prove that the lint rules for module boundaries and purity see them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

interface LintMessage {
  ruleId: string | null;
  message: string;
}

/** Lints texts as if they stood in files of the repository, in one process, because loading the types takes most of the time. */
const program = `
  import { ESLint } from 'eslint';
  const eslint = new ESLint({ cwd: process.cwd() });
  const results = [];
  for (const [filePath, text] of JSON.parse(process.argv[1])) results.push((await eslint.lintText(text, { filePath }))[0].messages);
  console.log(JSON.stringify(results));
`;
const texts: [file: string, text: string][] = [];
let results: LintMessage[][] | undefined;

/** To be called while tests are declared. @returns what lint says, once a test asks */
function lint(file: string, text: string): () => LintMessage[] {
  const index = texts.push([file, text]) - 1;
  return () => results![index]!;
}

beforeAll(() => {
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program, JSON.stringify(texts)], {
    cwd: root,
    encoding: 'utf8',
    // The parser takes CI for a single run over files on disk and fails on texts that differ from them.
    env: { ...process.env, CI: '' },
  });
  expect(run.stderr).toBe('');
  results = JSON.parse(run.stdout) as LintMessage[][];
}, 120_000);

const rules = (messages: LintMessage[]) => messages.map((message) => message.ruleId);

describe('a pure library', () => {
  const planted = [
    `import { readFileSync } from 'node:fs';`,
    `import { Injectable } from '@nestjs/common';`,
    `import { connect } from '@nats-io/transport-node';`,
    `export const a = [readFileSync, Injectable, connect];`,
    `export const b = Date.now();`,
    `export const c = Math.random();`,
    `export const d = new Date();`,
    `export const e = process.env;`,
    `export const f = () => setTimeout(() => undefined, 1);`,
    `export const g = () => fetch('http://127.0.0.1');`,
  ];
  const found = lint('libs/engine/src/index.ts', planted.join('\n'));

  test('may not touch clocks, chance, timers, the process, the network or Node', () => {
    const count = (rule: string) => rules(found()).filter((one) => one === rule).length;
    expect(count('no-restricted-imports')).toBe(3);
    expect(count('no-restricted-properties')).toBe(2);
    expect(count('no-restricted-syntax')).toBe(1);
    expect(count('no-restricted-globals')).toBe(3);
  });
});

describe.each([
  ['libs/contracts/src/index.ts', '@cadre/engine', 'a contract may not import the core'],
  ['libs/engine/src/index.ts', '@cadre/event-log', 'the core may not import an adapter'],
  ['libs/history/src/index.ts', '@cadre/messaging', 'an adapter may not import another'],
  ['libs/service-kit/src/index.ts', '@cadre/gateway', 'nothing imports an app'],
  ['apps/gateway/src/main.ts', '@cadre/scheduler', 'an app may not import another'],
  ['libs/engine/src/index.ts', '@cadre/event-log/testing', 'testing entries are for specs'],
  ['libs/sdk/src/index.ts', 'node:fs', 'what a browser runs does without Node'],
  ['libs/event-log/src/index.ts', '@nestjs/common', 'what Node runs does without Nest'],
  ['libs/local-system/src/index.ts', '@cadre/service-kit', 'what Node runs rests on nothing of Nest'],
])('%s and %s', (file, target, reason) => {
  const found = lint(file, `export * from '${target}';\n`);
  test(reason, () => expect(rules(found())).toContain('no-restricted-imports'));
});

describe('an app', () => {
  const allowed = lint('apps/orchestrator/src/main.ts', `export { ShardOwner } from '@cadre/engine';\n`);
  test('may import the core', () => expect(allowed()).toEqual([]));

  const text = `const soon = async (): Promise<number> => 1;\nexport function f(): void {\n  soon();\n}\n`;
  const forgotten = lint('apps/orchestrator/src/main.ts', text);
  test('may not forget a promise', () => expect(rules(forgotten())).toEqual(['@typescript-eslint/no-floating-promises']));

  const imported = lint(
    'apps/orchestrator/src/main.ts',
    `import { connectNats } from '@cadre/messaging';\nexport function f(): void {\n  connectNats({ url: '', name: '' });\n}\n`,
  );
  test("may not forget another library's promise, built or not", () => {
    expect(rules(imported())).toEqual(['@typescript-eslint/no-floating-promises']);
  });
});
