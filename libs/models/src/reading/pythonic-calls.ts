/**
 * Calls in the form of Python: `[read_file(path="a.csv"), list_files()]` of Llama 3.2 and 4, one alone in a fence of Gemma. Read strictly:
 * keyword arguments with literals and nothing else, so that no sentence passes for a call (docs.vllm.ai/en/latest/features/tool_calling,
 * "pythonic").
 */
export interface PythonicCall {
  name: string;
  args: Record<string, unknown>;
}

/** Undefined: the whole text is not calls of this form, or a value is no literal. */
export function pythonicCalls(text: string): PythonicCall[] | undefined {
  const reader = new LiteralReader(text.trim());
  try {
    return reader.calls();
  } catch {
    return undefined;
  }
}

const WORDS: Record<string, unknown> = { True: true, False: false, None: null, true: true, false: false, null: null };
const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r' };

class LiteralReader {
  private at = 0;

  constructor(private readonly text: string) {}

  calls(): PythonicCall[] {
    const isList = this.takes('[');
    const calls = [this.call()];
    while (isList ? this.takes(',') : this.takes(';') || this.at < this.text.length) calls.push(this.call());
    if (isList) this.needs(']');
    if (this.at < this.text.length) throw new SyntaxError('more than calls');
    return calls;
  }

  private call(): PythonicCall {
    const name = this.word(/[A-Za-z_][\w.-]*/y);
    const args: Record<string, unknown> = {};
    this.needs('(');
    while (!this.takes(')')) {
      const key = this.word(/[A-Za-z_]\w*/y);
      this.needs('=');
      args[key] = this.value();
      if (!this.takes(',')) {
        this.needs(')');
        break;
      }
    }
    return { name, args };
  }

  private value(): unknown {
    const quote = this.text[this.at];
    if (quote === '"' || quote === "'") return this.string(quote);
    if (this.takes('[')) return this.listed(']', () => this.value());
    if (this.takes('{')) {
      return Object.fromEntries(
        this.listed('}', () => {
          const key = String(this.value());
          this.needs(':');
          return [key, this.value()] as const;
        }),
      );
    }
    const word = this.word(/-?[\w.+-]+/y);
    if (Object.hasOwn(WORDS, word)) return WORDS[word];
    const number = Number(word);
    if (Number.isNaN(number)) throw new SyntaxError('no literal');
    return number;
  }

  private listed<T>(end: string, read: () => T): T[] {
    const values: T[] = [];
    while (!this.takes(end)) {
      values.push(read());
      if (this.takes(',')) continue;
      this.needs(end);
      break;
    }
    return values;
  }

  private string(quote: string): string {
    const mark = this.text.startsWith(quote.repeat(3), this.at) ? quote.repeat(3) : quote;
    let value = '';
    for (this.at += mark.length; !this.text.startsWith(mark, this.at); this.at += 1) {
      if (this.at >= this.text.length) throw new SyntaxError('an open string');
      const sign = this.text[this.at] as string;
      if (sign === '\\') this.at += 1;
      const next = this.text[this.at] ?? '';
      value += sign === '\\' ? (ESCAPES[next] ?? next) : sign;
    }
    this.at += mark.length;
    this.skip();
    return value;
  }

  private word(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const [word] = pattern.exec(this.text) ?? [];
    if (word === undefined) throw new SyntaxError('no word');
    this.at += word.length;
    this.skip();
    return word;
  }

  private takes(sign: string): boolean {
    if (this.text[this.at] !== sign) return false;
    this.at += 1;
    this.skip();
    return true;
  }

  private needs(sign: string): void {
    if (!this.takes(sign)) throw new SyntaxError(`no ${sign}`);
  }

  private skip(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
  }
}
