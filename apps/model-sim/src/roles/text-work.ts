/** Does with texts what can be done by counting and quoting, and says plainly what it cannot do. */
import type { AgentReply, ToolResult } from '@cadre/contracts';
import { goalParts, inEnglish } from '@cadre/engine';
import type { GoalPart } from '@cadre/engine';
import { isInput, isText } from '../analysis/files.js';
import type { Brief } from '../conversation.js';
import type { Script, ToolDesk } from '../script/script.js';
import { textFacts, type TextFacts } from '../text/text-facts.js';
import { blocks, code, count, HONESTY, SET_A_MODEL } from '../text/words.js';
import { apiStep, writeStep } from './api-steps.js';

const MOST_FILES = 6;
const READ_BYTES = 40_000;
/** The confidence of a result that says what could not be done. */
const NOT_DONE = 0.1;

export function* textWork(brief: Brief, desk: ToolDesk): Script<AgentReply> {
  const api = apiStep(brief);
  if (api !== undefined) return yield* writeStep(api, desk, brief.task.title);
  if (!isOfTexts(brief)) return cannot(brief);
  const listed = yield* desk.call('list_files', {});
  const paths = readable(brief, listed.ok ? listed.value.files : []);
  const read = yield* desk.all(paths.map((path) => ({ name: 'read_file', args: { path, maxBytes: READ_BYTES } }) as const));
  const texts = read.flatMap((outcome) => (outcome.ok && outcome.value.text.trim() !== '' ? [outcome.value] : []));
  const unread = read.flatMap((outcome, index) => (outcome.ok ? [] : [`${code(paths[index] ?? '')}: ${outcome.error}`]));
  if (texts.length === 0) return cannot(brief, unread);
  const isWhole = isForCounting(brief);
  const answer = blocks(
    isWhole ? '' : `${needsModel(brief)} Here is what can be counted, and sentences quoted as they stand, chosen by word frequency.`,
    ...texts.map((text) => textSection(text.path, textFacts(text.text), text.truncated)),
    unread.length > 0 ? `Not read: ${unread.join('; ')}` : '',
    HONESTY,
  );
  return isWhole ? { answer, confidence: 0.9 } : { answer, confidence: NOT_DONE, missing: [askedOf(brief)] };
}

/** A task by its title, unless it stands for the whole goal. */
function askedOf({ goal, task }: Brief): string {
  return task.id === 'work' || task.title === '' ? goal.replace(/\s+/g, ' ').trim().slice(0, 250) : task.title;
}

/** Of data that nobody gave a language model would know no more. */
function needsModel(brief: Brief): string {
  if (brief.inputs.length === 0 && brief.task.instructions.includes('No data file came with the goal'))
    return `"${askedOf(brief).slice(0, 110)}" needs a data file, and none came with the goal. Give one with --input: CSV, TSV, JSON, NDJSON or Parquet.`;
  return `"${askedOf(brief).slice(0, 110)}" needs a language model: it is not done.`;
}

function partsAsked(brief: Brief): GoalPart[] {
  return goalParts(askedOf(brief)).filter(({ demand }) => demand === undefined);
}

/** Whether counting and quoting say anything about what is asked for: not so of a translation, a program or a trip. */
function isOfTexts(brief: Brief): boolean {
  return partsAsked(brief).some(({ kind }) => kind === 'summary' || kind === 'analysis' || kind === 'report' || kind === 'unknown');
}

/** Whether all that is asked for is what counting gives. */
function isForCounting(brief: Brief): boolean {
  return partsAsked(brief).every(({ text }) => /^(?:please )?(?:count|how many)\b/i.test(inEnglish(text)));
}

function readable({ inputs }: Brief, files: ToolResult<'list_files'>['files']): string[] {
  const types = new Map(inputs.map((input) => [`inputs/${input.name}`, input.mediaType]));
  const given = files.length > 0 ? files.map(({ path }) => path).filter(isInput) : [...types.keys()];
  return given.filter((path) => isText(path, types.get(path))).slice(0, MOST_FILES);
}

function textSection(path: string, facts: TextFacts, truncated: boolean): string {
  const { lines, words, characters, headings, keywords, extract } = facts;
  const frequent = keywords.filter((word) => word.count > 1);
  const size = `${count(lines, 'line')}, ${count(words, 'word')}, ${count(characters, 'character')}${truncated ? ` (of its first ${READ_BYTES} bytes)` : ''}`;
  return blocks(
    `## ${code(path)}`,
    `- Size: ${size}`,
    headings.length > 0 ? `- Headings: ${headings.slice(0, 15).join(' · ')}` : '',
    frequent.length > 0 ? `- Frequent words: ${frequent.map(({ word, count: n }) => `${word} (${n})`).join(', ')}` : '',
    extract.length > 0 ? `Sentences:\n\n${extract.map((sentence) => `> ${sentence}`).join('\n>\n')}` : '',
  )
    .replace(/\n\n- /g, '\n- ')
    .replace(/^(## [^\n]+)\n- /, '$1\n\n- ');
}

/** Where counting and quoting do not help there is only what earlier tasks found. */
function cannot(brief: Brief, unread: readonly string[] = []): AgentReply {
  const missing = [askedOf(brief)];
  // A part of a planned goal stands beside the others in the answer; only who puts results together repeats them.
  const repeats = isOfTexts(brief) && !/^(part-\d+|work)$/.test(brief.task.id);
  const earlier = brief.results.filter(
    (result) => repeats && result.status === 'completed' && result.missing.length === 0 && (result.answer ?? '').trim() !== '',
  );
  const found = earlier.map(
    (result) => `## ${result.title || result.taskId}\n\n${(result.answer ?? '').replace(HONESTY, '').trim().slice(0, 1500)}`,
  );
  const answer = blocks(
    needsModel(brief).endsWith('it is not done.') ? `${needsModel(brief)} ${SET_A_MODEL}` : needsModel(brief),
    unread.length > 0 ? `Not read: ${unread.join('; ')}` : '',
    found.length > 0 ? blocks('What the earlier tasks reported:', ...found) : '',
    HONESTY,
  );
  return { answer, confidence: NOT_DONE, missing };
}
