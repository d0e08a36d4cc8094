/** The data analyst: profiles every data input, asks the tools what suits its columns, and writes the report from their answers. */
import type { AgentReply, DataProfile, ToolResult } from '@cadre/contracts';
import { drawCharts, slug } from '../analysis/charts.js';
import { isData, isInput } from '../analysis/files.js';
import { findings } from '../analysis/findings.js';
import { PROFILE_PATH, profileTexts } from '../analysis/profile-json.js';
import { reportMarkdown, type StudiedFile } from '../analysis/report.js';
import { study, type Study } from '../analysis/study.js';
import type { Brief } from '../conversation.js';
import { together, type Script, type ToolDesk } from '../script/script.js';
import { blocks, cellText, code, count, HONESTY, listing, table } from '../text/words.js';
import { textWork } from './text-work.js';

const MOST_FILES = 4;

export function* dataAnalyst(brief: Brief, desk: ToolDesk): Script<AgentReply> {
  const listed = yield* desk.call('list_files', {});
  const paths = dataPaths(brief, listed.ok ? listed.value.files : []);
  if (paths.length === 0) return yield* withoutData(brief, desk);
  const profiled = yield* desk.all(paths.slice(0, MOST_FILES).map((file) => ({ name: 'profile_data', args: { file } }) as const));
  const profiles: DataProfile[] = [];
  const unread = paths.slice(MOST_FILES).map((path) => `${code(path)}: only the first ${MOST_FILES} files are analysed in one task.`);
  for (const [index, outcome] of profiled.entries()) {
    if (outcome.ok && outcome.value.columns.length > 0) profiles.push(outcome.value);
    else unread.push(`${code(paths[index] ?? '')}: ${outcome.ok ? 'it has no columns' : outcome.error}`);
  }
  if (profiles.length === 0) return nothingRead(brief, unread);
  const step = stepOf(brief);
  if (step === 'collect') return { answer: collected(profiles, unread), ...soundness(brief, unread, []) };
  const share = profiles.length > 1 ? 2 / 3 : 1;
  const drawn = (listed.ok ? listed.value.files : []).map(({ path }) => path).filter((path) => path.startsWith('charts/'));
  const files = yield* together(...profiles.map((profile) => studyAndDraw(profile, desk, share, step === 'report' ? drawn : undefined)));
  const unwritten = yield* writeFiles(brief, desk, files, unread, step);
  return { answer: answerText(files, unread, unwritten, step), ...soundness(brief, unread, unwritten) };
}

/** `all`: the analysis and its report in one task. */
type Step = 'collect' | 'analyze' | 'report' | 'all';

/** What of the analysis a task asks for, by its instructions: those of the plans by template come in steps. */
function stepOf({ task, results }: Brief): Step {
  const { instructions } = task;
  if (instructions.startsWith('Read every input file.')) return 'collect';
  const isStudied = results.some((result) => result.artifacts.includes(PROFILE_PATH));
  if (instructions.startsWith('Write report.md') && isStudied) return 'report';
  return instructions.includes(PROFILE_PATH) && !instructions.includes('report.md') ? 'analyze' : 'all';
}

function soundness({ task }: Brief, unread: readonly string[], unwritten: readonly string[]): Omit<AgentReply, 'answer'> {
  const isWhole = unread.length === 0 && unwritten.length === 0;
  return { confidence: isWhole ? 0.9 : 0.7, ...(!isWhole && { missing: [task.title, ...unread, ...unwritten] }) };
}

/** What each table holds, before anything is made of it. */
function collected(profiles: readonly DataProfile[], unread: readonly string[]): string {
  const files = profiles.map(({ file, rows, columns }) => {
    const lines = columns.map(({ name, type, nulls, min, max }) => [name, type, String(nulls), cellText(min), cellText(max)]);
    return `${code(file)} has ${count(rows, 'row')} and ${count(columns.length, 'column')}.\n\n${table(['Column', 'Type', 'Blank', 'Min', 'Max'], lines.slice(0, 60))}`;
  });
  return blocks(...files, unread.length > 0 ? `Not read: ${unread.join(' ')}` : '', HONESTY);
}

function dataPaths(brief: Brief, files: ToolResult<'list_files'>['files']): string[] {
  const given = files.filter((file) => isInput(file.path)).map((file) => file.path);
  const all = given.length > 0 ? given : brief.inputs.map((input) => `inputs/${input.name}`);
  return all.filter(isData);
}

/** Texts are no data: no tool here reads them, so what is told of them is not what was asked for. */
function* withoutData(brief: Brief, desk: ToolDesk): Script<AgentReply> {
  if (brief.inputs.length > 0) {
    const { answer } = yield* textWork(brief, desk);
    const why = 'The data tools read tables (CSV, TSV, JSON, NDJSON, Parquet), and none of the files is one.';
    return { answer: blocks(why, answer), confidence: 0.1, missing: [brief.task.title] };
  }
  const answer = blocks(
    'There is no data to analyse: the run has no input files.',
    'Start the run again with a CSV, TSV, JSON, NDJSON or Parquet file as input.',
    HONESTY,
  );
  return { answer, confidence: 0.1, missing: [brief.task.title] };
}

function nothingRead({ task }: Brief, unread: readonly string[]): AgentReply {
  const answer = blocks(
    'None of the data files could be read:',
    unread.map((line) => `- ${line}`).join('\n'),
    'Correct the file and start the run again.',
    HONESTY,
  );
  return { answer, confidence: 0.1, missing: [task.title] };
}

/** @param drawn charts that are there already */
function* studyAndDraw(profile: DataProfile, desk: ToolDesk, share: number, drawn?: readonly string[]): Script<StudiedFile> {
  const found = yield* study(profile, desk, share);
  if (drawn) return { study: found, charts: drawn.map((path) => ({ path, title: path })) };
  const { charts, failures } = yield* drawCharts(found, desk);
  return { study: { ...found, failures: [...found.failures, ...failures] }, charts };
}

/** @returns what could not be written */
function* writeFiles(brief: Brief, desk: ToolDesk, files: readonly StudiedFile[], unread: readonly string[], step: Step): Script<string[]> {
  const studies = files.map((file) => file.study);
  const copies = studies.flatMap(({ profile, copy }) => {
    const path = `data/${profile.table}.csv`;
    return copy === undefined
      ? []
      : [
          {
            path,
            text: desk.fitting(
              path,
              () => csvText(copy),
              () => '',
            ),
          },
        ].filter(({ text }) => text !== '');
  });
  const texts = [
    {
      path: 'report.md',
      text: desk.fitting('report.md', ...([60, 20, 5] as const).map((rows) => () => reportMarkdown(brief.goal, files, unread, rows))),
    },
    { path: PROFILE_PATH, text: desk.fitting(PROFILE_PATH, ...profileTexts(studies)) },
    ...copies,
  ].filter(({ path }) => (step === 'all' ? true : (path === 'report.md') === (step === 'report')));
  const written = yield* desk.all(texts.map((args) => ({ name: 'write_file', args }) as const));
  return written.flatMap((outcome, index) => (outcome.ok ? [] : [`${texts[index]?.path ?? slug('file')}: ${outcome.error}`]));
}

function csvText({ columns, rows }: NonNullable<Study['copy']>): string {
  const field = (cell: unknown): string => {
    const text = cell === null || cell === undefined ? '' : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => `${row.map(field).join(',')}\n`).join('');
}

function answerText(files: readonly StudiedFile[], unread: readonly string[], unwritten: readonly string[], step: Step): string {
  const charts = files.flatMap((file) => file.charts);
  const each = Math.max(4, Math.floor(16 / files.length));
  const report = '`report.md` (all figures and tables)';
  const data = ['`data/profile.json`', ...charts.map((chart) => code(chart.path))];
  const written = step === 'report' ? [report] : step === 'analyze' ? data : [report, ...data];
  const lines = files.flatMap(({ study: found }) => findings(found).slice(0, each));
  return blocks(
    '### Main findings',
    lines.map((line) => `- ${line}`).join('\n'),
    unread.length > 0 ? `Not analysed: ${unread.join(' ')}` : '',
    unwritten.length > 0 ? `Not written: ${unwritten.join('; ')}` : `Written: ${listing(written)}.`,
    HONESTY,
  );
}
