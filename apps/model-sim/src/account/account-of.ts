/**
 * The account that the answer gives of a goal: each part with the place where it is done. A part is claimed only if the outputs for its kind are there, no
 * task says that it is missing from them, and every word of it is accounted for.
 */
import { readPart } from '@cadre/engine';
import type { GoalPart, PartKind } from '@cadre/engine';
import type { ProfileFile } from '../analysis/profile-json.js';
import type { Brief, Result } from '../conversation.js';
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
  resource: { singular: string; plural: string } | undefined;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}'’_-]*/gu) ?? [];
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
      ...brief.inputs.map(({ name }) => name.replace(/\.\w+$/, '')),
      ...columns,
      ...(resource ? [resource.singular, resource.plural] : []),
    ];
    this.names = new Set(subjects.flatMap((name) => [...wordsOf(name), ...wordsOf(name.replace(/[_-]/g, ' '))]).map(singular));
  }

  claims(): PartClaim[] {
    return (this.brief.account?.parts ?? []).map(({ part, text }) => {
      const where = this.whereDone(readPart(text));
      return { part, done: where.length > 0, where };
    });
  }

  /** @returns nothing for what is not done, or not known to be */
  private whereDone(part: GoalPart): string[] {
    if (part.demand) return this.whereMet(part);
    const where = this.outputsOf(part.kind, part.text);
    return where.length > 0 && this.unknownWords(part).length === 0 && this.holds(part) ? where : [];
  }

  private whereMet({ demand }: GoalPart): string[] {
    const { inputs } = this.brief;
    const paths = [...this.artifacts];
    if (demand?.kind === 'language') return demand.code === 'en' ? ['answer'] : [];
    if (demand?.kind === 'format') return paths.filter((path) => demand.endings.some((ending) => path.endsWith(`.${ending}`))).slice(0, 3);
    if (demand?.kind === 'length') return this.has('report.md');
    const base = demand?.name.split('/').at(-1)?.toLowerCase();
    const given = inputs.filter(({ name }) => name.toLowerCase() === base).map(({ name }) => name);
    return [...given, ...paths.filter((path) => path.toLowerCase().split('/').at(-1) === base)];
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
        return /auth|token/i.test(text) ? this.has('src/auth.ts') : this.has('src/routes.ts');
      case 'tests':
        return this.saidBy(/^\*\*[1-9]\d* passed, 0 failed/).length > 0
          ? [...this.artifacts].filter((path) => path.endsWith('.test.ts'))
          : [];
      case 'docs':
        return this.has('docs/API.md');
      case 'review':
        return this.saidBy(/^\*\*Verdict: (?!not given)/).length > 0 ? this.has('review.md') : [];
      case 'summary':
        return this.saidBy(/Sentences with most of them:/);
      case 'unknown':
        return this.saidBy(/^- Size: |has \d+ rows? and/m);
      default:
        return [];
    }
  }

  /** What a part asks for and the outputs of its kind may lack. */
  private holds({ kind, text }: GoalPart): boolean {
    const lower = text.toLowerCase();
    const { profile, report, docs } = this.evidence;
    const needs = (asked: RegExp, there: boolean): boolean => !asked.test(lower) || there;
    const ofData = kind === 'analysis' || kind === 'chart' || kind === 'report';
    const trends = profile?.trends ?? [];
    const measures = trends.map(({ measure }) => measure.toLowerCase());
    const columns = (profile?.profiles ?? []).flatMap((each) => each.columns.map(({ name }) => name.toLowerCase()));
    const named = columns.filter((name) => wordsOf(text).includes(name));
    if (kind === 'unknown') return /^how many\b/i.test(text) || /^(please )?count\b/i.test(text);
    if (kind === 'docs') return needs(/\b(api|code|functions?|modules?)\b/, docs.startsWith('# API'));
    if (!ofData) return true;
    return (
      needs(/\btrends?\b|\bdevelopment\b|\bover time\b/, trends.length > 0 && !named.some((name) => !measures.includes(name))) &&
      needs(/anomal|outlier|unusual|extreme/, report.includes('## Unusual values')) &&
      needs(/correlation|relation/, report.includes('## Relations between measures')) &&
      needs(/\bduplicates?\b/, report.includes('Rows that repeat another row exactly')) &&
      [...lower.matchAll(/\b(?:by|per|for each)\s+([\p{L}\p{N}_-]+)/gu)].every(([, name = '']) => report.includes(`## By \`${name}\``))
    );
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
