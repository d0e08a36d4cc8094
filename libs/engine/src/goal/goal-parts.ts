/**
 * Cuts a goal into its parts: what is to be made or done, and what is demanded of it. Where a goal's words are unknown it stays whole. What
 * is cut too little is named too much when it is missing; nothing that is asked for gets lost by it.
 */
import { filesNamed, forbids, takeDemands } from './goal-demands.js';
import type { Demand } from './goal-demands.js';
import { TAKES_WITH, beginsWithVerb, kindOfClause, kindOfNoun, leadingWord, wordsOf } from './goal-words.js';
import type { WorkKind } from './goal-words.js';

/** `feature`: something that another part is to have. `unknown`: the words do not tell. */
export type PartKind = WorkKind | 'feature' | 'unknown' | Demand['kind'];

export interface GoalPart {
  /** In the goal's own words. */
  text: string;
  kind: PartKind;
  /** What kind of demand it is, if it is one. */
  demand?: Demand;
}

const MAX_PARTS = 40;
const READ_CHARACTERS = 4000;
const TEXT_CHARACTERS = 240;

const ITEM = /^\s*(?:[-*•–·]|\(?\d{1,3}[.)、])\s*(?=\S)(.*)$/u;
const SENTENCE_END = /(?<=[.!?…])["”)]?\s+(?=[\p{Lu}\p{Lo}\p{N}"“(])|(?<=[。！？；])|;\s+/u;
const JOINT =
  /\s*(?:[,，](?:\s*(?:and|but|then|und|et|y|e|и|och|oraz|并|并且|然后)(?=[\s\p{Script=Han}]))?(?:\s+(?:then|also|finally))?|\s(?:and then|and also|as well as|and|then|plus|&|und|et|puis|y|och|и|oraz)\s|(?<=[\p{Script=Han}](?<!合))(?:并且|并|然后)(?=编写|撰写|写|创建|生成|制作|绘制|画|计算|发送|总结|翻译|分析|部署|发布|测试|找出|列出|比较|预测|记录|解释|用))\s*/giu;
const QUOTED = /"[^"\n]{2,}"|“[^”\n]{2,}”|«[^»\n]{2,}»|「[^」\n]{2,}」|`[^`\n]{2,}`/g;
const WITH = /\s(?:with|including|mit|avec|con|med)\s+(.+)$/iu;
export const LEADING_WITH = /^(?:with|including|mit|avec|con|med)\s+/iu;
const TRAILING_WITH = /[\s,]*(?:\b(?:with|including|that has|which has|as follows|mit|avec|con)\s*)?[:：]\s*$/iu;
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;

/** Each line of a list, and each sentence of the rest. */
function statementsOf(goal: string): { text: string; item: boolean }[] {
  const statements: { text: string; item: boolean }[] = [];
  let prose: string[] = [];
  const endProse = (): void => {
    for (const text of prose.join(' ').split(SENTENCE_END)) statements.push({ text, item: false });
    prose = [];
  };
  for (const line of goal.split(/\r?\n/)) {
    const [, item] = ITEM.exec(line) ?? [];
    if (item === undefined && line.trim() !== '') prose.push(line.trim());
    else endProse();
    if (item !== undefined) statements.push({ text: item, item: true });
  }
  endProse();
  return statements.flatMap(({ text, item }) => (text.trim() === '' ? [] : [{ text: text.replace(TRAILING_WITH, '').trim(), item }]));
}

/** Whether what follows a comma or an "and" asks for something of its own. */
function standsAlone(fragment: string): boolean {
  if (/^(?:run|execute) (?:them|it|all)\b/i.test(fragment)) return false;
  const bare = fragment.replace(LEADING_WITH, '');
  return CJK.test(fragment) || beginsWithVerb(fragment) || (kindOfNoun(bare) !== undefined && wordsOf(bare).length <= 5);
}

function clausesOf(statement: string): string[] {
  const clauses: string[] = [];
  let from = 0;
  let joint = '';
  const take = (until: number): void => {
    const fragment = statement.slice(from, until);
    // A verb alone shares what the next one speaks of: "clean and validate the data".
    const forbidden = forbids(clauses.at(-1) ?? '') && !beginsWithVerb(fragment) && !forbids(fragment);
    const alone =
      clauses.length === 0 || (!forbidden && standsAlone(fragment) && (wordsOf(clauses.at(-1) ?? '').length > 1 || CJK.test(fragment)));
    if (alone) clauses.push(fragment);
    else clauses[clauses.length - 1] += joint + fragment;
  };
  for (const match of statement.matchAll(JOINT)) {
    take(match.index);
    [from, joint] = [match.index + match[0].length, match[0]];
  }
  take(statement.length);
  return clauses;
}

/** "an API with login and tests": what stands after "with" is asked for, too. */
function featuresOf(clause: string, kind: WorkKind | undefined): { main: string; joint: string; features: string[] } {
  const match = kind === undefined || kind === 'text' || TAKES_WITH.test(leadingWord(clause)) ? null : WITH.exec(clause);
  if (!match || wordsOf(match[1] ?? '').length > 14) return { main: clause, joint: '', features: [] };
  const [joint = ''] = match[0].trim().split(/\s/);
  return { main: clause.slice(0, match.index), joint, features: (match[1] ?? '').split(JOINT).filter((text) => text.trim() !== '') };
}

function tidy(text: string): string {
  const trimmed = text.replace(/\s+/g, ' ').replace(/^[\s,;:.–—]+|[\s,;:.。，–—]+$/gu, '');
  return trimmed.length > TEXT_CHARACTERS ? `${trimmed.slice(0, TEXT_CHARACTERS - 1).toWellFormed()}…` : trimmed;
}

function partsOfClause(clause: string, item: boolean): GoalPart[] {
  const named = leadingWord(clause);
  const translates = kindOfClause(clause) === 'translation';
  const { rest, demands } = translates ? { rest: clause, demands: [] } : takeDemands(clause);
  const kind = kindOfClause(rest);
  const { main, joint, features } = featuresOf(rest, kind);
  const parts: GoalPart[] = [];
  const adds = LEADING_WITH.test(main) || (item && kind === undefined && !beginsWithVerb(main) && wordsOf(main).length <= 4);
  if (/[\p{L}\p{N}]/u.test(main) || demands.length === 0) {
    const text = tidy(LEADING_WITH.test(main) && kind !== undefined ? main.replace(LEADING_WITH, '') : main);
    if (text !== '' && (demands.length === 0 || named !== '')) parts.push({ text, kind: kind ?? (adds ? 'feature' : 'unknown') });
  }
  for (const feature of features) {
    const noun = kindOfNoun(feature);
    parts.push({ text: noun === undefined ? `${joint} ${tidy(feature)}` : tidy(feature), kind: noun ?? 'feature' });
  }
  for (const { text, demand } of demands) parts.push({ text: tidy(text), kind: demand.kind, demand });
  return parts;
}

/** A long goal is read to the end of a line or a sentence. */
function readUntil(goal: string): number {
  if (goal.length <= READ_CHARACTERS) return goal.length;
  const end = Math.max(goal.lastIndexOf('\n', READ_CHARACTERS), goal.lastIndexOf('. ', READ_CHARACTERS) + 1);
  return end > READ_CHARACTERS / 2 ? end : READ_CHARACTERS;
}

/** The parts of a goal, in its order; never none. */
export function goalParts(goal: string): GoalPart[] {
  const kept: string[] = [];
  const until = readUntil(goal);
  const masked = goal.slice(0, until).replace(QUOTED, (quoted) => `\u{E000}${kept.push(quoted) - 1}\u{E001}`);
  const restored = (text: string): string => text.replace(/\u{E000}(\d+)\u{E001}/gu, (_, index: string) => kept[Number(index)] ?? '');
  const parts = [
    ...statementsOf(masked).flatMap(({ text, item }) => clausesOf(text).flatMap((clause) => partsOfClause(clause, item))),
    ...filesNamed(goal).map(({ text, demand }): GoalPart => ({ text, kind: demand.kind, demand })),
  ].map((part) => ({ ...part, text: restored(part.text) }));
  const known = [...new Map(parts.map((part) => [part.text.toLowerCase(), part])).values()];
  if (known.length === 0) known.push({ text: tidy(goal) || goal.trim().slice(0, TEXT_CHARACTERS) || 'the goal', kind: 'unknown' });
  const rest = known.slice(MAX_PARTS - 1).map(({ text }) => text);
  const unread = goal.slice(until).trim();
  if (rest.length <= 1 && unread === '') return known;
  const more = [...rest, unread].filter((text) => text !== '').join('; ');
  return [...known.slice(0, MAX_PARTS - 1), { text: tidy(`the rest of the goal: ${more}`), kind: 'unknown' }];
}

/**
 * Parts as they stand in an account, read again. What a part is may follow from where it stands in the goal: "Authentication" in a list is
 * a feature.
 */
export function readParts(texts: readonly string[], goal: string): GoalPart[] {
  const known = new Map(goalParts(goal).map((part) => [part.text, part]));
  return texts.map((text) => known.get(text) ?? goalParts(text)[0] ?? { text, kind: 'unknown' });
}
