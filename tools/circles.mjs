/**
 * Circles of files: production code that imports itself over relative imports, imports of types alone included. For each knot of files that
 * reach each other its shortest circle is printed, and how many files the knot has; with a circle the exit code is 1.
 *
 * Usage: node tools/circles.mjs [--root DIR]
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import ts from 'typescript';

const NOT_PRODUCTION = /\.spec\.tsx?$|\.d\.ts$|\/testing\//;

const rootFlag = process.argv.indexOf('--root');
const root = resolve(rootFlag > 0 ? process.argv[rootFlag + 1] : join(import.meta.dirname, '..'));

/** Production code, relative to the root. */
function sources() {
  const projects = ['libs', 'apps'].flatMap((kind) => listed(kind, false).map((name) => `${kind}/${name}/src`));
  const files = projects.flatMap((project) => listed(project, true).map((file) => `${project}/${file.replaceAll('\\', '/')}`));
  return files.filter((file) => /\.tsx?$/.test(file) && !NOT_PRODUCTION.test(file)).sort();
}

function listed(folder, recursive) {
  const path = join(root, folder);
  return existsSync(path) ? readdirSync(path, { recursive }) : [];
}

/** The file that a relative import means, as the sources name it. */
function fileOf(from, specifier) {
  const path = posix.join(posix.dirname(from), specifier).replace(/\.jsx?$/, '');
  return [`${path}.ts`, `${path}.tsx`, `${path}/index.ts`].find((file) => existsSync(join(root, file)));
}

/** @returns {Map<string, string[]>} by file: the files that it imports, relative to the root */
function importsOf(files) {
  const known = new Set(files);
  const imported = (file) =>
    ts
      .preProcessFile(readFileSync(join(root, file), 'utf8'), true, true)
      .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
      .map(({ fileName }) => fileOf(file, fileName));
  return new Map(files.map((file) => [file, [...new Set(imported(file))].filter((each) => known.has(each))]));
}

/** By file: all that a walk from it comes to, each with the file that led there. */
function reachedFrom(imports, start) {
  const from = new Map();
  const open = [start];
  for (const file of open) {
    for (const next of imports.get(file)) {
      if (from.has(next)) continue;
      from.set(next, file);
      open.push(next);
    }
  }
  return from;
}

/** The shortest circle that begins and ends at a file that reaches itself. */
function circleAt(start, reached) {
  const circle = [start];
  for (let file = reached.get(start); file !== start; file = reached.get(file)) circle.unshift(file);
  return [start, ...circle];
}

const files = sources();
const imports = importsOf(files);
const reached = new Map(files.map((file) => [file, reachedFrom(imports, file)]));
const inCircles = files.filter((file) => reached.get(file).has(file));
const told = new Set();
for (const file of inCircles) {
  if (told.has(file)) continue;
  const knot = inCircles.filter((each) => reached.get(file).has(each) && reached.get(each).has(file));
  for (const each of knot) told.add(each);
  const circles = knot.map((each) => circleAt(each, reached.get(each))).sort((a, b) => a.length - b.length);
  console.error(`${circles[0].join(' → ')} (files in the knot: ${knot.length})`);
}
if (told.size > 0) process.exit(1);
console.log(`circles: none in ${files.length} files`);
