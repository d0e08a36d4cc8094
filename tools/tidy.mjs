/**
 * The ratchet of the house style: a source file over 500 lines, a function over 70 lines or a name from the forbidden list fails, unless
 * `tools/tidy-exceptions.json` lists it. A listed exception may only shrink: the list holds today's size, and a smaller one must be written
 * there. A line of a comment or of a document over 140 columns fails always; tables, code blocks and targets of links do not count.
 *
 * Usage: node tools/tidy.mjs [--root DIR]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

const FILE_LINES = 500;
const FUNCTION_LINES = 70;
const COLUMNS = 140;
const FORBIDDEN = /(^|[-/.])(utils?|common|helpers?|manager|service|impl)(\.|$)/;
const SUFFIXES = /^[a-z0-9-]+(\.(module|controller|guard|filter|config|agent)|(\.(unit|int|sim|e2e|slow))\.spec)?\.tsx?$/;

const rootFlag = process.argv.indexOf('--root');
const root = resolve(rootFlag > 0 ? process.argv[rootFlag + 1] : join(import.meta.dirname, '..'));
const exceptionsFile = join(root, 'tools/tidy-exceptions.json');
const exceptions = existsSync(exceptionsFile) ? JSON.parse(readFileSync(exceptionsFile, 'utf8')) : {};

/** Every tracked or new file of such names, relative to the root. */
function listed(...names) {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...names], { cwd: root, encoding: 'utf8' });
  return files.split('\n').filter((file) => file && existsSync(join(root, file)));
}

/** Names and lengths of the functions of a file. `describe` bodies of specs hold tests, so specs are left out. */
function functionsOf(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body) {
      const start = source.getLineAndCharacterOfPosition(node.getStart()).line;
      const end = source.getLineAndCharacterOfPosition(node.end).line;
      const name = node.name?.getText() ?? node.parent?.name?.getText?.() ?? 'anonymous';
      found.push({ name, lines: end - start + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** @returns {{key: string, size: number, limit: number, what: string}[]} */
function oversized(file) {
  const text = readFileSync(join(root, file), 'utf8');
  const lines = text.split('\n').length - 1;
  const rows = lines > FILE_LINES ? [{ key: file, size: lines, limit: FILE_LINES, what: 'file' }] : [];
  if (file.includes('.spec.')) return rows;
  for (const fn of functionsOf(file, text)) {
    if (fn.lines > FUNCTION_LINES) rows.push({ key: `${file}#${fn.name}`, size: fn.lines, limit: FUNCTION_LINES, what: 'function' });
  }
  return rows;
}

/** Where a link leads to cannot be wrapped and does not count. */
const isWide = (line) => line.length > COLUMNS && [...line.replace(/(?<=\])\([^)\s]*\)|https?:\/\/\S+/g, '')].length > COLUMNS;

/** Numbers of the lines of comments that are too wide. What looks like a comment within a template is text. */
function wideComments(file) {
  const text = readFileSync(join(root, file), 'utf8');
  const wide = text.split('\n').flatMap((line, index) => (/^\s*(\*|\/\/|\/\*)/.test(line) && isWide(line) ? [index] : []));
  if (wide.length === 0) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const templates = [];
  const visit = (node) => {
    if (ts.isTemplateLiteralToken(node)) templates.push([node.getStart(), node.end]);
    ts.forEachChild(node, visit);
  };
  visit(source);
  const starts = source.getLineStarts();
  return wide.filter((line) => !templates.some(([start, end]) => start <= starts[line] && starts[line] < end)).map((line) => line + 1);
}

/** Numbers of the lines of a Markdown text that are too wide. */
function wideProse(text) {
  let fence;
  return text.split('\n').flatMap((line, index) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined) fence = mark;
    else if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
    const counts = fence === undefined && mark === undefined && !/^\s*\|/.test(line);
    return counts && isWide(line) ? [index + 1] : [];
  });
}

const faults = [];
const seen = new Set();
for (const file of listed('*.ts', '*.tsx', '*.mjs')) {
  const name = file.split('/').at(-1);
  if (/^(apps|libs)\//.test(file) && file.endsWith('.ts') && !file.endsWith('.d.ts') && (!SUFFIXES.test(name) || FORBIDDEN.test(name))) {
    faults.push(`${file}: the name is not in the house style (kebab-case noun; no utils, common, helpers, manager, service, impl)`);
  }
  for (const line of wideComments(file)) faults.push(`${file}:${line}: a line of a comment has over ${COLUMNS} columns`);
  for (const { key, size, limit, what } of oversized(file)) {
    seen.add(key);
    const allowed = exceptions[key];
    if (allowed === undefined) faults.push(`${key}: ${what} of ${size} lines, at most ${limit}`);
    else if (size > allowed) faults.push(`${key}: ${what} grew to ${size} lines; the exception allows ${allowed}`);
    else if (size < allowed)
      faults.push(`${key}: ${what} shrank to ${size} lines; write that into tools/tidy-exceptions.json (it says ${allowed})`);
  }
}
for (const file of listed('*.md')) {
  const wide = wideProse(readFileSync(join(root, file), 'utf8'));
  for (const line of wide) faults.push(`${file}:${line}: a line of a document has over ${COLUMNS} columns`);
}
for (const key of Object.keys(exceptions))
  if (!seen.has(key)) faults.push(`${key}: no longer over the limit; remove it from tools/tidy-exceptions.json`);

if (faults.length > 0) {
  console.error(faults.join('\n'));
  console.error(`tidy: ${faults.length} faults`);
  process.exit(1);
}
console.log('tidy: in order');
