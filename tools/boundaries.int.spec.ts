/** Planted violations prove that the lint rules for module boundaries and purity see them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

interface LintMessage {
  ruleId: string | null;
  message: string;
}

/** Lints a text as if it stood in a file of the repository. */
function lint(file: string, text: string): LintMessage[] {
  const eslint = join(root, 'node_modules/eslint/bin/eslint.js');
  const run = spawnSync(process.execPath, [eslint, '--stdin', '--stdin-filename', file, '--format', 'json'], {
    cwd: root,
    input: text,
    encoding: 'utf8',
  });
  const results = JSON.parse(run.stdout) as { messages: LintMessage[] }[];
  return results.flatMap((result) => result.messages);
}

const rules = (messages: LintMessage[]) => messages.map((message) => message.ruleId);

test('a pure library may not touch clocks, chance, timers, the process, the network or Node', () => {
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
  const found = rules(lint('libs/engine/src/index.ts', planted.join('\n')));
  expect(found.filter((rule) => rule === 'no-restricted-imports')).toHaveLength(3);
  expect(found.filter((rule) => rule === 'no-restricted-properties')).toHaveLength(2);
  expect(found.filter((rule) => rule === 'no-restricted-syntax')).toHaveLength(1);
  expect(found.filter((rule) => rule === 'no-restricted-globals')).toHaveLength(3);
});

test.each([
  ['libs/contracts/src/index.ts', '@cadre/engine', 'a contract may not import the core'],
  ['libs/engine/src/index.ts', '@cadre/event-log', 'the core may not import an adapter'],
  ['libs/history/src/index.ts', '@cadre/messaging', 'an adapter may not import another'],
  ['libs/service-kit/src/index.ts', '@cadre/gateway', 'nothing imports an app'],
  ['apps/gateway/src/main.ts', '@cadre/scheduler', 'an app may not import another'],
  ['libs/engine/src/index.ts', '@cadre/event-log/testing', 'testing entries are for specs'],
])('%s may not import %s: %s', (file, target) => {
  expect(rules(lint(file, `export * from '${target}';\n`))).toContain('no-restricted-imports');
});

test('what is allowed passes', () => {
  expect(lint('apps/orchestrator/src/main.ts', `export { ShardOwner } from '@cadre/engine';\n`)).toEqual([]);
});

test('a forgotten promise is seen', () => {
  const text = `const soon = async (): Promise<number> => 1;\nexport function f(): void {\n  soon();\n}\n`;
  expect(rules(lint('apps/orchestrator/src/main.ts', text))).toContain('@typescript-eslint/no-floating-promises');
});
