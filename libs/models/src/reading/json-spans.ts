/** Where JSON lies in a text that holds more than that. */

/** Texts with more braces that open nothing than this are not searched further. */
const MAX_MISSES = 200;

/** Finds balanced objects and arrays; remembers what it has searched in vain, so that a text full of braces costs little. */
export class JsonSpans {
  private misses = 0;

  constructor(private readonly text: string) {}

  /** The end (exclusive) of the object or array that opens at `at`, by its brackets outside of strings; undefined: it does not close. */
  endOf(at: number): number | undefined {
    const { text } = this;
    if ((text[at] !== '{' && text[at] !== '[') || this.misses >= MAX_MISSES) return undefined;
    let depth = 0;
    for (let i = at; i < text.length; i += 1) {
      const char = text[i];
      if (char === '"') {
        i = stringEnd(text, i);
        continue;
      }
      if (char === '{' || char === '[') depth += 1;
      if (char === '}' || char === ']') depth -= 1;
      if (depth === 0) return i + 1;
    }
    this.misses += 1;
    return undefined;
  }
}

/** The place of the quote that ends the string that begins at `at`, or the end of the text. */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i;
  }
  return text.length;
}

/** The value of a JSON text; undefined where it is none. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
