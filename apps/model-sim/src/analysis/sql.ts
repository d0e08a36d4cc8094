/** SQL of the data analyst. Names are always quoted; the tables are those of the profile. */

/** A quoted SQL name. */
export function id(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export interface Pair {
  a: string;
  b: string;
}

/** All pairs of names, in their order. */
export function pairsOf(names: readonly string[]): Pair[] {
  return names.flatMap((a, index) => names.slice(index + 1).map((b) => ({ a, b })));
}

export function correlationsSql(tableName: string, pairs: readonly Pair[]): string {
  return `SELECT ${pairs.map(({ a, b }, index) => `corr(${id(a)}, ${id(b)}) AS r${index + 1}`).join(', ')} FROM ${id(tableName)}`;
}

export function duplicatesSql(tableName: string): string {
  return `SELECT (SELECT count(*) FROM ${id(tableName)}) - (SELECT count(*) FROM (SELECT DISTINCT * FROM ${id(tableName)})) AS duplicates`;
}

/** Rows: value, rows of the group, then the mean of each measure. */
export function groupsSql(tableName: string, dimension: string, measures: readonly string[]): string {
  const means = measures.map((measure, index) => `, avg(${id(measure)}) AS mean${index + 1}`).join('');
  return `SELECT ${id(dimension)} AS grp, count(*) AS members${means} FROM ${id(tableName)} GROUP BY grp ORDER BY members DESC, grp LIMIT 20`;
}

/** Rows: month 1 to 12, then the mean of each measure over all years. */
export function seasonsSql(tableName: string, time: string, measures: readonly string[]): string {
  const means = measures.map((measure, index) => `avg(${id(measure)}) AS mean${index + 1}`).join(', ');
  return `SELECT month(${id(time)}) AS calendar_month, ${means} FROM ${id(tableName)} WHERE ${id(time)} IS NOT NULL GROUP BY calendar_month ORDER BY calendar_month`;
}

/** Columns x (lower end of each of at most 24 equal parts) and y (rows in it). */
export function histogramSql(tableName: string, measure: string, min: number, max: number): string {
  const width = (max - min) / 24;
  const part = `least(23, floor((${id(measure)} - (${min})) / ${width}))`;
  return `SELECT round(${min} + part * ${width}, 6) AS x, count(*) AS y FROM (SELECT ${part} AS part FROM ${id(tableName)} WHERE ${id(measure)} IS NOT NULL) GROUP BY x ORDER BY x`;
}

/** Columns x and y of at most 800 rows, spread evenly over the table. */
export function scatterSql(tableName: string, { a, b }: Pair, rows: number): string {
  const step = Math.max(1, Math.ceil(rows / 800));
  const numbered = `SELECT ${id(a)} AS x, ${id(b)} AS y, row_number() OVER () AS place FROM ${id(tableName)}`;
  return `SELECT x, y FROM (${numbered}) WHERE place % ${step} = 0 AND x IS NOT NULL AND y IS NOT NULL`;
}
