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
import { generalist } from './generalist.js';
import { blocks, code, HONESTY, listing } from '../text/words.js';

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
  if (profiles.length === 0) return nothingRead(unread);
  const share = profiles.length > 1 ? 2 / 3 : 1;
  const files = yield* together(...profiles.map((profile) => studyAndDraw(profile, desk, share)));
  const unwritten = yield* writeFiles(brief, desk, files, unread);
  return { answer: answerText(files, unread, unwritten), confidence: unread.length > 0 || unwritten.length > 0 ? 0.7 : 0.9 };
}

function dataPaths(brief: Brief, files: ToolResult<'list_files'>['files']): string[] {
  const given = files.filter((file) => isInput(file.path)).map((file) => file.path);
  const all = given.length > 0 ? given : brief.inputs.map((input) => `inputs/${input.name}`);
  return all.filter(isData);
}

/** Text inputs can still be counted and quoted; without any input there is nothing to analyse. */
function* withoutData(brief: Brief, desk: ToolDesk): Script<AgentReply> {
  if (brief.inputs.length > 0) return yield* generalist(brief, desk);
  const answer = blocks(
    'There is no data to analyse: the run has no input files.',
    'Start the run again with a CSV, TSV, JSON, NDJSON or Parquet file as input.',
    HONESTY,
  );
  return { answer, confidence: 0.1 };
}

function nothingRead(unread: readonly string[]): AgentReply {
  const answer = blocks(
    'None of the data files could be read:',
    unread.map((line) => `- ${line}`).join('\n'),
    'Correct the file and start the run again.',
    HONESTY,
  );
  return { answer, confidence: 0.1 };
}

function* studyAndDraw(profile: DataProfile, desk: ToolDesk, share: number): Script<StudiedFile> {
  const found = yield* study(profile, desk, share);
  const { charts, failures } = yield* drawCharts(found, desk);
  return { study: { ...found, failures: [...found.failures, ...failures] }, charts };
}

/** @returns what could not be written */
function* writeFiles(brief: Brief, desk: ToolDesk, files: readonly StudiedFile[], unread: readonly string[]): Script<string[]> {
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
  ];
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

function answerText(files: readonly StudiedFile[], unread: readonly string[], unwritten: readonly string[]): string {
  const charts = files.flatMap((file) => file.charts);
  const each = Math.max(4, Math.floor(16 / files.length));
  const written = ['`report.md` (all figures and tables)', '`data/profile.json`', ...charts.map((chart) => code(chart.path))];
  const lines = files.flatMap(({ study: found }) => findings(found).slice(0, each));
  return blocks(
    '### Main findings',
    lines.map((line) => `- ${line}`).join('\n'),
    unread.length > 0 ? `Not analysed: ${unread.join(' ')}` : '',
    unwritten.length > 0 ? `Not written: ${unwritten.join('; ')}` : `Written: ${listing(written)}.`,
    HONESTY,
  );
}
