/** Checks that what a document says to type, set, open or read exists. */
import { Plan } from '@cadre/contracts';
import type { CommandGrammar } from './command-grammar.js';
import { type MarkdownParts, readMarkdown } from './markdown.js';
import type { Repository } from './repository.js';
import { type ShellCommand, shellCommands } from './shell-words.js';

const SHELL = new Set(['', 'sh', 'bash', 'shell', 'console']);
const MEDIA_TYPE = /^(application|audio|image|multipart|text|video)\//;
const SOURCE_FILE = /\.(ts|tsx|mts|mjs|js|json|md|ya?ml|sh|sql|toml)$/;
const VARIABLE = /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(=\S*)?$/;
const OUR_FOLDER = /^(apps|libs|tools|docs|bench|deploy|k8s|examples)\//;

export class DocumentCheck {
  readonly #repository: Repository;
  readonly #cadre: CommandGrammar;

  constructor(repository: Repository, cadre: CommandGrammar) {
    this.#repository = repository;
    this.#cadre = cadre;
  }

  /** Faults of a document, each with its place: `README.md:12: …`. @param file where the text stands, relative to the root */
  async faultsOf(file: string, text: string): Promise<string[]> {
    const parts = readMarkdown(text);
    const faults = parts.links.map(({ target, line }) => [line, this.#linkFault(target, file, parts)] as const);
    if (!file.startsWith('docs/adr/')) {
      faults.push(...(await this.#blockFaults(parts)));
      for (const { text: span, line } of parts.spans) faults.push([line, await this.#spanFault(span, file)]);
    }
    return faults
      .filter(([, fault]) => fault !== undefined)
      .sort(([a], [b]) => a - b)
      .map(([line, fault]) => `${file}:${line}: ${fault}`);
  }

  #linkFault(target: string, file: string, parts: MarkdownParts): string | undefined {
    if (/^[a-z][a-z+.-]*:/i.test(target)) return undefined;
    const [path = '', anchor] = decodeURIComponent(target).split('#');
    if (path !== '' && !this.#repository.hasPath(path, file)) return `the link ${target} leads nowhere`;
    if (anchor === undefined || (path !== '' && !path.endsWith('.md'))) return undefined;
    const { anchors } = path === '' ? parts : readMarkdown(this.#repository.read(new URL(path, `file:///${file}`).pathname.slice(1)));
    return anchors.includes(anchor) ? undefined : `the link ${target} names no heading`;
  }

  async #blockFaults({ blocks }: MarkdownParts): Promise<(readonly [number, string | undefined])[]> {
    const faults: (readonly [number, string | undefined])[] = [];
    for (const { language, line, text } of blocks) {
      if (language === 'json') faults.push([line, jsonFault(text)]);
      if (!SHELL.has(language)) continue;
      for (const command of shellCommands(text)) {
        for (const fault of await this.#commandFaults(command, true)) faults.push([line + command.line, fault]);
      }
    }
    return faults;
  }

  async #spanFault(span: string, file: string): Promise<string | undefined> {
    const variable = VARIABLE.exec(span)?.[1];
    if (variable !== undefined) return this.#variableFault(variable);
    if (/^(npx|npm|cadre)\s/.test(span)) {
      const faults = await Promise.all(shellCommands(span).map((command) => this.#commandFaults(command, false)));
      return faults.flat()[0];
    }
    if (!isPath(span) || this.#repository.hasNamed(span, file)) return undefined;
    return `there is no ${span}`;
  }

  async #commandFaults({ variables, words }: ShellCommand, whole: boolean): Promise<string[]> {
    const faults = [...variables.map((name) => this.#variableFault(name)), await this.#programFault(words, whole)];
    for (const word of words.slice(1)) {
      if (OUR_FOLDER.test(word) && isPath(word) && !this.#repository.hasNamed(word, '')) faults.push(`there is no ${word}`);
    }
    return faults.filter((fault) => fault !== undefined);
  }

  async #programFault([program, first, ...rest]: string[], whole: boolean): Promise<string | undefined> {
    if (program === 'cadre') return this.#cadre.faultOf(first === undefined ? [] : [first, ...rest], whole);
    if (program === 'npx' && first === 'cadre') return this.#cadre.faultOf(rest, whole);
    if (program === 'npx' && first !== undefined && /^[a-z]/.test(first) && !this.#repository.hasProgram(first))
      return `npx ${first}: no such program`;
    const script = program === 'npm' ? (first === 'run' ? rest[0] : first === 'test' || first === 'start' ? first : undefined) : undefined;
    if (script === undefined || /^[^a-z]/i.test(script) || this.#repository.scripts.has(script)) return undefined;
    return `package.json has no script ${script}`;
  }

  #variableFault(name: string): string | undefined {
    return this.#repository.readsVariable(name) ? undefined : `nothing reads the environment variable ${name}`;
  }
}

/** Whether code in running text looks like a path of a file or folder. */
function isPath(text: string): boolean {
  if (/[\s<>{}"'$…:()|\\?]/.test(text) || /^[/@~-]/.test(text) || MEDIA_TYPE.test(text)) return false;
  return text.includes('/') ? /^[\w.*-]+(\/[\w.*-]+)*\/?$/.test(text) : SOURCE_FILE.test(text);
}

function jsonFault(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `not JSON: ${(error as Error).message}`;
  }
  if (typeof value !== 'object' || value === null || !('tasks' in value)) return undefined;
  const issue = Plan.safeParse(value).error?.issues[0];
  return issue && `not a plan: ${issue.path.join('.')}: ${issue.message}`;
}
