/** What the agents after the analyst know of the data: its profile, and how the file itself is written. */
import type { Anomalies, DataProfile, ToolResult } from '@cadre/contracts';
import { isData, isInput } from '../analysis/files.js';
import { parseProfile, PROFILE_PATH, type ProfileFile } from '../analysis/profile-json.js';
import { rowShape, type RowShape } from '../codegen/columns.js';
import type { Grain } from '../codegen/report-code.js';
import type { KnownTrend } from '../codegen/report-tests.js';
import { readSource } from '../codegen/source-text.js';
import type { Brief } from '../conversation.js';
import { together, type Script, type ToolDesk } from '../script/script.js';

export interface Dataset {
  shape: RowShape;
  /** Workspace path of the file that the generated code reads. */
  input: string;
  /** The input is not there and must be exported first. */
  missing: boolean;
  trends: KnownTrend[];
  anomalies: Anomalies[];
  grain: Grain | undefined;
  /** Other profiled files, which the generated code leaves out. */
  others: string[];
}

export type Files = ToolResult<'list_files'>['files'];

export interface Workspace<T = undefined> {
  files: Files;
  /** What `more` found. */
  more: T;
  dataset: Dataset | undefined;
  /** There is data, but no profile of it. */
  unprofiled: string[];
}

/** Enough of a file to see its delimiter, its header and how it writes dates and numbers. */
const HEAD_BYTES = 4000;

/**
 * Lists the workspace, reads the profile and the head of the data file.
 * @param more asks for further things once the files are known, in the same round
 */
export function* openWorkspace<T>(brief: Brief, desk: ToolDesk, more: (files: Files) => Script<T>): Script<Workspace<T>> {
  const announced = brief.results.some((result) => result.artifacts.includes(PROFILE_PATH));
  const [listed, early] = yield* together(desk.call('list_files', {}), readProfile(announced, desk));
  const files = listed.ok ? listed.value.files : [];
  const known = early ?? (yield* readProfile(!announced && files.some((file) => file.path === PROFILE_PATH), desk));
  const unprofiled = known === undefined ? files.filter((file) => isInput(file.path) && isData(file.path)).map((file) => file.path) : [];
  const profile = known === undefined ? undefined : mainProfile(known);
  if (known === undefined || profile === undefined) return { files, dataset: undefined, unprofiled, more: yield* more(files) };
  const input = profile.format === 'parquet' ? `data/${profile.table}.csv` : profile.file;
  const there = files.some((file) => file.path === input);
  const [[head], found] = yield* together(
    desk.all(there ? [{ name: 'read_file', args: { path: input, maxBytes: HEAD_BYTES } } as const] : []),
    more(files),
  );
  const text = head?.ok === true ? head.value : undefined;
  const wide = head?.ok === false && /not a text/i.test(head.error);
  const shape = rowShape(profile, readSource(profile, text?.text, text?.truncated === false, wide));
  const trends = known.trends.filter((trend) => trend.file === profile.file);
  return {
    files,
    unprofiled,
    more: found,
    dataset: {
      shape,
      input,
      missing: !there,
      trends,
      anomalies: known.anomalies.filter((found) => found.file === profile.file),
      grain: trends.find((trend) => trend.time === shape.time?.name)?.grain ?? defaultGrain(shape),
      others: known.profiles.filter((other) => other !== profile).map((other) => other.file),
    },
  };
}

function* readProfile(there: boolean, desk: ToolDesk): Script<ProfileFile | undefined> {
  if (!there) return undefined;
  const read = yield* desk.call('read_file', { path: PROFILE_PATH, maxBytes: 200_000 });
  return read.ok ? parseProfile(read.value.text) : undefined;
}

/** The file with the most to tell: a time and measures, then many rows. */
function mainProfile({ profiles }: ProfileFile): DataProfile | undefined {
  const worth = ({ suggested, rows }: DataProfile): number =>
    (suggested.measures.length > 0 ? 2 : 0) + (suggested.time !== undefined ? 1 : 0) + Math.min(0.9, rows / 1e7);
  return profiles.reduce<DataProfile | undefined>(
    (best, next) => (best === undefined || worth(next) > worth(best) ? next : best),
    undefined,
  );
}

function defaultGrain({ time }: RowShape): Grain | undefined {
  if (time === undefined) return undefined;
  return time.type === 'number' ? 'value' : 'month';
}

/** Whether the tool's buckets are those of the generated code, not bins over too many values. */
export function comparable({ shape, trends }: Pick<Dataset, 'shape' | 'trends'>): boolean {
  return trends.every((trend) => trend.grain !== 'value' || (shape.time?.profile.distinct ?? 0) <= 150);
}
