/**
 * Templates of generated files: real TypeScript with `{{name}}` for values and `//#if name` or `//#if !name` … `//#end` lines around
 * parts that only some files need. They lie beside the sources, so that a reader sees the code as a user will get it.
 */
import { readFileSync } from 'node:fs';

const IF = /^\s*\/\/#if (!?)(\w+)$/;
const END = /^\s*\/\/#end$/;

/** Reads a template of this application by name, for example `rows.ts`. */
export function loadTemplate(name: string): string {
  return readFileSync(new URL(`../../templates/${name}.txt`, import.meta.url), 'utf8');
}

/**
 * Fills a template.
 * @param values by name; an unknown name is a defect of the template and throws
 * @param flags names of the parts to keep
 */
export function fill(template: string, values: Readonly<Record<string, string>>, flags: ReadonlySet<string>): string {
  const kept: boolean[] = [];
  const lines: string[] = [];
  for (const line of template.split('\n')) {
    const start = IF.exec(line);
    if (start !== null) kept.push(flags.has(start[2] ?? '') !== (start[1] === '!'));
    else if (END.test(line)) kept.pop();
    else if (!kept.includes(false)) lines.push(line);
  }
  const text = lines.join('\n').replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the template asks for an unknown value: ${name}`);
    return value;
  });
  return text.replace(/\n{3,}/g, '\n\n').trimStart();
}

/** A string as a TypeScript literal in single quotes. */
export function literal(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner.replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)}'`;
}

/** A property name: bare if it is an identifier, else quoted. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name);
}

/** Text that is safe within a block comment, on one line. */
export function commentText(text: string): string {
  return text.replaceAll('*/', '*\u200b/').replace(/\s+/g, ' ');
}

/** A list of literals, broken into lines where it would be long. */
export function literalList(names: readonly string[]): string {
  const flat = names.map(literal).join(', ');
  return flat.length <= 90 ? flat : `\n${names.map((name) => `  ${literal(name)},\n`).join('')}`;
}
