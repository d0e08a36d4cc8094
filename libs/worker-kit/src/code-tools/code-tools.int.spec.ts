/** The code tools as agents call them: through confined processes, on the files of a real workspace. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TOOLS } from '@cadre/contracts';
import type { ToolName, ToolResult } from '@cadre/contracts';
import { Workspace } from '../workspace.js';
import { codeTools } from './code-tools.js';
import type { CodeToolLimits } from './code-tools.js';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await Workspace.create(join(tmpdir(), 'cadre-code-specs'));
});
afterEach(() => workspace.remove());

async function call<N extends ToolName>(
  name: N,
  files: Record<string, string>,
  asked = Object.keys(files),
  limits?: CodeToolLimits,
): Promise<ToolResult<N>> {
  for (const [path, text] of Object.entries(files)) await workspace.write(path, text);
  const tool = codeTools(workspace, limits).find((one) => one.name === name)!;
  const result = await tool.run(TOOLS[name].args.parse({ files: asked }), { signal: new AbortController().signal, key: 'spec' });
  return TOOLS[name].result.parse(result) as ToolResult<N>;
}

describe('check_types', () => {
  test('sound code with Node, imports and tests is fine', async () => {
    const result = await call('check_types', {
      'src/sum.ts': `import { readFileSync } from 'node:fs';\nexport const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);\nexport const size = (path: string): number => readFileSync(path).length;\n`,
      'test/sum.test.ts': `import assert from 'node:assert/strict';\nimport test from 'node:test';\nimport { sum } from '../src/sum.ts';\ntest('sum', () => assert.equal(sum([1, 2]), 3));\n`,
    });
    expect(result).toEqual({ ok: true, diagnostics: [] });
  });

  test('errors are told with file, line and code', async () => {
    const result = await call('check_types', {
      'src/a.ts': `export const a: number = 'one';\n`,
      'src/b.ts': `import { a } from './a.ts';\nexport enum Colour { Red }\nexport const b = a.length;\nimport _ from 'lodash';\nfunction f(x) { return x; }\n`,
      'src/c.ts': 'export const c = (;\n',
    });
    const seen = result.diagnostics.map(({ file, line, code }) => `${file}:${line} ${code}`);
    expect(result.ok).toBe(false);
    expect(seen).toEqual(
      expect.arrayContaining(['src/a.ts:1 TS2322', 'src/b.ts:2 TS1294', 'src/b.ts:3 TS2339', 'src/b.ts:4 TS2307', 'src/b.ts:5 TS7006']),
    );
    expect(seen.some((one) => one.startsWith('src/c.ts:1'))).toBe(true);
  });

  test('errors of imported files are told too', async () => {
    const files = { 'src/a.ts': `export const a: number = 'one';\n`, 'src/b.ts': `export { a } from './a.ts';\n` };
    expect((await call('check_types', files, ['src/b.ts'])).diagnostics).toMatchObject([{ file: 'src/a.ts', line: 1 }]);
  });

  test('nothing outside of the workspace is read', async () => {
    const outside = join(workspace.scratch, 'secret.ts');
    writeFileSync(outside, `export const secret = 'the secret text';\n`);
    mkdirSync(join(workspace.root, 'src'));
    symlinkSync(outside, join(workspace.root, 'src/link.ts'));
    const result = await call(
      'check_types',
      {
        'src/a.ts': `/// <reference path="../../scratch/secret.ts" />\nimport { secret } from '../../scratch/secret.ts';\nimport { secret as other } from './link.ts';\nimport data from '/etc/hosts.json' with { type: 'json' };\nexport const a: number = secret + other + data;\n`,
      },
      ['src/a.ts'],
    );
    expect(result.diagnostics.map(({ code }) => code)).toEqual(expect.arrayContaining(['TS6053', 'TS2307']));
    expect(JSON.stringify(result)).not.toMatch(/the secret text|cadre-code-specs/);
    await expect(call('check_types', {}, ['src/link.ts'])).rejects.toMatchObject({ code: 'path-refused' });
  });

  test('what is not there or no code is refused', async () => {
    await expect(call('check_types', {}, ['src/none.ts'])).rejects.toMatchObject({ code: 'file-missing' });
    await expect(call('check_types', { 'a.md': 'x' })).rejects.toMatchObject({ code: 'not-a-code-file' });
    await expect(call('check_types', {}, ['../a.ts'])).rejects.toThrow();
  });

  test('a check without end is stopped', async () => {
    const endless = `type Grow<T extends unknown[], N extends number> = T['length'] extends N ? T : Grow<[...T, 1], N>;
      type Many<N extends number> = [Grow<[], N>['length'], Grow<[], 900>['length'], Grow<[1], 901>['length']];
      ${Array.from({ length: 3000 }, (_, i) => `export type A${i} = Grow<[], ${i % 990}>; export const a${i}: A${i} = [] as unknown as Many<${i % 950}>;`).join('\n')}`;
    await expect(call('check_types', { 'src/a.ts': endless }, undefined, { timeMs: 1500, memoryMb: 1024 })).rejects.toMatchObject({
      code: 'too-slow',
    });
    await expect(call('check_types', { 'src/b.ts': 'export {};' }, undefined, { timeMs: 60_000, memoryMb: 40 })).rejects.toMatchObject({
      code: 'too-much-memory',
    });
  });
});

describe('describe_api', () => {
  test('exports have kind, signature and doc', async () => {
    const { modules } = await call('describe_api', {
      'src/shapes.ts': `/** A point on the plane. */
export interface Point { x: number; /** up */ y: number }
export type Line = readonly [Point, Point];
/**
 * How long a line is.
 * @param line from and to
 * @returns the length
 */
export function length(line: Line): number { return Math.hypot(line[0].x - line[1].x, line[0].y - line[1].y); }
/** The origin. */
export const ORIGIN: Point = { x: 0, y: 0 };
export const twice = (value: number) => value * 2;
export let counter = 0;
/** Draws. */
export class Pen<T extends Point> {
  readonly tip: T;
  private ink = 1;
  #hidden = 2;
  constructor(tip: T) { this.tip = tip; this.#hidden += this.ink; }
  /** Moves. */
  move(by: Point): Point { return { x: this.tip.x + by.x, y: this.tip.y + by.y }; }
  get wet(): boolean { return this.#hidden > 0; }
  static blunt(): string { return 'b'; }
}
const hidden = 1;
export default hidden;
`,
      'src/index.ts': `export { length } from './shapes.ts';\nexport * as shapes from './shapes.ts';\n`,
    });
    const exported = Object.fromEntries(modules[0]!.exports.map((one) => [one.name, one]));
    expect(modules.map((module) => module.file)).toEqual(['src/shapes.ts', 'src/index.ts']);
    expect(exported['Point']).toMatchObject({ kind: 'interface', doc: 'A point on the plane.' });
    expect(exported['Line']).toMatchObject({ kind: 'type', signature: 'type Line = readonly [\n    Point,\n    Point\n];' });
    expect(exported['length']).toEqual({
      name: 'length',
      kind: 'function',
      signature: 'function length(line: Line): number',
      doc: 'How long a line is.\n@param line from and to\n@returns the length',
    });
    expect(exported['ORIGIN']).toMatchObject({ kind: 'constant', signature: 'const ORIGIN: Point' });
    expect(exported['twice']).toMatchObject({ kind: 'function', signature: 'function twice(value: number): number' });
    expect(exported['counter']).toMatchObject({ kind: 'variable', signature: 'let counter: number' });
    expect(exported['Pen']!.signature).toBe(
      'class Pen<T extends Point> {\n  readonly tip: T;\n  constructor(tip: T);\n  move(by: Point): Point;\n  get wet: boolean;\n  static blunt(): string;\n}',
    );
    expect(exported['default']).toMatchObject({ kind: 'constant' });
    expect(modules[1]!.exports.map(({ name, kind }) => [name, kind])).toEqual([
      ['length', 'function'],
      ['shapes', 'namespace'],
    ]);
  });

  test('files with errors are described as far as can be', async () => {
    const { modules } = await call('describe_api', {
      'src/a.ts': 'export function f(x: Missing) { return x; }\nexport const = 3;',
      'src/b.ts': '',
    });
    expect(modules[0]!.exports[0]).toMatchObject({ name: 'f', kind: 'function' });
    expect(modules[1]).toEqual({ file: 'src/b.ts', exports: [] });
  });
});

describe('static_checks', () => {
  const planted: [rule: string, severity: string, line: number, code: string][] = [
    ['type-error', 'error', 1, `export const a: number = 'x';`],
    ['unused', 'warning', 2, `/** f */\nfunction f(): void {}\nexport {};`],
    ['unused', 'warning', 2, `/** f */\nexport function f(x: number): void {}`],
    ['unused', 'warning', 1, `import { readFileSync } from 'node:fs';\nexport {};`],
    ['no-eval', 'error', 1, `eval('1');`],
    ['no-eval', 'error', 1, `globalThis.eval('1');`],
    ['no-eval', 'error', 1, `new Function('return 1')();`],
    ['no-eval', 'error', 1, `Function('return 1')();`],
    ['no-child-process', 'error', 1, `import { spawn } from 'node:child_process';\nspawn('ls');`],
    ['no-child-process', 'error', 1, `await import('child_process');`],
    ['no-child-process', 'error', 1, `process.getBuiltinModule('node:child_process');`],
    ['no-dynamic-import', 'warning', 2, `const name = String(1);\nawait import(name);`],
    ['no-dynamic-import', 'warning', 1, `await import('node:path');`],
    ['no-process-env', 'warning', 1, `export const a = process.env['HOME'];`],
    ['no-network', 'warning', 1, `import { connect } from 'node:net';\nconnect(1);`],
    ['no-network', 'warning', 1, `await fetch('http://x');`],
    ['no-any', 'warning', 1, `export const a = 1 as any;`],
    ['no-non-null-assertion', 'info', 1, `export const a = [1][0]!;`],
    ['no-suppression', 'warning', 1, `// @ts-ignore\nexport const a: number = 'x';`],
    ['missing-doc', 'info', 1, `export const a = 1;`],
    ['missing-doc', 'info', 2, `\nexport function f(): void {}`],
    ['empty-catch', 'warning', 1, `try { Math.random(); } catch {}`],
    ['no-console', 'info', 1, `console.log(1);`],
    ['loose-equality', 'warning', 2, `let a = Math.random();\nif (a == 1) a = 2;\nexport { a };`],
    ['long-function', 'warning', 2, `/** f */\nexport function f(): number {\n${'  Math.random();\n'.repeat(60)}  return 1;\n}`],
  ];

  test('each planted defect is found, with its line', async () => {
    const files = Object.fromEntries(planted.map(([, , , code], index) => [`src/planted-${index}.ts`, `${code}\n`]));
    const paths = Object.keys(files);
    const { findings } = await call('static_checks', files, paths);
    for (const [index, [rule, severity, line, code]] of planted.entries()) {
      const found = findings.filter((finding) => finding.file === paths[index]);
      expect({ code, found }).toMatchObject({ code, found: expect.arrayContaining([expect.objectContaining({ rule, severity, line })]) });
    }
  });

  test('sound code has no findings, and its figures are right', async () => {
    const sound = `/** Adds. */
export function add(a: number, b: number): number {
  return a + b;
}
/** A local name is not the global one. */
export function run(fetch: (url: string) => number, value: string | null): number {
  if (value == null) return 0;
  try {
    return fetch(value);
  } catch {
    // The caller asked for a number in any case.
    return [1, 2].map((one) => one + 1).length;
  }
}
`;
    const { findings, metrics } = await call('static_checks', {
      'src/sound.ts': sound,
      'test/sound.test.ts': `import test from 'node:test';\nimport { add } from '../src/sound.ts';\nexport const x = 1;\ntest('a', () => console.log(add(1, 2), [1][0]!));\n`,
    });
    expect(findings).toEqual([]);
    expect(metrics).toEqual([
      { file: 'src/sound.ts', lines: 14, functions: 3, longestFunction: 9 },
      { file: 'test/sound.test.ts', lines: 4, functions: 1, longestFunction: 1 },
    ]);
  });
});
