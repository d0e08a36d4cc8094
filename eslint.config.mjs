/**
 * Lint rules. Module boundaries and purity follow the tags in each project's package.json (`nx.tags`): contract ← core ← adapter ← kit ←
 * app, adapters never import each other, apps never import apps, nothing rests on a larger runtime than its own (js < web < node < nest),
 * and `runtime:js` libraries are free of I/O, clocks and chance.
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

/** What code for a runtime may rest on: a browser has less than Node, and Node less than a service of Nest. */
const restsOn = { js: ['js'], web: ['js', 'web'], node: ['js', 'web', 'node'], nest: ['js', 'web', 'node', 'nest'] };

/** Whether `from` may import `to`. */
function mayImport(from, to) {
  if (from.name === to.name) return false; // a project uses relative paths inside
  if (to.layer === 'app') return false;
  if (from.layer === 'adapter' && to.layer === 'adapter') return false;
  return rank[to.layer] <= rank[from.layer] && restsOn[from.runtime].includes(to.runtime);
}

const ofNode = ['node:*', '@nats-io/*', 'fs', 'path', 'crypto', 'child_process', 'http', 'os', 'net', 'pg'];
/** Packages that code for a runtime may not import. */
const keptOut = {
  js: [...ofNode, '@nestjs/*', 'uuid', 'openai'],
  web: [...ofNode, '@nestjs/*'],
  node: ['@nestjs/*'],
  nest: [],
};
const impureGlobals = [
  'process',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'queueMicrotask',
  'performance',
  'crypto',
  'console',
  'Buffer',
  'global',
  'globalThis',
  'require',
  'structuredClone',
];
const purity = {
  'no-restricted-globals': [
    'error',
    ...impureGlobals.map((name) => ({ name, message: 'A runtime:js library is pure: take it in as a parameter or a port.' })),
  ],
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

const tagsOf = ({ name, layer, runtime }) => `${name} (layer:${layer}, runtime:${runtime})`;

function boundaries(project) {
  const patterns = projects
    .filter((other) => !mayImport(project, other))
    .map((other) => ({
      group: [other.name, `${other.name}/*`],
      message: `${tagsOf(project)} may not import ${tagsOf(other)}.`,
    }));
  patterns.push({ group: ['**/apps/*', '**/libs/*'], message: 'Import a library by its package name.' });
  if (project.layer !== 'app') patterns.push({ group: ['@cadre/*/testing'], message: 'Testing entries are for specs.' });
  const packages = keptOut[project.runtime];
  if (packages.length > 0) patterns.push({ group: packages, message: `Code with runtime:${project.runtime} does without.` });
  return {
    files: [`${project.dir}/src/**/*.ts`],
    ignores: ['**/*.spec.ts', '**/src/testing/**'],
    rules: { 'no-restricted-imports': ['error', { patterns }], ...(project.runtime === 'js' ? purity : {}) },
  };
}

/**
 * Lint is a task of each project, so each has a program of its own. What it imports has been built before; what only specs of an app use is
 * no part of it.
 */
function types({ dir, layer }) {
  const spec = layer === 'app' ? [`${dir}/src/testing/**/*.ts`] : [];
  const typed = (files, ignores, config) => ({
    ...{ files, ignores },
    languageOptions: { parserOptions: { project: [`${dir}/${config}`], tsconfigRootDir: root } },
  });
  return [
    typed([`${dir}/src/**/*.ts`], ['**/*.spec.ts', ...spec], 'tsconfig.json'),
    ...(spec.length > 0 ? [typed(spec, ['**/*.spec.ts'], 'tsconfig.spec.json')] : []),
  ];
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
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
    },
  },
  ...projects.flatMap(types),
  ...projects.map(boundaries),
);
