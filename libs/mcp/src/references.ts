/** Secrets by reference: a setting names the variable or the file that holds one, and what is told or logged is cleared of it. */
import { readFileSync } from 'node:fs';
import { CadreError } from '@cadre/contracts';

const REFERENCE = /\$\{(?:env:([A-Za-z_][A-Za-z0-9_]*)|file:([^}]+))\}/g;
/** Shorter ones would blot out ordinary words. */
const SHORTEST_SECRET = 6;

/** What is wrong with the references in a text. */
export function referenceFaults(text: string): string[] {
  const rest = text.replace(REFERENCE, '');
  return rest.includes('${') ? ['a reference is written ${env:NAME} or ${file:/path}'] : [];
}

/** The names of the variables that a text refers to. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/** Fills in references, and remembers what they stood for. */
export class Secrets {
  readonly #known = new Set<string>();

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  /** Errors: `mcp-secret-missing`, which names the variable or the file. */
  fill(values: Record<string, string>): Record<string, string> {
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, this.#fillOne(value)]));
  }

  /** A text of others, without what must not be seen. */
  clear(text: string): string {
    let cleared = text;
    for (const secret of this.#known) cleared = cleared.replaceAll(secret, '***');
    return cleared;
  }

  #fillOne(text: string): string {
    return text.replace(REFERENCE, (_, variable: string | undefined, file: string | undefined) => {
      const secret = variable === undefined ? contentOf(file as string) : this.env[variable];
      if (secret === undefined || secret === '') throw missing(variable === undefined ? `the file ${file}` : `the variable ${variable}`);
      if (secret.length >= SHORTEST_SECRET) this.#known.add(secret);
      return secret;
    });
  }
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function missing(what: string): CadreError {
  return new CadreError('mcp-secret-missing', `It refers to ${what}, which is not there or empty.`, { billed: 'no' });
}
