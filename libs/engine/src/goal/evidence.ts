/** What shows that a part of a goal is done, in the outputs themselves. */
import type { Demand } from './goal-demands.js';
import { languageNamed } from './goal-demands.js';
import { LEADING_WITH } from './goal-parts.js';
import type { GoalPart } from './goal-parts.js';
import { kindsForbidden, wordsOf } from './goal-words.js';
import type { WorkKind } from './goal-words.js';
import { languageOf } from './language-of.js';

/** Something that came of the run, and what it says. */
export interface Output {
  /** An artifact's path, a task's id, or `answer`. */
  place: string;
  /** A task's title. */
  title?: string;
  /** Left out: it is no text, or was not read. */
  text?: string;
}

const CODE_FILE =
  /\.(tsx?|jsx?|mjs|cjs|py|go|rs|java|kt|swift|rb|php|c|cc|cpp|h|hpp|cs|sh|sql|html?|css|vue|scala|r|lua|pl|ex|dart|ipynb)$/i;
const TEST_FILE = /(^|\/)(tests?|specs?|__tests__)\/|[._-](test|spec)s?\.|(^|\/)test_\w+\.py$|_test\.go$/i;
const CHART_FILE = /\.(svg|png|jpe?g|pdf|vl\.json|html)$|(^|\/)charts?\//i;
const FENCE = /```[^\n`]*\n([\s\S]*?)```/g;
const TEST_TEXT = /\b(assert|expect|describe|it|test)\s*[(.{]|\bdef test_|@Test\b|#\[test\]/;

/** What a part that code is to have looks like in code, beside its own name. */
const SIGNS: readonly [RegExp, RegExp][] = [
  [/auth|log[- ]?in|sign[- ]?in|password/i, /authori[sz]|authenti|bearer|token|password|session|jwt/i],
  [/pagina|paging/i, /\b(page|limit|offset|cursor)\b/i],
  [/rate[- ]?limit|throttl/i, /rate.?limit|throttl|too many requests|\b429\b/i],
  [/validat/i, /valid|\bcheck|schema/i],
  [/cach/i, /cach|memo/i],
  [/log(s|ging)\b/i, /\blog(ger|ging)?\b|console\./i],
  [/encrypt/i, /encrypt|cipher|crypt/i],
];

const isText = (output: Output): output is Output & { text: string } => output.text !== undefined;
const isArtifact = ({ place, title }: Output): boolean => title === undefined && place !== 'answer';

function fencesOf(text: string): string[] {
  return [...text.matchAll(FENCE)].map(([, body = '']) => body);
}

function codeIn(output: Output): string[] {
  if (isArtifact(output) && CODE_FILE.test(output.place)) return [output.text ?? ''];
  return isText(output) ? fencesOf(output.text) : [];
}

/** A word by its beginning, so that "trends" meets "trend"; of scripts without spaces by pairs of signs. */
function stemsOf(text: string): string[] {
  return wordsOf(text).flatMap((word) => {
    if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(word))
      return [...word].slice(0, -1).map((sign, index) => sign + ([...word][index + 1] ?? ''));
    return word.length < 4 && !/\d/.test(word) ? [] : [word.slice(0, 5)];
  });
}

/** What an output says beside repeating the goal: headings and lines made of the goal's words do not count. */
function ownLines(text: string, goal: string): string {
  const known = new Set(stemsOf(goal));
  const own = text.split('\n').filter((line) => {
    const stems = stemsOf(line);
    return stems.length === 0 || stems.filter((stem) => known.has(stem)).length < 0.8 * stems.length;
  });
  return own.join('\n');
}

/** Whether an output holds more than the goal's own words. What is no text is taken as it is. */
export function saysMore(output: Output, goal: string): boolean {
  if (!isText(output)) return true;
  const known = new Set(wordsOf(goal));
  return wordsOf(output.text).some((word) => !known.has(word));
}

/** Whether an output speaks of a part, beyond repeating the goal. */
export function speaksOf(output: Output, part: GoalPart, goal: string): boolean {
  if (!isText(output)) return false;
  const asked = [...new Set(stemsOf(part.text))];
  const said = new Set(stemsOf(ownLines(output.text, goal)));
  return said.size > 0 && asked.filter((stem) => said.has(stem)).length >= asked.length / 2;
}

function hasFormat(endings: readonly string[], outputs: readonly Output[]): boolean {
  const fence = new RegExp(`\`\`\`(${endings.map((ending) => ending.replace(/\W/g, '\\$&')).join('|')})\\b`, 'i');
  return outputs.some(({ place, text, title }) => {
    if (title === undefined && endings.some((ending) => place.toLowerCase().endsWith(`.${ending}`))) return true;
    return endings.includes('md') || (text !== undefined && fence.test(text));
  });
}

const COUNTS: Record<string, (text: string) => number> = {
  words: (text) => text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length,
  sentences: (text) => text.split(/[.!?。！？]+(?:\s|$)/u).filter((sentence) => /\p{L}/u.test(sentence)).length,
  bullets: (text) => text.split('\n').filter((line) => /^\s*([-*•]|\d+[.)])\s/.test(line)).length,
  characters: (text) => [...text].length,
  lines: (text) => text.split('\n').filter((line) => line.trim() !== '').length,
  paragraphs: (text) => text.split(/\n\s*\n/).filter((block) => block.trim() !== '').length,
};

/** Of what is handed over as the text itself: the answer, or a file. */
function isWithin({ most, unit }: Demand & { kind: 'length' }, outputs: readonly Output[]): boolean {
  return outputs.some((output) => {
    if (!isText(output) || !(isArtifact(output) || output.place === 'answer')) return false;
    const count = COUNTS[unit]?.(output.text) ?? Infinity;
    return count > 0 && count <= most;
  });
}

function isGiven(name: string, outputs: readonly Output[], inputs: readonly string[]): boolean {
  const base = (path: string): string => (path.split('/').at(-1) ?? path).toLowerCase();
  return [...inputs, ...outputs.filter(isArtifact).map(({ place }) => place)].some((path) => base(path) === base(name));
}

/** Kinds of things that show by a file. */
const SHOWN: Partial<Record<WorkKind, (output: Output) => boolean>> = {
  tests: ({ place }) => TEST_FILE.test(place),
  code: ({ place }) => CODE_FILE.test(place),
  chart: ({ place }) => CHART_FILE.test(place),
  docs: ({ place }) => /(^|\/)docs?\/|readme|\bapi\.md$/i.test(place),
  report: ({ place }) => /report/i.test(place),
  review: ({ place }) => /review/i.test(place),
};

/** @returns undefined where it cannot be looked for */
function lacks(of: string, outputs: readonly Output[]): boolean | undefined {
  const kinds = kindsForbidden(of);
  if (kinds.length > 0) {
    const shown = kinds.map((kind) => SHOWN[kind]);
    return shown.includes(undefined) ? undefined : !outputs.filter(isArtifact).some((output) => shown.some((shows) => shows?.(output)));
  }
  const signs = SIGNS.filter(([name]) => name.test(of)).map(([, sign]) => sign);
  const code = outputs.flatMap(codeIn).join('\n');
  return signs.length === 0 || code === '' ? undefined : !signs.some((sign) => sign.test(code));
}

function meets(demand: Exclude<Demand, { kind: 'without' }>, outputs: readonly Output[], inputs: readonly string[]): boolean {
  if (demand.kind === 'file') return isGiven(demand.name, outputs, inputs);
  if (demand.kind === 'format') return hasFormat(demand.endings, outputs);
  if (demand.kind === 'length') return isWithin(demand, outputs);
  return outputs.some((output) => isText(output) && !codeOnly(output) && languageOf(output.text) === demand.code);
}

const codeOnly = (output: Output): boolean => isArtifact(output) && CODE_FILE.test(output.place);

function hasFeature(text: string, outputs: readonly Output[]): boolean {
  const code = outputs.flatMap(codeIn).join('\n');
  const signs = SIGNS.filter(([name]) => name.test(text)).map(([, sign]) => sign);
  if (signs.length > 0) return signs.every((sign) => sign.test(code));
  const said = new Set(stemsOf(code || outputs.map((output) => output.text ?? '').join('\n')));
  const asked = stemsOf(text.replace(LEADING_WITH, ''));
  return asked.length > 0 && asked.filter((stem) => said.has(stem)).length >= asked.length / 2;
}

/** @returns undefined where a part of this kind shows in no way that could be looked for */
export function evidenceFor({ kind, text, demand }: GoalPart, outputs: readonly Output[], inputs: readonly string[]): boolean | undefined {
  if (demand?.kind === 'without') return lacks(demand.of, outputs);
  if (demand) return meets(demand, outputs, inputs);
  if (kind === 'code') return outputs.some((output) => codeIn(output).length > 0);
  if (kind === 'feature') return hasFeature(text, outputs);
  if (kind === 'chart') return outputs.some((o) => (isArtifact(o) && CHART_FILE.test(o.place)) || /```mermaid|<svg/.test(o.text ?? ''));
  if (kind === 'tests')
    return outputs.some((o) => (isArtifact(o) && TEST_FILE.test(o.place)) || codeIn(o).some((code) => TEST_TEXT.test(code)));
  const language = kind === 'translation' ? languageNamed(text) : undefined;
  return language === undefined ? undefined : meets({ kind: 'language', code: language }, outputs, inputs);
}
