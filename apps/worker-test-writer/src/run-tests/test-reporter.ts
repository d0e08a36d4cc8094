/**
 * A reporter for Node's test runner: writes what the run needs to know as lines of JSON into the file named by CADRE_TEST_REPORT, and
 * nothing to standard output, which belongs to the tests.
 */
import { appendFileSync } from 'node:fs';

/** One line of the report. */
export type ReportLine =
  | { type: 'test'; outcome: 'passed' | 'failed' | 'skipped'; name: string; message?: string }
  | { type: 'summary'; passed: number; failed: number; skipped: number };

interface TestEvent {
  type: string;
  data: {
    name?: string;
    message?: string;
    nesting?: number;
    skip?: unknown;
    todo?: unknown;
    details?: { type?: string; error?: Error & { cause?: unknown; failureType?: string } };
    counts?: { passed: number; failed: number; cancelled: number; skipped: number; todo: number };
  };
}

const MESSAGE_CHARACTERS = 2000;

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const path = process.env['CADRE_TEST_REPORT'] ?? '';
  const names: string[] = [];
  for await (const { type, data } of events) {
    const depth = data.nesting ?? 0;
    if (type === 'test:start') names.splice(depth, names.length, data.name ?? '');
    const line = lineOf(type, data, [...names.slice(0, depth), data.name ?? ''].join(' > '));
    if (line) appendFileSync(path, `${JSON.stringify(line)}\n`);
  }
  yield '';
}

function lineOf(type: string, data: TestEvent['data'], name: string): ReportLine | undefined {
  if (type === 'test:summary' && data.counts) {
    const { passed, failed, cancelled, skipped, todo } = data.counts;
    return { type: 'summary', passed, failed: failed + cancelled, skipped: skipped + todo };
  }
  // Errors that no test caught, or that came after their test had ended, are only mentioned; Node counts them nowhere.
  if (type === 'test:diagnostic' && /^Error: .*asynchronous activity/.test(data.message ?? '')) {
    return {
      type: 'test',
      outcome: 'failed',
      name: 'an error outside of the tests',
      message: (data.message ?? '').slice(0, MESSAGE_CHARACTERS),
    };
  }
  const error = data.details?.error;
  const suite = data.details?.type === 'suite';
  if (type === 'test:fail' && data.todo === undefined) {
    if (suite && error?.failureType === 'subtestsFailed') return undefined;
    return { type: 'test', outcome: 'failed', name, message: messageOf(error) };
  }
  if (type !== 'test:pass' || suite) return undefined;
  return { type: 'test', outcome: data.skip !== undefined || data.todo !== undefined ? 'skipped' : 'passed', name };
}

/** What went wrong, and where in the tests' own files. */
function messageOf(error: (Error & { cause?: unknown }) | undefined): string {
  const cause = error?.cause ?? error;
  if (!(cause instanceof Error)) return String(cause).slice(0, MESSAGE_CHARACTERS);
  const root = `${process.cwd()}/`;
  const place = cause.stack
    ?.split('\n')
    .find((line) => line.includes(root))
    ?.trim();
  return `${cause.message}${place ? `\n${place}` : ''}`.replaceAll(`file://${root}`, '').replaceAll(root, '').slice(0, MESSAGE_CHARACTERS);
}
