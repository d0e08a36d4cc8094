/** Media types by the extensions of file names. */
const BY_EXTENSION: Record<string, string> = {
  md: 'text/markdown',
  txt: 'text/plain',
  log: 'text/plain',
  ts: 'text/typescript',
  mts: 'text/typescript',
  js: 'text/javascript',
  mjs: 'text/javascript',
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  jsonl: 'application/x-ndjson',
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  parquet: 'application/vnd.apache.parquet',
  html: 'text/html',
  css: 'text/css',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  pdf: 'application/pdf',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  sql: 'application/sql',
};

/** The media type that a file's extension stands for. @param otherwise of unknown ones */
export function mediaTypeOf(path: string, otherwise = 'application/octet-stream'): string {
  const extension = /\.([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  return BY_EXTENSION[extension] ?? otherwise;
}
