/** What kinds of files may be given to a run, and under which names. */
import { WorkspacePath } from '@cadre/contracts';
import { InputProblem } from '@cadre/service-kit';

export const INPUT_TYPES: Record<string, string> = {
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  jsonl: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
  txt: 'text/plain',
  md: 'text/markdown',
};
export const INPUT_EXTENSIONS = Object.keys(INPUT_TYPES);

const MAX_NAME = 120;

/**
 * The name and media type under which a file is kept. Folders are dropped, and letters that paths of a run cannot have become `_`.
 * @throws InputProblem `unsupported-media-type`, `unprocessable`
 */
export function inputFile(given: string | undefined): { name: string; mediaType: string } {
  const base = (given ?? '').split(/[\\/]/).at(-1) ?? '';
  const mediaType = INPUT_TYPES[/\.([a-z]+)$/i.exec(base)?.[1]?.toLowerCase() ?? ''];
  if (mediaType === undefined) {
    throw new InputProblem('unsupported-media-type', `The file ${JSON.stringify(base)} is of a kind that cannot be read.`, {
      remedy: `give files that end in ${INPUT_EXTENSIONS.map((each) => `.${each}`).join(', ')}`,
    });
  }
  const name = plain(base);
  if (!WorkspacePath.safeParse(name).success) {
    throw new InputProblem('unprocessable', `The file name ${JSON.stringify(base)} cannot be used.`, { remedy: 'rename the file' });
  }
  return { name, mediaType };
}

function plain(base: string): string {
  const letters = base
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._@ ()+,=-]/gu, '_')
    .replace(/^\./, '_');
  if (letters.length <= MAX_NAME) return letters;
  const end = letters.slice(letters.lastIndexOf('.'));
  return letters.slice(0, MAX_NAME - end.length) + end;
}
