/** The engine's own answer: the results one after the other, for runs without an answer task and for when that task failed. */
import { INLINE_LIMIT_BYTES, fitsBytes, utf8Bytes } from '@cadre/contracts';
import type { Content } from '@cadre/contracts';
import type { TaskState } from '../state.js';

/** Room kept for what comes before the results. */
const RESERVED_BYTES = 3 * 1024;
const MAX_NAMED_FAILURES = 10;
const SHORTENED = '\n\n… (shortened; the whole text is in the result of this task)';

/** The longest prefix of at most so many bytes of UTF-8, without half a character at its end. */
export function prefixOfBytes(text: string, bytes: number): string {
  if (fitsBytes(text, bytes)) return text;
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += utf8Bytes(character);
    if (used > bytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}

function sectionText(content: Content, bytes: number): string {
  if (!('text' in content)) return prefixOfBytes(content.preview, bytes - SHORTENED.length) + SHORTENED;
  if (fitsBytes(content.text, bytes)) return content.text;
  return prefixOfBytes(content.text, Math.max(0, bytes - utf8Bytes(SHORTENED))) + SHORTENED;
}

/** What an answer begins with when something of what was asked for is in no output. */
export function notDoneLine(missing: readonly string[]): string {
  const named = missing.map((phrase) => prefixOfBytes(phrase.replace(/\s+/g, ' '), 160)).join('; ');
  return `> **Not done:** ${prefixOfBytes(named, RESERVED_BYTES / 2)}`;
}

function firstLine(text: string): string {
  return prefixOfBytes(text.split('\n', 1)[0] ?? '', 120);
}

function failureLines(work: TaskState[], failed: TaskState[], summaryFailure: string | undefined): string[] {
  const lines: string[] = [];
  if (failed.length > 0) {
    lines.push(`> **Partial result.** ${failed.length} of ${work.length} tasks did not succeed:`);
    for (const task of failed.slice(0, MAX_NAMED_FAILURES)) {
      lines.push(`> - ${firstLine(task.spec.title)}: ${firstLine(task.error?.message ?? task.skipped?.reason ?? task.status)}`);
    }
    if (failed.length > MAX_NAMED_FAILURES) lines.push(`> - and ${failed.length - MAX_NAMED_FAILURES} more`);
  }
  if (summaryFailure !== undefined)
    lines.push(`> No summary could be written (${firstLine(summaryFailure)}); these are the results as they came.`);
  return lines.length === 0 ? [] : [lines.join('\n')];
}

/**
 * @param work the run's work tasks in plan order
 * @param failed those of them that count as failed
 * @param missing what the results say that they have not
 * @param summaryFailure why there is no written answer, if one was wanted
 * @returns Markdown of at most `INLINE_LIMIT_BYTES`; a single whole result is passed on as it is
 */
export function composeAnswer(work: TaskState[], failed: TaskState[], missing: readonly string[] = [], summaryFailure?: string): Content {
  const results = work.flatMap((task) => (task.result ? [{ title: firstLine(task.spec.title), answer: task.result.answer }] : []));
  const [only] = results;
  const plain = failed.length === 0 && missing.length === 0 && summaryFailure === undefined;
  if (only && results.length === 1 && plain) return only.answer;
  const parts = [...(missing.length > 0 ? [notDoneLine(missing)] : []), ...failureLines(work, failed, summaryFailure)];
  if (results.length === 0) parts.push('No task had anything to do.');
  const each = Math.floor((INLINE_LIMIT_BYTES - RESERVED_BYTES) / Math.max(1, results.length));
  for (const { title, answer } of results) {
    const heading = `## ${title}\n\n`;
    const room = each - utf8Bytes(heading) - 2;
    if (room > 2 * SHORTENED.length) parts.push(heading + sectionText(answer, room));
  }
  return { text: prefixOfBytes(parts.join('\n\n'), INLINE_LIMIT_BYTES) };
}
