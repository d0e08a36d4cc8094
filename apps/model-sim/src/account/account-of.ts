/**
 * The account that the answer gives of a goal: each part with the place where it is done. A part is claimed only if the outputs for its
 * kind are there, no task says that it is missing from them, and every word of it is accounted for.
 */
import { inEnglish, kindsForbidden, readParts } from '@cadre/engine';
import type { GoalPart, PartKind } from '@cadre/engine';
import { isData } from '../analysis/files.js';
import type { ProfileFile } from '../analysis/profile-json.js';
import type { Resource } from '../codegen/resource-code.js';
import type { Brief, Result } from '../conversation.js';
import { listing } from '../text/words.js';
import { KNOWN, PLAIN } from './vocabulary.js';

export interface PartClaim {
  part: number;
  done: boolean;
  where: string[];
}

/** What the outputs say that a claim rests on. */
export interface Evidence {
  profile: ProfileFile | undefined;
  /** report.md without the line that repeats the goal. */
  report: string;
  /** docs/API.md, or its beginning. */
  docs: string;
  /** The resource that the code serves. */
  resource: Resource | undefined;
}

/** What no rule here can do: forbidden, it is surely not done. */
const NEVER_DONE = /^(send|e-?mail|deploy|publish|upload|translate|buy|order|book|call|post)\b|\benvoie\b/;
/** More than a check of tokens. */
const LOGIN = /log-?in|password|regist|hash/i;
/** What is counted: not the rows of which something holds. */
const COUNTED = /^(please )?(count (the )?|how many )(words|lines|characters|rows|records|columns)\b/;
const TRENDS = /\btrends?\b|\bdevelopment\b|\bover time\b/;
const SECTIONS: readonly [RegExp, string][] = [
  [/anomal|outlier|unusual|extreme/, '## Unusual values'],
  [/correlation|relation/, '## Relations between measures'],
  [/\bduplicates?\b/, 'Rows that repeat another row exactly'],
];
const GROUPS = /\b(?:by|per|(?:for|in|of) (?:each|every))\s+([\p{L}\p{N}_-]+)/gu;
const NOT_OF_GROUPS = /\b(max|maximum|min|minimum|median|range|distributions?|trends?|outliers?|anomal\w+|unusual|correlations?)\b/;
const FORBIDDEN_FILES: Partial<Record<PartKind, RegExp>> = {
  tests: /^test\//m,
  code: /^(src|test)\//m,
  chart: /^charts\//m,
  docs: /^docs\//m,
};

const wordsOf = (text: string): string[] =>
  inEnglish(text)
    .toLowerCase()
    .match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}'’_-]*/gu) ?? [];
const singular = (word: string): string => word.replace(/ies$/, 'y').replace(/([^s])s$/, '$1');

export class GoalAccount {
  private readonly done: Result[];
  private readonly artifacts: ReadonlySet<string>;
  /** Words that name what was worked on. */
  private readonly names: ReadonlySet<string>;

  constructor(
    private readonly brief: Brief,
    private readonly evidence: Evidence,
  ) {
    this.done = brief.results.filter(({ status, missing }) => status === 'completed' && missing.length === 0);
    this.artifacts = new Set(this.done.flatMap((result) => result.artifacts));
    const columns = (evidence.profile?.profiles ?? []).flatMap(({ columns: all }) => all.map(({ name }) => name));
    const { resource } = evidence;
    const subjects = [
      ...brief.inputs
        .map(({ name }) => name)
        .filter(isData)
        .map((name) => name.replace(/\.\w+$/, '')),
      ...columns,
      ...(resource ? [resource.singular, resource.plural] : []),
    ];
    this.names = new Set(subjects.flatMap((name) => [...wordsOf(name), ...wordsOf(name.replace(/[_-]/g, ' '))]).map(singular));
  }

  claims(): PartClaim[] {
    return this.parts().map(({ part, read }) => {
      const where = this.whereDone(read);
      return { part, done: where.length > 0, where };
    });
  }

  /** The numbers of the parts that are work of their own, not demands on it. */
  works(): number[] {
    return this.parts().flatMap(({ part, read }) => (read.demand ? [] : [part]));
  }

  private parts(): { part: number; read: GoalPart }[] {
    const listed = this.brief.account?.parts ?? [];
    const texts = listed.map(({ text }) => text);
    const read = readParts(texts, this.brief.goal);
    return listed.map(({ part, text }, index) => ({ part, read: read[index] ?? { text, kind: 'unknown' } }));
  }

  /** @returns nothing for what is not done, or not known to be */
  private whereDone(part: GoalPart): string[] {
    if (part.demand) return this.whereMet(part);
    const where = this.outputsOf(part.kind, part.text);
    return where.length > 0 && this.unknownWords(part).length === 0 && this.lacking(part) === undefined ? where : [];
  }

  private whereMet({ demand }: GoalPart): string[] {
    const { inputs } = this.brief;
    const paths = [...this.artifacts];
    if (demand?.kind === 'language') return demand.code === 'en' ? ['answer'] : [];
    if (demand?.kind === 'format') return paths.filter((path) => demand.endings.some((ending) => path.endsWith(`.${ending}`))).slice(0, 3);
    if (demand?.kind === 'length') return this.has('report.md');
    if (demand?.kind === 'without') return this.keepsTo(demand.of) ? ['answer'] : [];
    const base = demand?.name.split('/').at(-1)?.toLowerCase();
    const given = inputs.filter(({ name }) => name.toLowerCase() === base).map(({ name }) => name);
    return [...given, ...paths.filter((path) => path.toLowerCase().split('/').at(-1) === base)];
  }

  /** What must not be there is not, or is nothing that could be done here. */
  private keepsTo(of: string): boolean {
    const text = inEnglish(of).toLowerCase();
    if (NEVER_DONE.test(text)) return true;
    const kinds = kindsForbidden(of);
    if (kinds.length === 0)
      return /^(any )?auth/.test(text) && this.has('src/routes.ts').length > 0 && this.has('src/auth.ts').length === 0;
    return kinds.every(
      (kind) => FORBIDDEN_FILES[kind]?.test([...this.artifacts].join('\n')) === false && this.unknownWords({ text: of, kind }).length === 0,
    );
  }

  private has(...paths: string[]): string[] {
    return paths.filter((path) => this.artifacts.has(path));
  }

  private saidBy(pattern: RegExp): string[] {
    return this.done.filter(({ answer = '' }) => pattern.test(answer)).map(({ taskId }) => taskId);
  }

  private outputsOf(kind: PartKind, text: string): string[] {
    const charts = [...this.artifacts].filter((path) => path.startsWith('charts/'));
    switch (kind) {
      case 'analysis':
        return this.has('report.md', 'data/profile.json');
      case 'report':
        return this.has('report.md');
      case 'chart':
        return charts;
      case 'code':
        return this.saidBy(/Type check \(strict\): no errors/).length > 0
          ? this.has('src/report.ts', 'src/routes.ts', 'src/server.ts')
          : [];
      case 'feature':
        if (LOGIN.test(text) && this.evidence.resource?.auth !== 'login') return [];
        return LOGIN.test(text) || /auth|token/i.test(text) ? this.has('src/auth.ts') : this.has('src/routes.ts');
      case 'tests':
        return this.saidBy(/^\*\*[1-9]\d* passed, 0 failed/).length > 0
          ? [...this.artifacts].filter((path) => path.endsWith('.test.ts'))
          : [];
      case 'docs':
        return this.has('docs/API.md');
      case 'review':
        return this.saidBy(/^\*\*Verdict: (?!not given)/).length > 0 ? this.has('review.md') : [];
      case 'summary':
        // Figures sum up data. Quotations are no summary of a text: that takes understanding.
        return this.brief.inputs.every(({ name }) => isData(name)) ? this.has('report.md') : [];
      case 'unknown':
        return this.saidBy(/^- Size: |has \d+ rows? and/m);
      default:
        return [];
    }
  }

  /** What a part asks for and the outputs of its kind lack. */
  private lacking({ kind, text }: GoalPart): string | undefined {
    const lower = inEnglish(text).toLowerCase();
    const { profile, report, docs } = this.evidence;
    const words = wordsOf(text);
    const columns = (profile?.profiles ?? []).flatMap((each) => each.columns.map(({ name }) => name.toLowerCase()));
    const named = columns.filter((name) => words.includes(name));
    if (kind === 'unknown') {
      const isCounted = COUNTED.test(lower) && !columns.some((name) => words.includes(name) || words.includes(`${name}s`));
      return isCounted ? undefined : 'this is not among what fixed rules can find out';
    }
    if (kind === 'docs')
      return /\b(api|code|functions?|modules?)\b/.test(lower) && !docs.startsWith('# API') ? 'there is no code' : undefined;
    if (kind !== 'analysis' && kind !== 'chart' && kind !== 'report' && kind !== 'summary') return undefined;
    const measures = (profile?.trends ?? []).map(({ measure }) => measure.toLowerCase());
    if (TRENDS.test(lower) && measures.length === 0)
      return 'the data has no column with a time and figures, so there are no trends to find';
    if (TRENDS.test(lower) && named.some((name) => !measures.includes(name))) return `there is no trend of ${listing(named)}`;
    const section = SECTIONS.find(([asked, heading]) => asked.test(lower) && !report.includes(heading));
    if (section) return `the report has no part on it ("${section[1].replace('## ', '')}")`;
    // Of groups the report has how many rows they are, and means.
    const groups = [...lower.matchAll(GROUPS)].map(([, name = '']) => name);
    const other = groups.find((name) => !report.includes(`## By \`${name}\``));
    if (other !== undefined) return `the report has no groups by "${other}"`;
    return groups.length > 0 && NOT_OF_GROUPS.test(lower) ? 'of groups the report has the means only' : undefined;
  }

  /** Why parts are not done whose kind of output is there, or that words make more than that. */
  reasons(): string[] {
    return this.parts().flatMap(({ read: part }) => {
      if (part.demand || this.whereDone(part).length > 0 || this.outputsOf(part.kind, part.text).length === 0) return [];
      const unknown = this.unknownWords(part);
      const why = unknown.length > 0 ? `nothing here answers for ${listing(unknown.map((word) => `"${word}"`))}` : this.lacking(part);
      return why === undefined ? [] : [`"${part.text}": ${why}`];
    });
  }

  /** The words of a part that nothing here answers for. */
  unknownWords({ kind, text }: GoalPart): string[] {
    const known = KNOWN[kind] ?? new Set<string>();
    const files = text.replace(/[\w./-]+\.[a-z]\w{1,6}\b/gi, (name) =>
      this.whereMet({ text: name, kind: 'file', demand: { kind: 'file', name } }).length > 0 ? ' ' : name,
    );
    return wordsOf(files).filter(
      (word) => !PLAIN.has(word) && !PLAIN.has(singular(word)) && !known.has(word) && !this.names.has(singular(word)),
    );
  }
}
