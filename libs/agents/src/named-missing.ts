/** What is missing, as a result may name it. */
import { shorten } from './shorten.js';

const MAX_MISSING = 50;
const MISSING_CHARACTERS = 300;

/** Each phrase once, in a line, no more and no longer than fits. Undefined for nothing. */
export function namedMissing(phrases: readonly string[]): string[] | undefined {
  const lines = phrases.map((phrase) => phrase.replace(/\s+/g, ' ').trim()).filter((phrase) => phrase !== '');
  const named = [...new Set(lines.map((line) => shorten(line, MISSING_CHARACTERS)))].slice(0, MAX_MISSING);
  return named.length > 0 ? named : undefined;
}
