/** What came of a test file's process: from the reporter's lines, and from how the process ended. */
import { readFileSync, statSync } from 'node:fs';
import type { ToolResult } from '@cadre/contracts';
import type { ConfinedResult } from '@cadre/worker-kit';
import type { ReportLine } from './test-reporter.js';

type TestRun = ToolResult<'run_tests'>;

export interface FileRun extends Pick<TestRun, 'passed' | 'failed' | 'skipped' | 'failures' | 'output' | 'stopped'> {
  file: string;
}

const REPORT_BYTES = 8 * 1024 * 1024;
const OUTPUT_CHARACTERS = 8000;
const MOST_FAILURES = 30;

/** @param report path of the reporter's file, which need not be there @param root of the workspace; it is cut out of texts */
export function fileRun(file: string, result: ConfinedResult, report: string, root: string): FileRun {
  const { lines, tooLong } = readReport(report);
  const tests = lines.filter((line) => line.type === 'test');
  const summary = lines.findLast((line) => line.type === 'summary');
  const counted = (outcome: string): number => tests.filter((test) => test.outcome === outcome).length;
  const counts = summary ?? { passed: counted('passed'), failed: counted('failed'), skipped: counted('skipped') };
  const failures = tests.flatMap(({ outcome, name, message }) => (outcome === 'failed' ? [{ name, message: message ?? '' }] : []));
  const output = `${result.stdout}${result.stderr}`.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '').trim();
  const stopped = result.stopped ?? (tooLong ? 'output' : undefined);
  const wrong = stopped
    ? STOPPED[stopped]
    : problemOf(result, summary !== undefined, { ...counts, failed: Math.max(counts.failed, failures.length) }, output);
  if (wrong !== undefined) failures.push({ name: file, message: wrong });
  return {
    file,
    passed: counts.passed,
    failed: Math.max(counts.failed, failures.length),
    skipped: counts.skipped,
    failures,
    output,
    ...(stopped && { stopped }),
  };
}

const STOPPED = {
  time: 'Stopped: the tests took too long. One may loop, wait for ever, or leave a timer or a handle open.',
  memory: 'Stopped: the tests used too much memory.',
  output: 'Stopped: the tests printed too much.',
};

/** What is wrong besides failed tests. */
function problemOf(
  { code }: ConfinedResult,
  complete: boolean,
  { passed, failed, skipped }: { passed: number; failed: number; skipped: number },
  output: string,
): string | undefined {
  if (!complete || (code !== 0 && failed === 0)) {
    const reason = output.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line));
    const said = reason.slice(-8).join('\n').slice(0, 1500);
    return `The process ended before the tests did (exit code ${code ?? 'none'}).${said && `\n${said}`}`;
  }
  return passed + failed + skipped === 0 ? 'The file holds no tests.' : undefined;
}

/** The lines that were written before the process ended; a last one that was cut is left out. */
function readReport(path: string): { lines: ReportLine[]; tooLong: boolean } {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0 || size > REPORT_BYTES) return { lines: [], tooLong: size > 0 };
  const lines = readFileSync(path, 'utf8').split('\n');
  return { lines: lines.flatMap((line) => parse(line) ?? []), tooLong: false };
}

/** The file lies where the tests can write, so its lines are not taken on trust. */
function parse(line: string): ReportLine | undefined {
  try {
    const value = JSON.parse(line) as ReportLine;
    const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && Number(n) >= 0;
    if (value.type === 'summary') return isCount(value.passed) && isCount(value.failed) && isCount(value.skipped) ? value : undefined;
    return value.type === 'test' && typeof value.name === 'string' ? { ...value, message: String(value.message ?? '') } : undefined;
  } catch {
    return undefined;
  }
}

/** The result of all files. Without the time: it is never the same twice, and the record of the call has it. */
export function totalOf(runs: FileRun[]): TestRun {
  const sum = (key: 'passed' | 'failed' | 'skipped'): number => runs.reduce((total, run) => total + run[key], 0);
  const output = runs
    .map((run) => run.output)
    .filter(Boolean)
    .join('\n');
  const stopped = runs.find((run) => run.stopped)?.stopped;
  return {
    ok: sum('failed') === 0 && stopped === undefined,
    passed: sum('passed'),
    failed: sum('failed'),
    skipped: sum('skipped'),
    ...(stopped && { stopped }),
    failures: runs.flatMap((run) => run.failures).slice(0, MOST_FAILURES),
    output: output.length > OUTPUT_CHARACTERS ? `…${output.slice(-OUTPUT_CHARACTERS)}` : output,
  };
}
