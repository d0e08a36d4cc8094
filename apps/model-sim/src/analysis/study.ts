/** One file's study: which questions are asked of the tools, by the kinds of its columns, and what came back. */
import type { Anomalies, ColumnProfile, DataProfile, ToolResult, Trend } from '@cadre/contracts';
import type { ReadProfile } from './cut-profile.js';
import { nothing, together, type Outcome, type Script, type ToolDesk } from '../script/script.js';
import { correlationsSql, duplicatesSql, groupsSql, id, pairsOf, seasonsSql, type Pair } from './sql.js';

export interface Group {
  value: unknown;
  rows: number;
  means: (number | null)[];
}

export interface Comparison {
  dimension: string;
  measures: string[];
  groups: Group[];
}

export interface Correlation extends Pair {
  r: number;
}

export interface Seasons {
  measures: string[];
  months: { month: number; means: (number | null)[] }[];
}

export interface Study {
  profile: ReadProfile;
  /** Measures looked at closely, best first. */
  measures: string[];
  trends: Trend[];
  anomalies: Anomalies[];
  comparisons: Comparison[];
  correlations: Correlation[];
  seasons: Seasons | undefined;
  duplicates: number | undefined;
  /** Rows of a table that has no text form of its own (Parquet), where they are few. */
  copy: ToolResult<'query_data'> | undefined;
  /** What was asked and failed, for the report. */
  failures: string[];
}

const PARTIAL = 'the table has more columns than its profile could show; only the first ones are covered.';

/** How much of each kind is asked for; every answer stays in the conversation. */
const MOST = { measures: 3, correlated: 5, dimensions: 2, copiedRows: 1000, copiedCells: 6000 };

export function columnNamed(profile: DataProfile, name: string | undefined): ColumnProfile | undefined {
  return profile.columns.find((column) => column.name === name);
}

/** @param share of the usual number of measures, for runs with several files */
export function* study(profile: ReadProfile, desk: ToolDesk, share = 1): Script<Study> {
  const { file, table: tableName, suggested } = profile;
  const measures = suggested.measures.slice(0, Math.max(1, Math.round(MOST.measures * share)));
  const { time } = suggested;
  const query = (sql: string, limit = 100) => desk.call('query_data', { sql, limit });
  const pairs = pairsOf(suggested.measures.slice(0, MOST.correlated));
  const [trends, anomalies, groups, correlations, seasons, duplicates, copy] = yield* together(
    desk.all(time === undefined ? [] : measures.map((measure) => ({ name: 'find_trends', args: { file, time, measure } }) as const)),
    desk.all(measures.map((measure) => ({ name: 'find_anomalies', args: { file, measure } }) as const)),
    desk.all(dimensionsOf(profile).map((name) => ({ name: 'query_data', args: { sql: groupsSql(tableName, name, measures) } }) as const)),
    pairs.length > 0 ? query(correlationsSql(tableName, pairs)) : nothing(),
    isSeasonal(profile) && measures.length > 0 ? query(seasonsSql(tableName, time ?? '', measures)) : nothing(),
    query(duplicatesSql(tableName)),
    needsCopy(profile) ? query(`SELECT * FROM ${id(tableName)}`, MOST.copiedRows) : nothing(),
  );
  const failures = [...trends, ...anomalies, ...groups, correlations, seasons, duplicates, copy].flatMap((outcome) =>
    outcome === undefined || outcome.ok ? [] : [outcome.error],
  );
  return {
    profile,
    measures,
    trends: good(trends),
    anomalies: good(anomalies),
    comparisons: groups.flatMap((outcome, index) => readGroups(outcome, dimensionsOf(profile)[index] ?? '', measures)),
    correlations: readCorrelations(correlations, pairs),
    seasons: readSeasons(seasons, measures),
    duplicates: duplicates.ok && typeof duplicates.value.rows[0]?.[0] === 'number' ? duplicates.value.rows[0][0] : undefined,
    copy: copy?.ok === true && !copy.value.truncated ? copy.value : undefined,
    failures: [...new Set([...(profile.partial === true ? [PARTIAL] : []), ...failures])],
  };
}

function dimensionsOf({ suggested }: DataProfile): string[] {
  return suggested.dimensions.filter((name) => !suggested.measures.slice(0, MOST.measures).includes(name)).slice(0, MOST.dimensions);
}

/** The dimension whose groups each have rows at the same times, so that means over time mix them. */
export function panelDimension({ profile, comparisons }: Study): string | undefined {
  const time = columnNamed(profile, profile.suggested.time);
  if (time === undefined || profile.rows < time.distinct * 1.5) return undefined;
  return comparisons.find(({ groups }) => groups.length <= 12)?.dimension;
}

/** Two years of dates tell a season from a trend. */
function isSeasonal(profile: DataProfile): boolean {
  const time = columnNamed(profile, profile.suggested.time);
  if (time === undefined || (time.type !== 'date' && time.type !== 'timestamp') || time.distinct < 24) return false;
  return Number(String(time.max).slice(0, 4)) - Number(String(time.min).slice(0, 4)) >= 2;
}

function needsCopy({ format, rows, columns }: DataProfile): boolean {
  return format === 'parquet' && rows <= MOST.copiedRows && rows * columns.length <= MOST.copiedCells;
}

function good<T>(outcomes: readonly Outcome<T>[]): T[] {
  return outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
}

type Answer = Outcome<ToolResult<'query_data'>> | undefined;

const numberOrNull = (cell: unknown): number | null => (typeof cell === 'number' ? cell : null);

function readGroups(outcome: Answer, dimension: string, measures: string[]): Comparison[] {
  if (outcome?.ok !== true || outcome.value.rows.length < 2) return [];
  const groups = outcome.value.rows.map(([value, rows, ...means]) => ({
    value: value ?? '(blank)',
    rows: Number(rows),
    means: means.map(numberOrNull),
  }));
  return [{ dimension, measures, groups }];
}

function readCorrelations(outcome: Answer, pairs: readonly Pair[]): Correlation[] {
  const row = outcome?.ok === true ? (outcome.value.rows[0] ?? []) : [];
  return pairs
    .flatMap((pair, index) => {
      const r = row[index];
      return typeof r === 'number' ? [{ ...pair, r }] : [];
    })
    .sort((x, y) => Math.abs(y.r) - Math.abs(x.r));
}

function readSeasons(outcome: Answer, measures: string[]): Seasons | undefined {
  if (outcome?.ok !== true || outcome.value.rows.length < 12) return undefined;
  return { measures, months: outcome.value.rows.map(([month, ...means]) => ({ month: Number(month), means: means.map(numberOrNull) })) };
}
