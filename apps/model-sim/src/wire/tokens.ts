/** Counts tokens as OpenAI's o200k models do. The tables take a moment to load, so they are loaded after the server listens. */

export interface TokenCounter {
  count(text: string): number;
  /** The text's first tokens, as text. */
  head(text: string, tokens: number): string;
}

/** Marks such as `<|endoftext|>` in a text are text. */
const PLAIN = { disallowedSpecial: new Set<string>() };

/** A run of one kind of characters is one piece to the encoder, whose time grows with the square of a piece's length. */
const LONG_RUN = /(\p{L}{200}|\s{200}|[^\s\p{L}\p{N}]{200})/u;

const CACHED_CHARACTERS = 8_000_000;

let loading: Promise<TokenCounter> | undefined;

/** The same counter each time. */
export function loadTokenCounter(): Promise<TokenCounter> {
  loading ??= load();
  return loading;
}

async function load(): Promise<TokenCounter> {
  const encoder = await import('gpt-tokenizer/encoding/o200k_base');
  const pieces = (text: string): string[] => (LONG_RUN.test(text) ? text.split(LONG_RUN) : [text]);
  const measure = (text: string): number => pieces(text).reduce((sum, piece) => sum + encoder.countTokens(piece, PLAIN), 0);
  return {
    count: cached(measure),
    head: (text, tokens) =>
      encoder.decode(
        pieces(text)
          .flatMap((piece) => encoder.encode(piece, PLAIN))
          .slice(0, tokens),
      ),
  };
}

/** Conversations repeat their beginning with each request; the oldest texts are forgotten. */
function cached(measure: (text: string) => number): (text: string) => number {
  const known = new Map<string, number>();
  let characters = 0;
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const tokens = measure(text);
    known.set(text, tokens);
    characters += text.length;
    for (const oldest of known.keys()) {
      if (characters <= CACHED_CHARACTERS) break;
      known.delete(oldest);
      characters -= oldest.length;
    }
    return tokens;
  };
}
