/** TypeScript sources of the workspace, as the test writer, the documentation writer and the reviewer read them. */
import { isSource, isTest } from '../analysis/files.js';
import type { GeneratedFile } from '../codegen/report-code.js';
import type { Script, ToolDesk } from '../script/script.js';
import type { Files } from './dataset.js';

const MOST_FILES = 12;

/** Paths of sources, and of tests. */
export function codePaths(files: Files): { sources: string[]; tests: string[] } {
  const paths = files.map((file) => file.path);
  return {
    sources: paths.filter((path) => isSource(path) && !isTest(path)).slice(0, MOST_FILES),
    tests: paths.filter(isTest).slice(0, MOST_FILES),
  };
}

/** Enough of a source to see what it says of itself. */
const HEAD_BYTES = 600;

/** Reads files, or their beginnings; those that cannot be read are left out. */
export function* readSources(paths: readonly string[], desk: ToolDesk, part: 'head' | 'whole' = 'whole'): Script<GeneratedFile[]> {
  const maxBytes = part === 'head' ? HEAD_BYTES : 50_000;
  const read = yield* desk.all(paths.map((path) => ({ name: 'read_file', args: { path, maxBytes } }) as const));
  return read.flatMap((outcome) => (outcome.ok ? [{ path: outcome.value.path, text: outcome.value.text }] : []));
}

/** Names of the functions and classes that a source exports. */
export function exportedNames(text: string): string[] {
  return [...text.matchAll(/^export (?:async )?(?:function\*?|class) (\w+)/gm)].flatMap((match) =>
    match[1] === undefined ? [] : [match[1]],
  );
}

/** Whether the sources are those that the report generator writes; their beginnings tell. */
export function isReportCode(sources: readonly GeneratedFile[]): boolean {
  const has = (path: string, text: string): boolean => sources.some((source) => source.path === path && source.text.includes(text));
  return has('src/rows.ts', '/**\n * The rows of ') && has('src/report.ts', '/**\n * Figures and a Markdown report for rows of ');
}
