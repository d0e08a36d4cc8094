/** `draw_chart`: a query's rows as an SVG picture, by Vega-Lite. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import type { TopLevelSpec } from 'vega-lite';
import { epochMs, toCell } from './cells.js';
import type { Cell } from './cells.js';
import { kindOf } from './column-kinds.js';
import type { ColumnKind } from './column-kinds.js';
import { DataFault } from './fault.js';
import { runStatement } from './statement.js';
import type { StatementRows } from './statement.js';

const MOST_POINTS = 5000;
const MOST_BARS = 60;
const MOST_SERIES = 20;
const WIDTH = 640;
const HEIGHT = 360;

export interface ChartRequest {
  kind: 'line' | 'bar' | 'point' | 'histogram';
  title: string;
  sql: string;
  xTitle: string;
  yTitle: string;
}

type Channel = 'x' | 'y' | 'series';
interface ChartData {
  kinds: Partial<Record<Channel, ColumnKind>>;
  values: Partial<Record<Channel, Cell>>[];
}

/** The picture, and how many points it shows. Errors: those of the query, `chart-refused` when its columns or rows do not fit the kind. */
export async function drawChart(db: DuckDBConnection, request: ChartRequest): Promise<{ svg: string; points: number }> {
  const result = await runStatement(db, request.sql, MOST_POINTS);
  if (result.more) {
    throw refuse(`The query gives more than ${MOST_POINTS} rows`, 'Group the rows in SQL, or add USING SAMPLE 2000.');
  }
  const data = readChannels(result, request.kind);
  checkReadable(data, request.kind);
  const vega = await import('vega');
  const { compile } = await import('vega-lite');
  const { spec } = compile(chartSpec(data, request), { logger: silentLogger });
  const view = new vega.View(vega.parse(spec), { renderer: 'none', logger: silentLogger });
  const svg = await view.toSVG();
  view.finalize();
  return { svg, points: data.values.length };
}

const refuse = (what: string, remedy: string) => new DataFault('chart-refused', `${what}.`, remedy);

/** Vega's warnings would go to standard output, where the answer goes. */
const silentLogger = {
  level: () => silentLogger,
  error: () => silentLogger,
  warn: () => silentLogger,
  info: () => silentLogger,
  debug: () => silentLogger,
} as never;

/** Columns named x, y and series; where none is named so, the first ones in this order. */
function readChannels({ columns, rows }: StatementRows, kind: ChartRequest['kind']): ChartData {
  const wanted: Channel[] = kind === 'histogram' ? ['x', 'series'] : ['x', 'y', 'series'];
  const lower = columns.map((column) => column.name.toLowerCase());
  const named = lower.includes('x');
  const places = wanted.map((channel, index) => ({ channel, at: named ? lower.indexOf(channel) : index < columns.length ? index : -1 }));
  const needed = kind === 'histogram' ? ['x'] : ['x', 'y'];
  const lacking = places.filter(({ channel, at }) => at < 0 && needed.includes(channel));
  if (lacking.length > 0) {
    throw refuse(
      `The query gives the columns ${lower.join(', ') || '(none)'}`,
      `Name them ${needed.join(' and ')}, with AS; series is optional.`,
    );
  }
  const present = places.filter(({ at }) => at >= 0);
  const kinds = Object.fromEntries(present.map(({ channel, at }) => [channel, kindOf(columns[at]!.type.toString())])) as ChartData['kinds'];
  const values = rows.map((row) =>
    Object.fromEntries(
      present.map(({ channel, at }) => [channel, plotted(row[at] ?? null, kinds[channel], kind === 'bar' || channel === 'series')]),
    ),
  );
  return { kinds, values: values.filter((value) => needed.every((channel) => value[channel] !== null)) };
}

/** Times in milliseconds, or as ISO texts where they are labels; numbers that came as digits (beyond the exact integers) as doubles. */
function plotted(value: DuckDBValue, kind: ColumnKind | undefined, asLabel: boolean): Cell {
  const cell = toCell(value);
  if (kind === 'date' || kind === 'timestamp') return asLabel ? String(cell).replace(/T00:00:00$/, '') : (epochMs(value) ?? null);
  return (kind === 'integer' || kind === 'number') && typeof cell === 'string' ? Number(cell) : cell;
}

function checkReadable({ kinds, values }: ChartData, kind: ChartRequest['kind']): void {
  if (values.length === 0) throw refuse('The query gives no rows with values', 'Check its conditions.');
  const measured = kind === 'histogram' ? 'x' : 'y';
  if (kinds[measured] !== 'integer' && kinds[measured] !== 'number') {
    throw refuse(`The column ${measured} holds ${kinds[measured]} values`, 'It must be a number.');
  }
  const bars = new Set(values.map((value) => value.x)).size;
  const categories = kind === 'bar' || (kind !== 'histogram' && xType(kinds) === 'ordinal' && kind === 'point');
  if (categories && bars > MOST_BARS)
    throw refuse(`${bars} bars are too many to read`, `Show at most ${MOST_BARS}, with ORDER BY and LIMIT.`);
  const series = new Set(values.map((value) => value.series)).size;
  if (series > MOST_SERIES) throw refuse(`${series} series are too many to tell apart`, `Show at most ${MOST_SERIES}.`);
}

function xType(kinds: ChartData['kinds']): 'temporal' | 'quantitative' | 'ordinal' {
  if (kinds.x === 'date' || kinds.x === 'timestamp') return 'temporal';
  return kinds.x === 'integer' || kinds.x === 'number' ? 'quantitative' : 'ordinal';
}

function chartSpec({ kinds, values }: ChartData, request: ChartRequest): TopLevelSpec {
  const { kind, title, xTitle, yTitle } = request;
  const type = kind === 'bar' ? 'ordinal' : xType(kinds);
  const years = values.every(({ x }) => typeof x === 'number' && Number.isInteger(x) && x >= 1500 && x <= 2200);
  const x = {
    field: 'x',
    type,
    title: xTitle,
    ...(type === 'ordinal' && { sort: null }),
    ...(type === 'temporal' && { scale: { type: 'utc' } }),
    ...(type === 'quantitative' && kind !== 'histogram' && { scale: { zero: false, nice: !years } }),
    ...(kind === 'histogram' && { bin: { maxbins: 40 } }),
    axis: {
      labelOverlap: type !== 'ordinal' || new Set(values.map((value) => value.x)).size > 30,
      ...(years && type === 'quantitative' && { format: 'd' }),
      ...(type === 'ordinal' && { labelAngle: -40, labelLimit: 120 }),
    },
  };
  const y =
    kind === 'histogram'
      ? { aggregate: 'count', type: 'quantitative', title: yTitle }
      : {
          field: 'y',
          type: 'quantitative',
          title: yTitle,
          scale: { zero: kind === 'bar' },
          axis: largeNumbers(values),
          ...(kind === 'bar' && { stack: kinds.series ? 'zero' : null }),
        };
  const spec = {
    width: WIDTH,
    height: HEIGHT,
    padding: 10,
    autosize: { type: 'fit', contains: 'padding' },
    background: 'white',
    title: { text: wrapped(title), fontSize: 15, anchor: 'start' },
    data: { values },
    mark: MARKS[kind],
    encoding: { x, y, ...(kinds.series && { color: { field: 'series', type: 'nominal', title: null, legend: { labelLimit: 110 } } }) },
    config: {
      font: 'Helvetica, Arial, sans-serif',
      axis: { labelFontSize: 11, titleFontSize: 12, gridColor: '#e5e5e5' },
      view: { stroke: '#cccccc' },
    },
  };
  return spec as unknown as TopLevelSpec;
}

/** 1.2M instead of 1,200,000. */
function largeNumbers(values: ChartData['values']): object {
  const largest = Math.max(...values.map(({ y }) => Math.abs(Number(y))));
  return largest >= 100_000 && largest < 1e15 ? { labelExpr: "replace(format(datum.value, '~s'), 'G', 'B')" } : {};
}

/** Lines of at most 56 characters: a line of the title's size that fits the width. */
function wrapped(title: string): string[] {
  const lines: string[] = [];
  for (const word of title.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 56) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word.slice(0, 56));
  }
  return lines;
}

const MARKS = {
  line: { type: 'line', strokeWidth: 2, interpolate: 'linear', point: false },
  bar: { type: 'bar' },
  point: { type: 'point', filled: true, size: 30, opacity: 0.6 },
  histogram: { type: 'bar' },
} as const;
