/** Plain sentences about a study, the most telling first. They state figures and make no guess at causes. */
import type { ColumnProfile, Trend } from '@cadre/contracts';
import { cellText, code, count, figure, listing } from '../text/words.js';
import { columnNamed, panelDimension, type Comparison, type Study } from './study.js';

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** The main findings of a file. */
export function findings(found: Study): string[] {
  const { profile } = found;
  const rangeOf = profile.suggested.time === undefined ? undefined : columnNamed(profile, profile.suggested.time);
  const span = rangeOf?.min === undefined ? '' : `, ${code(rangeOf.name)} from ${cellText(rangeOf.min)} to ${cellText(rangeOf.max)}`;
  return [
    `${code(profile.file)} has ${count(profile.rows, 'row')} and ${profile.partial === true ? 'more than ' : ''}${count(profile.columns.length, 'column')}${span}.`,
    ...found.measures.map((measure) => measureSentence(columnNamed(profile, measure))),
    ...found.trends.map(trendSentence),
    ...found.trends.flatMap(yearSentences),
    panelSentence(found),
    ...seasonSentences(found),
    ...found.comparisons.map((comparison) => comparisonSentence(comparison, profile.rows)),
    ...relationSentences(found),
    ...anomalySentences(found),
    ...(found.measures.length === 0 ? textSentences(profile.columns, profile.rows) : []),
  ].filter((sentence) => sentence !== '');
}

function measureSentence(column: ColumnProfile | undefined): string {
  if (column === undefined || typeof column.mean !== 'number') return '';
  const range = `ranges from ${cellText(column.min)} to ${cellText(column.max)}`;
  return `${code(column.name)} ${range}, with mean ${figure(column.mean)} and median ${figure(column.median)}.`;
}

function bucketWord({ grain }: Trend): string {
  return grain === 'value' ? 'step' : grain;
}

export function trendSentence(trend: Trend): string {
  const { measure, points, first, last, slopePerBucket, r2, direction, time } = trend;
  const [start, end] = [points[0]?.bucket, points.at(-1)?.bucket];
  if (start === undefined || end === undefined || points.length < 2) return '';
  const word = bucketWord(trend);
  const span = `mean ${figure(first)} in ${start}, ${figure(last)} in ${end}`;
  const line = `a straight line through the ${count(points.length, word)} explains ${figure(r2 * 100)} % of the variation`;
  if (direction === 'flat') return `${code(measure)} shows no clear direction over ${code(time)}: ${span}; ${line}.`;
  const verb = direction === 'rising' ? 'rises' : 'falls';
  return `${code(measure)} ${verb} over ${code(time)} by ${figure(Math.abs(slopePerBucket))} per ${word} (${span}; ${line}).`;
}

export interface YearMean {
  year: string;
  mean: number;
  /** It has as many buckets as a year can have. */
  whole: boolean;
}

/** Means by calendar year, where the buckets are parts of years; rows weigh the same. */
export function yearMeans({ points, grain }: Trend): YearMean[] {
  const parts: Partial<Record<Trend['grain'], number>> = { year: 1, quarter: 4, month: 12, week: 52, day: 365 };
  const full = parts[grain];
  if (full === undefined) return [];
  const years = [...new Set(points.map((point) => point.bucket.slice(0, 4)))].filter((year) => /^\d{4}$/.test(year)).sort();
  return years.map((year) => {
    const of = points.filter((point) => point.bucket.startsWith(year));
    const rows = of.reduce((sum, point) => sum + point.rows, 0);
    return { year, mean: of.reduce((sum, point) => sum + point.mean * point.rows, 0) / Math.max(1, rows), whole: of.length >= full };
  });
}

/** Seasons hide a trend in months; whole years show it. */
function yearSentences(trend: Trend): string[] {
  const years = trend.grain === 'year' ? [] : yearMeans(trend).filter((year) => year.whole);
  const [first, last] = [years[0], years.at(-1)];
  if (first === undefined || last === undefined || years.length < 3) return [];
  const steps = years.slice(1).map((year, index) => Math.sign(year.mean - (years[index]?.mean ?? year.mean)));
  const every = steps.every((step) => step === steps[0]) ? ' every year' : '';
  const verb = every === '' ? 'goes' : steps[0] === 1 ? 'rises' : 'falls';
  const span = `from ${figure(first.mean)} in ${first.year} to ${figure(last.mean)} in ${last.year}`;
  return [`By whole calendar years, the mean of ${code(trend.measure)} ${verb}${every} ${span}.`];
}

function panelSentence(found: Study): string {
  const dimension = panelDimension(found);
  if (dimension === undefined || found.trends.length === 0) return '';
  return `Several rows share each ${code(found.profile.suggested.time ?? '')}: the means over time mix the groups of ${code(dimension)}, and change also when the mixture does.`;
}

function seasonSentences({ seasons }: Study): string[] {
  if (seasons === undefined) return [];
  return seasons.measures.flatMap((measure, index) => {
    const months = seasons.months.flatMap(({ month, means }) => {
      const mean = means[index];
      return typeof mean === 'number' ? [{ month, mean }] : [];
    });
    if (months.length < 12) return [];
    const high = months.reduce((a, b) => (b.mean > a.mean ? b : a));
    const low = months.reduce((a, b) => (b.mean < a.mean ? b : a));
    const name = (month: number): string => MONTHS[month - 1] ?? String(month);
    return [
      `Over the calendar, ${code(measure)} is highest in ${name(high.month)} (mean ${figure(high.mean)}) and lowest in ${name(low.month)} (${figure(low.mean)}).`,
    ];
  });
}

function comparisonSentence({ dimension, measures, groups }: Comparison, rows: number): string {
  const largest = groups[0];
  if (largest === undefined) return '';
  const share = rows > 0 ? ` (${figure((largest.rows / rows) * 100)} % of the rows)` : '';
  const most = `The most frequent ${code(dimension)} is ${cellText(largest.value)} with ${count(largest.rows, 'row')}${share}`;
  const ranked = groups
    .flatMap(({ value, rows: members, means }) => (typeof means[0] === 'number' && members > 1 ? [{ value, mean: means[0] }] : []))
    .sort((a, b) => b.mean - a.mean);
  const [top, bottom] = [ranked[0], ranked.at(-1)];
  if (measures[0] === undefined || top === undefined || bottom === undefined || top === bottom) return `${most}.`;
  const means = `${cellText(top.value)} (${figure(top.mean)}) and lowest for ${cellText(bottom.value)} (${figure(bottom.mean)})`;
  return `${most}; the mean of ${code(measures[0])} is highest for ${means}.`;
}

function relationSentences({ correlations }: Study): string[] {
  return correlations
    .filter(({ r }) => Math.abs(r) >= 0.5)
    .slice(0, 2)
    .map(({ a, b, r }) => `${code(a)} and ${code(b)} move ${r > 0 ? 'together' : 'in opposite directions'} (correlation ${figure(r)}).`);
}

function anomalySentences({ anomalies }: Study): string[] {
  const some = anomalies.filter((found) => found.count > 0);
  if (anomalies.length === 0) return [];
  if (some.length === 0) return [`No value of ${listing(anomalies.map((found) => code(found.measure)))} lies outside Tukey's fences.`];
  return some.map((found) => {
    const farthest = found.rows[0]?.[found.measure];
    const example = farthest === undefined ? '' : `; the farthest is ${cellText(farthest)}`;
    return `${count(found.count, 'value')} of ${code(found.measure)} lie outside Tukey's fences (${figure(found.lower)} to ${figure(found.upper)})${example}.`.replace(
      /^1 value of (.*) lie /,
      '1 value of $1 lies ',
    );
  });
}

/** For tables without measures: what the texts hold. */
function textSentences(columns: readonly ColumnProfile[], rows: number): string[] {
  return columns.slice(0, 6).map((column) => {
    const top = column.top?.[0];
    const most = top !== undefined && top.count > 1 ? `; the most frequent is ${cellText(top.value)} (${count(top.count, 'row')})` : '';
    const all = column.distinct === rows && rows > 0 ? 'a different value in every row' : count(column.distinct, 'different value');
    return `${code(column.name)} (${column.type}) has ${all}${most}.`;
  });
}
