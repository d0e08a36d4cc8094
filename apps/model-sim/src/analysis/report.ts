/** The data analyst's report.md. */
import type { ColumnProfile } from '@cadre/contracts';
import { blocks, cellText, code, figure, HONESTY, listing, table } from '../text/words.js';
import type { Chart } from './charts.js';
import { findings, yearMeans, type YearMean } from './findings.js';
import type { Study } from './study.js';

export interface StudiedFile {
  study: Study;
  charts: Chart[];
}

/** @param unread files that could not be profiled, with the reason @param rows most rows of a table */
export function reportMarkdown(goal: string, files: readonly StudiedFile[], unread: readonly string[], rows: number): string {
  const asked = goal.replace(/\s+/g, ' ').slice(0, 300);
  return `${blocks(
    `# Data report`,
    `Asked for: ${asked}`,
    ...files.map((file) => fileSection(file, files.length > 1, rows)),
    unread.length > 0 ? `## Files not analysed\n\n${unread.map((line) => `- ${line}`).join('\n')}` : '',
    methodSection(),
  )}\n`;
}

function fileSection({ study, charts }: StudiedFile, several: boolean, rows: number): string {
  return blocks(
    several ? `## File ${code(study.profile.file)}` : '',
    `## Main findings\n\n${findings(study)
      .map((sentence) => `- ${sentence}`)
      .join('\n')}`,
    charts.length > 0 ? `## Charts\n\n${charts.map((chart) => `![${chart.title.replace(/[[\]]/g, '')}](${chart.path})`).join('\n\n')}` : '',
    measuresSection(study, rows),
    trendsSection(study),
    ...study.comparisons.map(({ dimension, measures, groups }) => {
      const lines = groups.slice(0, rows).map((group) => [cellText(group.value), String(group.rows), ...group.means.map(figure)]);
      return `## By ${code(dimension)}\n\n${table([dimension, 'Rows', ...measures.map((name) => `Mean of ${name}`)], lines)}`;
    }),
    seasonsSection(study),
    correlationsSection(study),
    anomaliesSection(study, rows),
    columnsSection(study, rows),
    qualitySection(study),
  );
}

function measuresSection({ profile }: Study, rows: number): string {
  const columns = profile.columns.filter((column) => typeof column.mean === 'number');
  if (columns.length === 0) return '';
  const lines = columns
    .slice(0, rows)
    .map((c) => [
      c.name,
      String(profile.rows - c.nulls),
      cellText(c.min),
      ...[c.p25, c.median, c.mean, c.p75].map(figure),
      cellText(c.max),
      figure(c.stddev),
    ]);
  return `## Figures\n\n${table(['Column', 'Values', 'Min', '25 %', 'Median', 'Mean', '75 %', 'Max', 'Std dev'], lines)}`;
}

function trendsSection({ trends }: Study): string {
  if (trends.length === 0) return '';
  const lines = trends.map((t) => [
    t.measure,
    `${t.points.length} × ${t.grain}`,
    figure(t.first),
    figure(t.last),
    figure(t.slopePerBucket),
    figure(t.r2),
    t.direction,
  ]);
  return blocks(
    `## Over time\n\n${table(['Measure', 'Buckets', 'First', 'Last', 'Slope per bucket', 'R²', 'Direction'], lines)}`,
    yearTable(trends),
  );
}

/** Means by year, for dates that span several; a year that is not whole is marked. */
function yearTable(trends: Study['trends']): string {
  const means = trends.map((trend) => new Map(yearMeans(trend).map((year) => [year.year, year])));
  const years = [...new Set(means.flatMap((byYear) => [...byYear.keys()]))].sort();
  if (years.length < 2 || years.length > 40 || trends[0]?.grain === 'year') return '';
  const cell = (year: YearMean | undefined): string => (year === undefined ? '–' : `${figure(year.mean)}${year.whole ? '' : ' (part)'}`);
  const lines = years.map((year) => [year, ...means.map((byYear) => cell(byYear.get(year)))]);
  return `Means by year:\n\n${table(['Year', ...trends.map((trend) => trend.measure)], lines)}`;
}

function seasonsSection({ seasons }: Study): string {
  if (seasons === undefined) return '';
  const lines = seasons.months.map(({ month, means }) => [String(month), ...means.map(figure)]);
  return `## By calendar month\n\nMeans over all years.\n\n${table(['Month', ...seasons.measures], lines)}`;
}

function correlationsSection({ correlations }: Study): string {
  if (correlations.length === 0) return '';
  return `## Relations between measures\n\nPearson correlation of the rows that have both values.\n\n${table(
    ['Measure', 'Measure', 'r'],
    correlations.slice(0, 10).map(({ a, b, r }) => [a, b, figure(r)]),
  )}`;
}

function anomaliesSection({ anomalies }: Study, most: number): string {
  if (anomalies.length === 0) return '';
  const lines = anomalies.map((found) => [found.measure, figure(found.lower), figure(found.upper), String(found.count)]);
  const examples = anomalies
    .filter((found) => found.rows.length > 0)
    .map((found) => {
      const columns = [found.measure, ...Object.keys(found.rows[0] ?? {}).filter((name) => name !== found.measure)].slice(0, 6);
      const rows = found.rows.slice(0, Math.min(most, 5)).map((row) => columns.map((name) => cellText(row[name])));
      return `Farthest values of ${code(found.measure)}:\n\n${table(columns, rows)}`;
    });
  return blocks(`## Unusual values\n\n${table(['Measure', 'Lower fence', 'Upper fence', 'Outside'], lines)}`, ...examples);
}

function columnsSection({ profile }: Study, rows: number): string {
  const top = (column: ColumnProfile): string =>
    (column.top ?? [])
      .slice(0, 3)
      .map(({ value, count: n }) => `${cellText(value)} (${n})`)
      .join(', ');
  const lines = profile.columns
    .slice(0, rows)
    .map((column) => [
      column.name,
      column.type,
      String(column.nulls),
      String(column.distinct),
      cellText(column.min),
      cellText(column.max),
      top(column),
    ]);
  const more = profile.columns.length > rows ? `\n\nAnd ${profile.columns.length - rows} more.` : '';
  return `## Columns\n\n${table(['Column', 'Type', 'Blank', 'Different', 'Min', 'Max', 'Most frequent'], lines)}${more}`;
}

function qualitySection({ profile, duplicates, anomalies, failures }: Study): string {
  const blank = profile.columns.filter((column) => column.nulls > 0);
  const constant = profile.columns.filter((column) => column.distinct <= 1 && profile.rows > 1);
  const outside = anomalies.reduce((sum, found) => sum + found.count, 0);
  const share = (column: ColumnProfile): string => `${code(column.name)} ${figure((column.nulls / Math.max(1, profile.rows)) * 100)} %`;
  const lines = [
    blank.length === 0 ? 'No column has blank values.' : `Blank values: ${listing(blank.slice(0, 12).map(share))}.`,
    constant.length === 0
      ? 'No column is constant.'
      : `Constant or empty, and so of no use for comparison: ${listing(constant.map((c) => code(c.name)))}.`,
    duplicates === undefined ? 'Duplicates were not counted.' : `Rows that repeat another row exactly: ${duplicates}.`,
    ...(anomalies.length > 0
      ? [`Values outside Tukey's fences in the measures examined: ${outside}. They may be errors or real extremes; this was not judged.`]
      : []),
    ...failures.map((failure) => `Not done: ${failure}`),
  ];
  return `## Data quality\n\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

function methodSection(): string {
  const lines = [
    'Figures come from DuckDB, over all rows of the file; the standard deviation is that of a sample.',
    'Trends: means per time bucket and a least-squares line through them. A line describes a direction; it does not show seasons, and R² says how well it fits.',
    "Unusual values: outside Tukey's fences, the quartiles less and plus 1.5 times the interquartile range.",
    'Correlation is not cause.',
    HONESTY,
  ];
  return `## Method and limits\n\n${lines.map((line) => `- ${line}`).join('\n')}`;
}
