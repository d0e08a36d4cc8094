/** What documentation may refer to: the files, scripts, programs and environment variables of a repository. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** Made by the build, by running the system, or by agents: not in the repository, and rightly named in documents. */
const MADE_LATER = [
  /^\.(cadre|cache)\b/,
  /^cadre-output\b/,
  /(^|\/)(node_modules|dist)(\/|$)/,
  /^(inputs|charts|data)\//,
  /^(report|review)\.md$/,
  /^docs\/API\.md$/,
];

/** Read by packages that we use, not by our own code. */
const READ_BY_PACKAGES = [/^NODE_EXTRA_CA_CERTS$/, /^OTEL_/, /^PG[A-Z]+$/];

export class Repository {
  readonly root: string;
  readonly files: string[];
  readonly scripts: ReadonlySet<string>;
  #code: string | undefined;

  constructor(root: string) {
    this.root = root;
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
    this.files = listed.split('\n').filter((file) => file !== '' && existsSync(join(root, file)));
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts?: Record<string, string> };
    this.scripts = new Set(Object.keys(manifest.scripts ?? {}));
  }

  /** Documents whose examples must work. Decision records keep the words of their time, so only their links are checked. */
  documents(): string[] {
    return this.files.filter((file) => /^([^/]+|docs\/.*)\.md$/.test(file));
  }

  read(file: string): string {
    return readFileSync(join(this.root, file), 'utf8');
  }

  hasProgram(name: string): boolean {
    return existsSync(join(this.root, 'node_modules/.bin', name));
  }

  /** Whether a path of the repository exists. @param from the document that names it */
  hasPath(path: string, from: string): boolean {
    const found = normalize(join(dirname(from), path)).replace(/\/$/, '');
    return !found.startsWith('..') && existsSync(join(this.root, found));
  }

  /**
   * Whether a name in backticks stands for something: from the root, from the document, or the end of a path (`commands.ts`,
   * `src/testing/`).
   */
  hasNamed(name: string, from: string): boolean {
    if (MADE_LATER.some((pattern) => pattern.test(name))) return true;
    const path = name.replace(/\/$/, '');
    if (path.includes('*')) return this.#hasMatch(path);
    if (this.hasPath(`/${path}`, '') || this.hasPath(path, from)) return true;
    if (path.startsWith('.') && !path.includes('/')) return this.files.some((file) => file.endsWith(path));
    return this.files.some((file) => file.endsWith(`/${path}`) || file.includes(`/${path}/`));
  }

  #hasMatch(glob: string): boolean {
    const parts = glob.split('*').map((part) => part.replace(/[.+^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(`(^|/)${parts.join('[^/]*')}(/|$)`);
    return this.files.some((file) => pattern.test(file));
  }

  /** Whether the code (tests and comments left out) reads an environment variable of this name. */
  readsVariable(name: string): boolean {
    if (READ_BY_PACKAGES.some((pattern) => pattern.test(name))) return true;
    return new RegExp(`['"\`]${name}['"\`]|\\.${name}\\b|\\b${name}\\s*[:,=}]`).test(this.#sources());
  }

  #sources(): string {
    this.#code ??= this.files
      .filter((file) => /\.(ts|mts|js|mjs|sh)$|^\.ci\//.test(file) && !/\.spec\.|(^|\/)testing\/|^tools\/docs\//.test(file))
      .map((file) => this.read(file).replace(/^\s*(\/\/|\*|\/\*).*$/gm, ''))
      .join('\n');
    return this.#code;
  }
}
