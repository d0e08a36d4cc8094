/** What is looked at in an outcome. Nothing here believes a word of the answer. */
import { isRounded, numbersIn, valuesIn } from './numbers.js';
import type { Check, Outcome } from './outcome.js';

export const completed: Check = ({ status, error }) =>
  status === 'completed' ? undefined : `the run is ${status}: ${error ?? 'no reason'}`;

/** @param exact computed from the data, not by Cadre */
export const states =
  (what: string, exact: number): Check =>
  (outcome) =>
    numbersIn(told(outcome)).some((written) => isRounded(written, exact) && precise(written.value, exact))
      ? undefined
      : `${what} is ${exact}, and that is not said`;

/** Rounding may not eat the figure: 3 for 3.4 says too little. */
const precise = (written: number, exact: number): boolean => Math.abs(written - exact) <= Math.max(1e-9, Math.abs(exact) * 0.01);

export const says =
  (what: string, pattern: RegExp): Check =>
  (outcome) =>
    pattern.test(told(outcome)) ? undefined : `${what} is not said`;

export const saysNot =
  (what: string, pattern: RegExp): Check =>
  (outcome) =>
    pattern.test(told(outcome)) ? `${what} is said` : undefined;

/** @param expected keeps to a limit of files */
export const leaves =
  (pattern: RegExp, content: RegExp = /\S/): Check =>
  ({ files }) =>
    Object.entries(files).some(([name, text]) => pattern.test(name) && content.test(text))
      ? undefined
      : `there is no file like ${pattern.source} with ${content.source}`;

export const called =
  (tool: string): Check =>
  ({ tools }) =>
    resultsOf(tools, tool).length > 0 ? undefined : `${tool} was not called, or only failed`;

/** The last run of the tests counts: some passed, none failed. */
export const testsPass: Check = ({ tools }) => {
  const last = resultsOf(tools, 'run_tests').at(-1) as { passed: number; failed: number } | undefined;
  if (last === undefined) return 'no tests were run';
  return last.passed > 0 && last.failed === 0 ? undefined : `${last.passed} tests passed, ${last.failed} failed`;
};

export const typesHold: Check = ({ tools }) => {
  const last = resultsOf(tools, 'check_types').at(-1) as { ok: boolean } | undefined;
  return last === undefined ? 'the types were not checked' : last.ok ? undefined : 'the types do not hold';
};

export const plans =
  (what: string, ...skills: string[]): Check =>
  ({ plan }) =>
    plan.some((task) => skills.every((skill) => task.skills.includes(skill))) ? undefined : `${what} is in no task of the plan`;

/**
 * Every number of the answer is in the goal, the data, or what a tool has answered, or follows from that by counting: rows of a file, lines
 * of a file that was written, a count of a tool as a share of the rows. Few things may be counted by hand.
 */
export const nothingInvented: Check = ({ answer, goal, inputs, tools, files }) => {
  const told = tools.flatMap(({ result }) => valuesIn(result)).map(({ value }) => value);
  const given = [...numbersIn(goal), ...Object.values(inputs).flatMap(valuesIn)].map(({ value }) => value);
  const rows = Object.entries(inputs).map(rowsIn);
  const counts = [Object.keys(files).length, ...rows, ...Object.values(files).map(linesOf)];
  const known = ascending([...told, ...given, ...counts]);
  const shares = rows.flatMap((all) => told.filter(Number.isInteger).map((count) => count / all));
  const percent = ascending([...told, ...shares].map((part) => part * 100));
  const invented = numbersIn(prose(answer)).filter(({ value, decimals, isPercent }) => {
    const [size, within] = [Math.abs(value), 0.5000001 * 10 ** -decimals];
    return size > COUNTED_BY_HAND && !isNear(known, size, within) && !(isPercent && isNear(percent, size, within));
  });
  return invented.length === 0
    ? undefined
    : `${invented
        .slice(0, 3)
        .map(({ text }) => text)
        .join(', ')}: in neither data nor tool results`;
};

function rowsIn([name, text]: [string, string]): number {
  if (name.endsWith('.json')) return (JSON.parse(text) as unknown[]).length;
  return name.endsWith('.csv') ? linesOf(text) - 1 : linesOf(text);
}

/** With or without a line break at the end. */
const linesOf = (text: string): number => text.replace(/\n$/, '').split('\n').length;

const ascending = (values: readonly number[]): Float64Array => Float64Array.from(values, Math.abs).sort();

const COUNTED_BY_HAND = 31;

/** Without code, paths and ordinals of lists. */
const prose = (text: string): string => text.replace(/```[\s\S]*?```|`[^`]*`|\]\([^)]*\)|^\s*\d+\.\s/gm, ' ');

function isNear(sorted: Float64Array, value: number, within: number): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value - within) low = middle + 1;
    else high = middle;
  }
  return low < sorted.length && sorted[low]! <= value + within;
}

/** What people read: the answer, and the reports that go with it. */
const told = ({ answer, files }: Outcome): string =>
  [answer, ...Object.entries(files).flatMap(([name, text]) => (name.endsWith('.md') ? [text] : []))].join('\n');

function resultsOf(tools: Outcome['tools'], name: string): unknown[] {
  return tools.flatMap((each) => {
    if (each.name !== name) return [];
    try {
      const result = JSON.parse(each.result) as { error?: unknown };
      return result.error === undefined ? [result] : [];
    } catch {
      return [];
    }
  });
}
