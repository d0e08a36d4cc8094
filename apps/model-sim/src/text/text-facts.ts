/** What can be said of a text by counting: size, headings, frequent words, and the sentences that hold most of them. */

export interface TextFacts {
  lines: number;
  words: number;
  characters: number;
  headings: string[];
  keywords: { word: string; count: number }[];
  /** Sentences of the text itself, in its order. */
  extract: string[];
}

const COMMON = new Set(
  (
    'a about above after again all also am an and any are as at be because been before being below between both but by can could did do does doing down during each ' +
    'few for from further had has have having he her here hers him his how i if in into is it its itself just me more most my no nor not now of off on once only or ' +
    'other our out over own same she should so some such than that the their theirs them then there these they this those through to too under until up very was ' +
    'we were what when where which while who whom why will with would you your yours may must one two us upon shall'
  ).split(' '),
);

export function textFacts(text: string): TextFacts {
  // The line break that ends the last line begins none.
  const lines = text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/);
  const words = text.match(/[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu) ?? [];
  const counts = countWords(words);
  const keywords = [...counts]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, 12)
    .map(([word, count]) => ({ word, count }));
  return {
    lines: lines.length,
    words: words.length,
    characters: text.length,
    headings: headingsOf(lines),
    keywords,
    extract: extractOf(text, counts),
  };
}

function countWords(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const raw of words) {
    const word = raw.toLowerCase();
    if (word.length < 3 || COMMON.has(word) || /^\d+$/.test(word)) continue;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/** Markdown headings, and lines in capitals or underlined. */
function headingsOf(lines: readonly string[]): string[] {
  return lines
    .flatMap((line, index) => {
      const marked = /^#{1,6} +(.+?)#*$/.exec(line)?.[1];
      if (marked !== undefined) return [marked.trim()];
      const underlined = /^[=-]{3,}$/.test(lines[index + 1] ?? '') && /\p{L}/u.test(line);
      const capitals = /^[\p{Lu}\d][\p{Lu}\d .,'-]{3,60}$/u.test(line.trim()) && /\p{Lu}{3}/u.test(line);
      return underlined || capitals ? [line.trim()] : [];
    })
    .slice(0, 40);
}

/** Up to five sentences, those with the most frequent words for their length. */
function extractOf(text: string, counts: ReadonlyMap<string, number>): string[] {
  const sentences = text
    .replace(/^#{1,6} .*$/gm, '')
    .split(/(?<=[.!?])\s+(?=[\p{Lu}"“(])|\n\s*\n/u)
    .map((sentence) => sentence.replace(/\s+/g, ' ').trim())
    .filter((sentence) => sentence.length >= 30 && sentence.length <= 400);
  const scored = sentences.slice(0, 2000).map((sentence, index) => {
    const words = sentence.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu) ?? [];
    const score = words.reduce((sum, word) => sum + (counts.get(word) ?? 0), 0) / Math.sqrt(words.length + 1);
    return { sentence, index, score };
  });
  return scored
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, 5)
    .sort((a, b) => a.index - b.index)
    .map(({ sentence }) => sentence);
}
