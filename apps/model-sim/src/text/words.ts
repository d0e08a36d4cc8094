/** Words and figures for people. */

/** What to do about what only a language model can. */
export const SET_A_MODEL = 'Set OPENAI_BASE_URL and OPENAI_API_KEY to use one.';

/** What every answer says of itself. */
export const HONESTY =
  'No language model was used: fixed rules chose the steps, and the figures come from the tools. Causes, meaning and what to do about it are therefore not judged here.';

/** A figure: whole numbers in full, others with two decimals or three significant digits. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-6)) return String(Number(value.toPrecision(4)));
  if (Number.isInteger(value)) return String(value);
  return String(Number(size >= 1000 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : value.toPrecision(3)));
}

/** Any cell as one line of text. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return figure(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const line = text.replace(/\s+/g, ' ').replace(/^(\d{4}-\d{2}-\d{2})T00:00(:00)?(\.0+)?Z?$/, '$1');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

/** A name within a sentence or a table, as code. */
export function code(name: string): string {
  return `\`${name.replaceAll('`', "'").replace(/\s+/g, ' ')}\``;
}

/** `one, two and three` */
export function listing(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}

/** `1 row`, `2 rows` */
export function count(number: number, word: string): string {
  return `${number} ${number === 1 ? word : word.endsWith('y') ? `${word.slice(0, -1)}ies` : `${word}s`}`;
}

/** A Markdown table; cells are escaped. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const escape = (cell: string): string => cell.replaceAll('|', '\\|').replace(/\s+/g, ' ');
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
}

/** Joins blocks of Markdown with blank lines, leaving empty ones out. */
export function blocks(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}
