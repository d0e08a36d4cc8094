/**
 * Lint rules. Module boundaries and purity follow the tags in each project's package.json (`nx.tags`): contract ← core ← adapter ← kit ← app,
 * adapters never import each other, apps never import apps, and `runtime:js` libraries are free of I/O, clocks and chance.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import tseslint from 'typescript-eslint';

const root = import.meta.dirname;
const rank = { contract: 0, core: 1, adapter: 2, kit: 3, app: 4 };

const projects = ['libs', 'apps'].flatMap((kind) =>
  readdirSync(join(root, kind)).map((name) => {
    const manifest = JSON.parse(readFileSync(join(root, kind, name, 'package.json'), 'utf8'));
    const tag = (prefix) => manifest.nx.tags.find((one) => one.startsWith(`${prefix}:`)).slice(prefix.length + 1);
    return { dir: `${kind}/${name}`, name: manifest.name, layer: tag('layer'), runtime: tag('runtime') };
  }),
);

/** Whether `from` may import `to`. */
function mayImport(from, to) {
  if (from.name === to.name) return false; // a project uses relative paths inside
  if (to.layer === 'app') return false;
  if (from.layer === 'adapter' && to.layer === 'adapter') return false;
  return rank[to.layer] <= rank[from.layer];
}

const impurePackages = ['node:*', '@nestjs/*', '@nats-io/*', 'fs', 'path', 'crypto', 'child_process', 'http', 'os', 'net', 'uuid', 'pg', 'openai'];
const impureGlobals = [
  'process', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'queueMicrotask', 'performance', 'crypto', 'console', 'Buffer', 'global', 'globalThis', 'require', 'structuredClone',
];
const purity = {
  'no-restricted-globals': ['error', ...impureGlobals.map((name) => ({ name, message: 'A runtime:js library is pure: take it in as a parameter or a port.' }))],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Time comes in with the command.' },
    { object: 'Math', property: 'random', message: 'Chance comes in with the command.' },
  ],
  'no-restricted-syntax': [
    'error',
    { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time comes in with the command.' },
    { selector: 'ImportExpression', message: 'A runtime:js library loads nothing at run time.' },
  ],
};

function boundaries(project) {
  const patterns = projects
    .filter((other) => !mayImport(project, other))
    .map((other) => ({ group: [other.name, `${other.name}/*`], message: `${project.dir} (layer:${project.layer}) may not import ${other.name} (layer:${other.layer}).` }));
  patterns.push({ group: ['**/apps/*', '**/libs/*'], message: 'Import a library by its package name.' });
  if (project.layer !== 'app') patterns.push({ group: ['@cadre/*/testing'], message: 'Testing entries are for specs.' });
  const pure = project.runtime === 'js';
  if (pure) patterns.push({ group: impurePackages, message: 'A runtime:js library is pure.' });
  return {
    files: [`${project.dir}/src/**/*.ts`],
    ignores: ['**/*.spec.ts', '**/src/testing/**'],
    rules: { 'no-restricted-imports': ['error', { patterns }], ...(pure ? purity : {}) },
  };
}

export default tseslint.config(
  { ignores: ['**/dist/**', '.cache/**', '**/node_modules/**', '.nx/**', '.cadre/**', 'cadre-output/**'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/no-redeclare': 'off',
      eqeqeq: ['error', 'always'],
      'no-console': 'error',
    },
  },
  { files: ['apps/cli/**', 'tools/**', 'bench/**', '**/*.spec.ts'], rules: { 'no-console': 'off' } },
  { files: ['**/*.mjs', '**/*.js'], rules: { 'no-console': 'off' } },
  {
    files: ['{libs,apps}/*/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    // One program over all sources loads the types of packages once; a program for each project takes half as long again.
    languageOptions: { parserOptions: { project: ['tools/tsconfig.lint.json'], tsconfigRootDir: root } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
    },
  },
  ...projects.map(boundaries),
);
