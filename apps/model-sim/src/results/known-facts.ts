/**
 * What a conversation has found out, each value under the words of its path: `{"columns":[{"name":"units","mean":4}]}` holds 4 as "columns
 * units mean".
 */
import type { Conversation } from '../conversation.js';
import { textFacts } from '../text/text-facts.js';

export type Scalar = string | number | boolean;

interface Fact {
  words: ReadonlySet<string>;
  value: Scalar;
}

/** Words for one thing. */
const SAME: Readonly<Record<string, string>> = {
  average: 'mean',
  avg: 'mean',
  minimum: 'min',
  lowest: 'min',
  maximum: 'max',
  highest: 'max',
  nulls: 'missing',
};
/** Words that say only that something is counted. */
const EMPTY: ReadonlySet<string> = new Set(['count', 'number', 'of', 'the', 'n', 'num', 'total']);

/** The words of a name: `rowCount`, `row_count` and "row count" are one. */
export function wordsOfName(name: string): string[] {
  const words = name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '' && !EMPTY.has(word));
  return words.map((word) => SAME[word] ?? (word.length > 3 && /[^s]s$/.test(word) ? word.slice(0, -1) : word));
}

export class KnownFacts {
  readonly #facts: Fact[] = [];

  constructor({ turns }: Pick<Conversation, 'turns'>) {
    for (const { name, result } of turns) {
      for (const each of recordsOf(result)) this.take(each, []);
      const text = name === 'read_file' ? wholeText(result) : undefined;
      if (text === undefined) continue;
      const { lines, words, characters } = textFacts(text);
      this.take({ lines, words, characters }, []);
    }
  }

  /** The one value that is known by these words; undefined where there is none, or where it could be one of several. */
  find(words: readonly string[], fits: (value: Scalar) => boolean): Scalar | undefined {
    if (words.length === 0) return undefined;
    const found = this.#facts.filter((fact) => fits(fact.value) && words.every((word) => fact.words.has(word)));
    const least = Math.min(...found.map((fact) => fact.words.size));
    const values = new Set(found.filter((fact) => fact.words.size === least).map(({ value }) => value));
    return values.size === 1 ? [...values][0] : undefined;
  }

  private take(value: unknown, path: readonly string[]): void {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      if (path.length > 0) this.#facts.push({ words: new Set(path), value });
    } else if (Array.isArray(value)) {
      // A value of a list is not what the list's name says: the one cell of "rows" is not the number of rows.
      for (const each of value) if (typeof each === 'object') this.take(each, path);
    } else if (typeof value === 'object' && value !== null) {
      const { name } = value as { name?: unknown };
      const own = typeof name === 'string' ? [...path, ...wordsOfName(name)] : path;
      for (const [key, each] of Object.entries(value)) this.take(each, [...own, ...wordsOfName(key)]);
    }
  }
}

/** A table that a query gave says of each cell what its column is called; anything else stays as it is. */
function recordsOf(result: unknown): unknown[] {
  const { columns, rows } = (result ?? {}) as { columns?: unknown; rows?: unknown };
  if (!Array.isArray(columns) || !Array.isArray(rows) || !rows.every(Array.isArray)) return [result];
  return rows.map((row: unknown[]) => Object.fromEntries(columns.map((column, index) => [String(column), row[index]])));
}

function wholeText(result: unknown): string | undefined {
  const { text, truncated } = (result ?? {}) as { text?: unknown; truncated?: unknown };
  return typeof text === 'string' && truncated !== true ? text : undefined;
}
