/** How the end of a run is shown: the answer on stdout, all else on stderr, and the exit code. */
import type { RunView } from '@cadre/contracts';
import type { CadreClient } from '@cadre/sdk';
import { EXIT } from '../exit-codes.js';
import { painter, type Terminal } from '../terminal.js';
import { degradation } from './degradation.js';
import { count } from './figures.js';
import { renderMarkdown } from './markdown.js';

export type OutputFormat = 'json' | 'text';
const MOST_NAMED = 10;

/** @returns the exit code */
export async function showResult(run: RunView, client: CadreClient, format: OutputFormat, terminal: Terminal): Promise<number> {
  if (format === 'json') terminal.out(await runDocument(run, client));
  else if (run.answer !== undefined) showAnswer(await wholeAnswer(run, client), terminal);
  if (format === 'text') for (const line of underLoad(run)) terminal.err(line);
  if (format === 'text' && run.error !== undefined) terminal.err(`The run failed: ${run.error.message} (${run.error.code})`);
  return exitCodeOfRun(run);
}

/** What was done otherwise than it was to be, because there were too few slots. */
function underLoad({ tasks }: RunView): string[] {
  const given = tasks.filter(({ status, queuedMs }) => status === 'completed' && queuedMs !== undefined);
  if (given.length === 0) return [];
  const named = given.slice(0, MOST_NAMED).map((task) => `  ${task.taskId} by ${task.agent ?? ''} ${degradation(task)}`);
  const more = given.length > MOST_NAMED ? [`  and ${count(given.length - MOST_NAMED, 'more task')}`] : [];
  return [`Done otherwise than asked, as there were too few slots: ${count(given.length, 'task')}`, ...named, ...more];
}

/** The run as one JSON document, with its whole answer. */
export async function runDocument(run: RunView, client: CadreClient): Promise<string> {
  const whole = run.answer === undefined ? run : { ...run, answer: { text: await wholeAnswer(run, client) } };
  return JSON.stringify(whole, null, 2);
}

/** Piped output stays the Markdown that it is; only people get it rendered. */
function showAnswer(text: string, terminal: Terminal): void {
  terminal.out(terminal.outIsTty ? renderMarkdown(text, painter(true, terminal.env)) : text);
}

/** The view holds only the beginning of a long one. */
export async function wholeAnswer({ runId, answer }: RunView, client: CadreClient): Promise<string> {
  if (answer === undefined) return '';
  return 'text' in answer ? answer.text : await client.answer(runId);
}

export function exitCodeOfRun({ status, partial }: RunView): number {
  if (status === 'completed') return partial === true ? EXIT.partial : EXIT.ok;
  return status === 'cancelled' ? EXIT.cancelled : EXIT.failed;
}
