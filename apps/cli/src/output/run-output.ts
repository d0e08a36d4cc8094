/** How the end of a run is shown: the answer on stdout, all else on stderr, and the exit code. */
import type { Content, RunView } from '@cadre/contracts';
import { EXIT } from '../exit-codes.js';
import { painter, type Terminal } from '../terminal.js';
import { renderMarkdown } from './markdown.js';

export type OutputFormat = 'json' | 'text';

/** @returns the exit code */
export function showResult(run: RunView, format: OutputFormat, terminal: Terminal): number {
  if (format === 'json') terminal.out(JSON.stringify(run, null, 2));
  else if (run.answer !== undefined) showAnswer(run.answer, terminal);
  if (format === 'text' && run.error !== undefined) terminal.err(`The run failed: ${run.error.message} (${run.error.code})`);
  return exitCodeOfRun(run);
}

export function showAnswer(answer: Content, terminal: Terminal): void {
  const text = contentText(answer);
  // Piped output stays the Markdown that it is; only people get it rendered.
  terminal.out(terminal.outIsTty ? renderMarkdown(text, painter(true, terminal.env)) : text);
  if ('ref' in answer) terminal.err('The answer is longer than shown; the artifacts hold it in full.');
}

export const contentText = (content: Content): string => ('text' in content ? content.text : `${content.preview}…`);

export function exitCodeOfRun({ status, partial }: RunView): number {
  if (status === 'completed') return partial === true ? EXIT.partial : EXIT.ok;
  return status === 'cancelled' ? EXIT.cancelled : EXIT.failed;
}
