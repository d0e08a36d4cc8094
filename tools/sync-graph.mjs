/**
 * What the graph of projects says, written where others need it: the references of each tsconfig.json and of the root, and the folders that
 * the build writes. What a project builds upon is said once, by the `dependencies` of its package.json, where Nx reads it as well.
 *
 * Usage: node tools/sync-graph.mjs [--check] (which writes nothing, and fails where something differs)
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createProjectGraphAsync } from '@nx/devkit';
import { format, resolveConfig } from 'prettier';

const root = join(import.meta.dirname, '..');
const isCheck = process.argv.includes('--check');

const { nodes } = await createProjectGraphAsync({ exitOnError: true });
const folders = new Map(
  Object.values(nodes)
    .filter(({ data }) => /^(libs|apps)\//.test(data.root))
    .map(({ name, data }) => [name, data.root]),
);
const all = [...folders.values()].sort();
const stale = [];

for (const folder of all) {
  const { dependencies = {} } = readJson(`${folder}/package.json`);
  const targets = Object.keys(dependencies).flatMap((name) => folders.get(name) ?? []);
  await refer(folder, targets.sort());
}
await refer('.', all);

const manifest = readJson('package.json');
manifest.nx.targets.build.outputs = ['dist', ...all.map((folder) => `${folder}/dist`)].map((folder) => `{workspaceRoot}/${folder}`);
await write('package.json', manifest);

if (stale.length > 0) console.log(`${isCheck ? 'Not as the graph of projects has it' : 'Written'}: ${stale.join(', ')}`);
if (isCheck && stale.length > 0) {
  console.log('node tools/sync-graph.mjs writes them.');
  process.exit(1);
}

/** @param targets folders of projects */
async function refer(folder, targets) {
  const file = join(folder, 'tsconfig.json');
  await write(file, { ...readJson(file), references: targets.map((target) => ({ path: relative(folder, target) })) });
}

async function write(file, value) {
  const path = join(root, file);
  const text = await format(JSON.stringify(value), { ...(await resolveConfig(path)), filepath: path });
  if (text === readFileSync(path, 'utf8')) return;
  stale.push(file);
  if (!isCheck) writeFileSync(path, text);
}

function readJson(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}
