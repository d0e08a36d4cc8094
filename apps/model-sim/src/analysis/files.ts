/** What a file is, by its name. */

const DATA = /\.(csv|tsv|tab|json|geojson|ndjson|jsonl|parquet)$/i;
const TEXT = /\.(txt|md|markdown|rst|log|html?|xml|ya?ml|tex)$/i;

export function isData(path: string): boolean {
  return DATA.test(path);
}

export function isText(path: string, mediaType = ''): boolean {
  return TEXT.test(path) || (mediaType.startsWith('text/') && !isData(path));
}

/** TypeScript sources of the workspace. */
export function isSource(path: string): boolean {
  return path.startsWith('src/') && path.endsWith('.ts');
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

/** Inputs of the run lie under inputs/. */
export function isInput(path: string): boolean {
  return path.startsWith('inputs/');
}
