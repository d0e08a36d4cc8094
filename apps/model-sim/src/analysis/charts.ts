/** Which charts suit a study, and how they are drawn. */
import type { ToolArgs, Trend } from '@cadre/contracts';
import type { Script, ToolDesk } from '../script/script.js';
import { histogramSql, id, scatterSql } from './sql.js';
import { columnNamed, panelDimension, type Study } from './study.js';

export interface Chart {
  title: string;
  path: string;
}

type ChartArgs = ToolArgs<'draw_chart'>;

/** A name as part of a path. */
export function slug(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 40) || 'column'
  );
}

/** A name within a title: one line, not too long. */
function short(name: string): string {
  const line = name.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

/** Draws what suits the study, best first, at most four; a chart that fails is tried once more in a simpler way, then left out. */
export function* drawCharts(found: Study, desk: ToolDesk): Script<{ charts: Chart[]; failures: string[] }> {
  const wanted = [...trendCharts(found), ...comparisonCharts(found), ...relationCharts(found), ...distributionCharts(found)].slice(0, 4);
  const first = yield* desk.all(wanted.map(({ args }) => ({ name: 'draw_chart', args }) as const));
  const again = wanted.filter(({ simpler }, index) => first[index]?.ok === false && simpler !== undefined && desk.has('draw_chart'));
  const second = yield* desk.all(
    again.flatMap(({ simpler }) => (simpler === undefined ? [] : [{ name: 'draw_chart', args: simpler } as const])),
  );
  const charts: Chart[] = [];
  const failures: string[] = [];
  for (const [index, { args, simpler }] of wanted.entries()) {
    const outcome = first[index];
    const retried = second[again.findIndex((other) => other.args === args)];
    if (outcome?.ok === true) charts.push({ title: args.title, path: args.path });
    else if (retried?.ok === true && simpler !== undefined) charts.push({ title: simpler.title, path: simpler.path });
    else if (outcome !== undefined) failures.push(`the chart "${args.title}" was not drawn: ${outcome.ok ? '' : outcome.error}`);
  }
  return { charts, failures };
}

interface Wanted {
  args: ChartArgs;
  simpler?: ChartArgs;
}

function path(found: Study, name: string): string {
  return `charts/${slug(found.profile.table)}-${slug(name)}.svg`;
}

function trendCharts(found: Study): Wanted[] {
  const panel = panelDimension(found);
  return found.trends.slice(0, 2).map((trend, index): Wanted => {
    const title = `${short(trend.measure)} by ${trend.grain === 'value' ? short(trend.time) : trend.grain}`;
    const args = {
      kind: 'line' as const,
      title,
      xTitle: short(trend.time),
      yTitle: `mean of ${short(trend.measure)}`,
      path: path(found, `${trend.measure} trend`),
    };
    const points: ChartArgs = { ...args, sql: pointsSql(trend) };
    const series = panel !== undefined && index === 0 ? `, coalesce(${id(panel)}::VARCHAR, '(blank)') AS series` : '';
    const bucket =
      isDated(found, trend.time) && trend.grain !== 'value' ? `date_trunc('${trend.grain}', ${id(trend.time)})` : id(trend.time);
    if (bucket === id(trend.time) && (series === '' || trend.grain === 'value')) return { args: points };
    const from = `FROM ${id(found.profile.table)} WHERE ${id(trend.measure)} IS NOT NULL AND ${id(trend.time)} IS NOT NULL`;
    const sql = `SELECT ${bucket} AS x, avg(${id(trend.measure)}) AS y${series} ${from} GROUP BY ALL ORDER BY ALL`;
    return { args: { ...args, sql, ...(series !== '' && { title: `${title} and ${short(panel ?? '')}` }) }, simpler: points };
  });
}

function isDated({ profile }: Study, name: string): boolean {
  const type = columnNamed(profile, name)?.type;
  return type === 'date' || type === 'timestamp';
}

/** The trend's own points as SQL, at most 120 of them. */
function pointsSql(trend: Trend): string {
  const step = Math.max(1, Math.ceil(trend.points.length / 120));
  const points = trend.points.filter((_, index) => index % step === 0);
  const numeric = points.every((point) => point.bucket.trim() !== '' && Number.isFinite(Number(point.bucket)));
  const label = (bucket: string): string => (numeric ? bucket : `'${bucket.replaceAll("'", "''")}'`);
  const values = points.map((point) => `(${label(point.bucket)}, ${Number(point.mean.toPrecision(8))})`).join(', ');
  return `SELECT * FROM (VALUES ${values}) AS points(x, y)`;
}

function comparisonCharts(found: Study): Wanted[] {
  return found.comparisons.slice(0, 1).map(({ dimension, measures }): Wanted => {
    const measure = measures[0];
    const y = measure === undefined ? 'count(*)' : `avg(${id(measure)})`;
    const what = measure === undefined ? 'rows' : `mean of ${short(measure)}`;
    const group = `coalesce(${id(dimension)}::VARCHAR, '(blank)')`;
    const sql = `SELECT ${group} AS x, ${y} AS y FROM ${id(found.profile.table)} GROUP BY ALL ORDER BY y DESC NULLS LAST LIMIT 20`;
    return {
      args: {
        kind: 'bar',
        title: `${what} by ${short(dimension)}`,
        sql,
        xTitle: short(dimension),
        yTitle: what,
        path: path(found, `${dimension} groups`),
      },
    };
  });
}

function relationCharts(found: Study): Wanted[] {
  const strongest = found.correlations.find(({ r }) => Math.abs(r) >= 0.5 && Math.abs(r) < 0.9999);
  if (strongest === undefined) return [];
  const { a, b } = strongest;
  const title = `${short(b)} against ${short(a)}`;
  const sql = scatterSql(found.profile.table, strongest, found.profile.rows);
  return [{ args: { kind: 'point', title, sql, xTitle: short(a), yTitle: short(b), path: path(found, `${a} ${b}`) } }];
}

function distributionCharts(found: Study): Wanted[] {
  const measure = found.measures[0];
  const column = columnNamed(found.profile, measure);
  if (measure === undefined || typeof column?.min !== 'number' || typeof column.max !== 'number' || column.min === column.max) return [];
  const title = `Distribution of ${short(measure)}`;
  const common = { title, xTitle: short(measure), yTitle: 'rows', path: path(found, `${measure} distribution`) };
  const parts: ChartArgs = { ...common, kind: 'bar', sql: histogramSql(found.profile.table, measure, column.min, column.max) };
  if (found.profile.rows > 5000) return [{ args: parts }];
  const from = `FROM ${id(found.profile.table)} WHERE ${id(measure)} IS NOT NULL`;
  return [{ args: { ...common, kind: 'histogram', sql: `SELECT ${id(measure)} AS x ${from}` }, simpler: parts }];
}
