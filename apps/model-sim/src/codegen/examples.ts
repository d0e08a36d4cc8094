/** Examples of the report code that run as they stand, with the file's own columns. */
import type { Dataset } from '../roles/dataset.js';
import { partsOf } from './report-code.js';
import { literal } from './template.js';

/** A whole program, to be saved beside src/ and run from there. */
export function firstExample({ input, shape }: Dataset): string {
  const read = `const rows = parseRows(readFileSync(${literal(input)}, ${literal(shape.source.encoding)}));`;
  return [
    "import { readFileSync } from 'node:fs';",
    "import { renderMarkdown } from './src/report.ts';",
    "import { parseRows } from './src/rows.ts';",
    '',
    read,
    `console.log(rows.length); // ${shape.profile.rows}`,
    'console.log(renderMarkdown(rows));',
  ].join('\n');
}

/** An example of one export, given the `rows` of the first example; undefined where the signature says it all. */
export function exampleOf(name: string, { shape, grain, input }: Dataset): string | undefined {
  const parts = partsOf(shape, grain);
  const measure = literal(shape.measures[0] ?? '');
  const dimension = literal(shape.dimensions[0] ?? '');
  const column = shape.profile.columns.find((each) => each.name === shape.measures[0]);
  const mean = typeof column?.mean === 'number' ? ` // about ${Number(column.mean.toPrecision(6))}` : '';
  const examples: Record<string, [part: string, text: string]> = {
    parseRows: ['', `const rows = parseRows(readFileSync(${literal(input)}, ${literal(shape.source.encoding)}));`],
    splitRecords: ['delimited', `splitRecords('a${escapeDelimiter(shape.source.delimiter)}"b ""c"""\\n'); // [['a', 'b "c"']]`],
    countFilled: ['', `console.log(countFilled(rows));`],
    summarize: ['measures', 'for (const { measure, mean, stddev } of summarize(rows)) console.log(measure, mean, stddev);'],
    summarizeMeasure: ['measures', `console.log(summarizeMeasure(rows, ${measure}).mean);${mean}`],
    groupBy: ['dimensions', `for (const { value, rows: members } of groupBy(rows, ${dimension})) console.log(value, members);`],
    trend: ['trend', `const { points, slope } = trend(rows, ${measure});\nconsole.log(points.at(-1), slope);`],
    findAnomalies: ['measures', `console.log(findAnomalies(rows, ${measure}).rows.slice(0, 5));`],
    quantile: ['measures', 'quantile([1, 2, 4], 0.5); // 2'],
    mean: ['measures', 'mean([1, 2, 6]); // 3'],
    slopeOf: ['trend', 'slopeOf([1, 3, 5]); // 2'],
    renderMarkdown: ['', 'console.log(renderMarkdown(rows));'],
  };
  const found = Object.hasOwn(examples, name) ? examples[name] : undefined;
  return found !== undefined && (found[0] === '' || parts.has(found[0])) ? found[1] : undefined;
}

function escapeDelimiter(delimiter: string): string {
  return literal(delimiter).slice(1, -1);
}
