/** Tests of code that no generator of ours wrote: that it loads, and exports what it says. */
import type { GeneratedFile } from './report-code.js';
import { literal } from './template.js';

/** @param modules sources with the names that they export */
export function smokeTests(modules: readonly { path: string; names: readonly string[] }[]): GeneratedFile {
  const imports = modules.map(({ path }, index) => `import * as module${index + 1} from ${literal(`../${path}`)};`);
  const parts = modules.map(({ path, names }, index) => {
    const lines = [
      `test(${literal(`${path} exports what it says`)}, () => {`,
      ...names.map((name) => `  assert.notEqual(module${index + 1}.${name}, undefined, ${literal(name)});`),
      '});',
    ];
    return lines.join('\n');
  });
  const head = [
    '/** Tests that each module loads and exports what its source says. They do not judge what the code does. */',
    "import assert from 'node:assert/strict';",
    "import { test } from 'node:test';",
    ...imports,
  ];
  return { path: 'test/modules.test.ts', text: `${head.join('\n')}\n\n${parts.join('\n\n')}\n` };
}
