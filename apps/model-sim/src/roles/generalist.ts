/** The generalist: does with texts what can be done by counting and quoting, and says plainly what it cannot do. */
import type { AgentReply, ToolResult } from '@cadre/contracts';
import { goalParts } from '@cadre/engine';
import { abilitiesText } from '../account/abilities.js';
import { isData, isInput, isText } from '../analysis/files.js';
import type { Brief } from '../conversation.js';
import type { Script, ToolDesk } from '../script/script.js';
import { textFacts, type TextFacts } from '../text/text-facts.js';
import { blocks, code, count, HONESTY, listing } from '../text/words.js';
import { apiStep, writeStep } from './api-steps.js';
import { dataAnalyst } from './data-analyst.js';

const MOST_FILES = 6;
const READ_BYTES = 40_000;

export function* generalist(brief: Brief, desk: ToolDesk): Script<AgentReply> {
  if (desk.has('profile_data') && brief.inputs.some((input) => isData(input.name))) return yield* dataAnalyst(brief, desk);
  const api = apiStep(brief);
  if (api !== undefined) return yield* writeStep(api, desk, brief.task.title);
  const listed = yield* desk.call('list_files', {});
  const paths = readable(brief, listed.ok ? listed.value.files : []);
  const read = yield* desk.all(paths.map((path) => ({ name: 'read_file', args: { path, maxBytes: READ_BYTES } }) as const));
  const texts = read.flatMap((outcome) => (outcome.ok && outcome.value.text.trim() !== '' ? [outcome.value] : []));
  const unread = read.flatMap((outcome, index) => (outcome.ok ? [] : [`${code(paths[index] ?? '')}: ${outcome.error}`]));
  if (texts.length === 0) return withoutTexts(brief, unread);
  const sections = texts.map((text) => textSection(text.path, textFacts(text.text), text.truncated));
  const answer = blocks(
    `What the ${texts.length === 1 ? 'file holds' : 'files hold'}, by counting and quoting. The task itself ("${brief.task.title || brief.goal.slice(0, 100)}") asks for more than that where it needs understanding.`,
    ...sections,
    unread.length > 0 ? `Not read: ${unread.join('; ')}` : '',
    `${HONESTY} The sentences above are quotations, chosen by word frequency.`,
  );
  return { answer, confidence: 0.4, ...(!isForCounting(brief) && { missing: [askedOf(brief)] }) };
}

/** A task by its title, unless it stands for the whole goal. */
function askedOf({ goal, task }: Brief): string {
  return task.id === 'work' || task.title === '' ? goal.slice(0, 250) : task.title;
}

/** Whether all that is asked for is what counting and quoting give. */
function isForCounting(brief: Brief): boolean {
  return goalParts(askedOf(brief))
    .filter(({ demand }) => demand === undefined)
    .every(({ kind, text }) => kind === 'summary' || /^(?:please )?(?:count|how many)\b/i.test(text));
}

function readable({ inputs }: Brief, files: ToolResult<'list_files'>['files']): string[] {
  const types = new Map(inputs.map((input) => [`inputs/${input.name}`, input.mediaType]));
  const given = files.filter(
    ({ path, origin }) =>
      (isInput(path) && (isText(path, types.get(path)) || isData(path))) || (origin === 'artifact' && /\.md$/.test(path)),
  );
  const paths =
    files.length > 0
      ? given.map((file) => file.path)
      : [...types].filter(([path, type]) => isText(path, type) || isData(path)).map(([path]) => path);
  return paths.slice(0, MOST_FILES);
}

function textSection(path: string, facts: TextFacts, truncated: boolean): string {
  const { lines, words, characters, headings, keywords, extract } = facts;
  const size = `${count(lines, 'line')}, ${count(words, 'word')}, ${count(characters, 'character')}${truncated ? ` (of its first ${READ_BYTES} bytes)` : ''}`;
  return blocks(
    `## ${code(path)}`,
    `- Size: ${size}`,
    headings.length > 0 ? `- Headings: ${headings.slice(0, 15).join(' · ')}` : '',
    keywords.length > 0 ? `- Frequent words: ${keywords.map(({ word, count: n }) => `${word} (${n})`).join(', ')}` : '',
    extract.length > 0 ? `Sentences with most of them:\n\n${extract.map((sentence) => `> ${sentence}`).join('\n>\n')}` : '',
  )
    .replace(/\n\n- /g, '\n- ')
    .replace(/^(## [^\n]+)\n- /, '$1\n\n- ');
}

/** Without a text to work on there is only what earlier tasks said. */
function withoutTexts(brief: Brief, unread: readonly string[]): AgentReply {
  const { goal, results, inputs } = brief;
  const missing = [askedOf(brief)];
  const earlier = results.filter((result) => result.status === 'completed' && (result.answer ?? '').trim() !== '');
  if (earlier.length > 0) {
    const lines = earlier.map(
      (result) => `## ${result.title || result.taskId}\n\n${(result.answer ?? '').replace(HONESTY, '').trim().slice(0, 1500)}`,
    );
    return {
      answer: blocks('What the earlier tasks reported, put together without judgement:', ...lines, HONESTY),
      confidence: 0.3,
      missing,
    };
  }
  const why =
    inputs.length > 0
      ? `None of the files (${listing(inputs.slice(0, 6).map((input) => code(input.name)))}) could be used here.`
      : 'There are no files to work on.';
  const answer = blocks(
    `This goal could not be worked on: "${goal.replace(/\s+/g, ' ').slice(0, 300)}"`,
    unread.length > 0 ? `${why} ${unread.join('; ')}` : why,
    `Answering freely, writing texts and judging need a language model: set OPENAI_BASE_URL and OPENAI_API_KEY. ${abilitiesText()}`,
    HONESTY,
  );
  return { answer, confidence: 0.1, missing };
}
