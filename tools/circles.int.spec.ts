/** The check for circles of files, on planted trees and on this repository. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cadre-circles-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
const circles = (of: string) => spawnSync(process.execPath, [join(import.meta.dirname, 'circles.mjs'), '--root', of], { encoding: 'utf8' });

test('this repository has no circle of files', () => {
  const run = circles(join(import.meta.dirname, '..'));
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
  expect(run.stdout).toMatch(/none in [1-9]\d{2,} files/);
});

test('a circle is found over types, what is passed on, what is loaded later, and folders', () => {
  write('libs/a/src/desk.ts', "import type { Line } from './line/index.js';\nexport type Desk = Line[];\n");
  write('libs/a/src/line/index.ts', "export { wait } from './wait.js';\nexport type Line = 1;\n");
  write('libs/a/src/line/wait.ts', "export const wait = () => import('../desk.js');\n");
  write('libs/a/src/outside.ts', "import { wait } from './line/index.js';\nimport 'node:fs';\nvoid wait;\n");
  const run = circles(root);
  expect(run.status).toBe(1);
  const [desk, index, wait] = ['libs/a/src/desk.ts', 'libs/a/src/line/index.ts', 'libs/a/src/line/wait.ts'];
  expect(run.stderr).toBe(`${desk} → ${index} → ${wait} → ${desk} (files in the knot: 3)\n`);
});

test('of files that reach each other in several ways the shortest circle is named, and each knot once', () => {
  write('apps/a/src/one.ts', "import './two.js';\n");
  write('apps/a/src/two.ts', "import './three.js';\n");
  write('apps/a/src/three.tsx', "import './one.js';\nimport './two.js';\n");
  write('apps/b/src/alone.ts', "import './alone.js';\n");
  const run = circles(root);
  expect(run.status).toBe(1);
  expect(run.stderr.trim().split('\n')).toEqual([
    'apps/a/src/three.tsx → apps/a/src/two.ts → apps/a/src/three.tsx (files in the knot: 3)',
    'apps/b/src/alone.ts → apps/b/src/alone.ts (files in the knot: 1)',
  ]);
});

test('specs, what is there for specs, and words in texts do not count', () => {
  write('libs/a/src/desk.ts', 'export const text = "import { x } from \'./desk.unit.spec.js\'";\n');
  write('libs/a/src/desk.unit.spec.ts', "import './testing/rig.js';\n");
  write('libs/a/src/testing/rig.ts', "import '../desk.unit.spec.js';\n");
  expect(circles(root)).toMatchObject({ status: 0, stdout: 'circles: none in 1 files\n' });
});
