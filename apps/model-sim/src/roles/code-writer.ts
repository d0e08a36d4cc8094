/** The code writer: report code from the data's profile, or a small REST module where the goal speaks of one. */
import type { AgentReply, ToolResult } from '@cadre/contracts';
import { reportCode, type GeneratedFile } from '../codegen/report-code.js';
import { resourceCode, resourceOf } from '../codegen/resource-code.js';
import type { Brief } from '../conversation.js';
import { nothing, type Outcome, type Script, type ToolDesk } from '../script/script.js';
import { openWorkspace, type Dataset, type Workspace } from './dataset.js';
import { blocks, code, count, HONESTY, listing, SET_A_MODEL } from '../text/words.js';

const AUTH_TEXT = {
  none: '',
  token: ' Requests bear a token (`Authorization: Bearer …`); the allowed ones come from `API_TOKENS`.',
  login:
    ' Who registers gives a password, of which a salted hash is kept; `POST /login` gives a token for an hour, which all other requests bear.',
};

interface Work {
  files: GeneratedFile[];
  about: string;
}

export function* codeWriter(brief: Brief, desk: ToolDesk): Script<AgentReply> {
  const workspace = yield* openWorkspace(brief, desk, nothing);
  const work = plan(brief, workspace);
  if (work === undefined) return cannot(brief, workspace);
  const written = yield* desk.all(work.files.map(({ path, text }) => ({ name: 'write_file', args: { path, text } }) as const));
  const unwritten = work.files.filter((_, index) => written[index]?.ok !== true);
  if (unwritten.length > 0) {
    const reason = written.find((outcome) => !outcome.ok);
    const answer = blocks(
      `The code could not be written: ${reason?.ok === false ? reason.error : ''} (${listing(unwritten.map(({ path }) => path))})`,
      HONESTY,
    );
    return { answer, confidence: 0.1, missing: [brief.task.title] };
  }
  const checked = yield* desk.call('check_types', { files: work.files.map(({ path }) => path) });
  return { answer: blocks(work.about, filesText(work.files), checkText(checked), HONESTY), confidence: confidenceOf(checked) };
}

function plan({ goal, task }: Brief, { dataset }: Pick<Workspace, 'dataset'>): Work | undefined {
  if (dataset !== undefined) return { files: reportCode(dataset.shape, dataset.input, dataset.grain), about: aboutReport(dataset) };
  const resource = resourceOf(goal) ?? resourceOf(`${task.title}\n${task.instructions}`);
  if (resource === undefined) return undefined;
  const about = `A REST module for ${code(resource.plural)}: an in-memory store and an HTTP interface on node:http, with validation of what comes in. The fields beyond ${code('name')} are not known, so further fields are kept as they come.${AUTH_TEXT[resource.auth]}`;
  return { files: resourceCode(resource), about };
}

function aboutReport({ shape, input, missing, others }: Dataset): string {
  const { columns, measures, dimensions, time, profile } = shape;
  const parts = [
    'typed rows',
    'a parser',
    ...(measures.length > 0 ? [`figures of ${listing(measures.slice(0, 6).map(code))}`, 'unusual values'] : []),
    ...(time !== undefined && measures.length > 0 ? [`trends over ${code(time.name)}`] : []),
    ...(dimensions.length > 0 ? [`groups by ${listing(dimensions.slice(0, 4).map(code))}`] : []),
    'a Markdown report',
  ];
  return blocks(
    `Report code for ${code(profile.file)} (${count(columns.length, 'column')}): ${listing(parts)}. Run it with \`node src/main.ts ${input}\` (Node 24).`,
    profile.format === 'parquet'
      ? `Plain Node.js cannot read Parquet, so the code reads ${code(input)}. ${missing ? 'That file was too large to be written here; export it first, for example with DuckDB.' : 'The analyst wrote that copy.'}`
      : '',
    others.length > 0 ? `Left out: ${listing(others.map(code))}; the code covers one file.` : '',
  );
}

function filesText(files: readonly GeneratedFile[]): string {
  return files.map(({ path, text }) => `- ${code(path)}, ${count(text.split('\n').length - 1, 'line')}`).join('\n');
}

function checkText(checked: Outcome<ToolResult<'check_types'>>): string {
  if (!checked.ok) return `The types were not checked: ${checked.error}`;
  if (checked.value.ok) return 'Type check (strict): no errors.';
  const lines = checked.value.diagnostics
    .slice(0, 10)
    .map(({ file, line, message }) => `- ${file}:${line} ${message.replace(/\s+/g, ' ').slice(0, 200)}`);
  return `Type check (strict): ${count(checked.value.diagnostics.length, 'error')}, which fixed rules cannot correct.\n\n${lines.join('\n')}`;
}

function confidenceOf(checked: Outcome<ToolResult<'check_types'>>): number {
  if (!checked.ok) return 0.6;
  return checked.value.ok ? 0.9 : 0.4;
}

function cannot({ task }: Brief, { unprofiled }: Pick<Workspace, 'unprofiled'>): AgentReply {
  const why =
    unprofiled.length > 0
      ? `No code was written: there is no profile of ${listing(unprofiled.slice(0, 4).map(code))}. Let a data analyst work on the data first; the code is made from data/profile.json.`
      : 'No code was written. Without a language model code can be made for a data file (a typed parser and a report) or for a REST interface of a named resource, such as "a REST API for users". This goal names neither.';
  return {
    answer: blocks(`${why} A language model can write it. ${SET_A_MODEL}`, HONESTY),
    confidence: 0.1,
    missing: [task.title],
  };
}
