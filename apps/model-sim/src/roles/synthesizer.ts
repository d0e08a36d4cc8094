/** The synthesizer: one answer from what all tasks reported; nothing that no task said. */
import type { AgentReply } from '@cadre/contracts';
import type { Brief, Result } from '../conversation.js';
import type { Script } from '../script/script.js';
import { blocks, code, count, HONESTY } from '../text/words.js';

/** Lines kept of one task's answer. */
const LINES = { analysis: 16, other: 8 };

export function* synthesizer(brief: Brief): Script<AgentReply> {
  const done = brief.results.filter((result) => result.status === 'completed');
  const undone = brief.results.filter((result) => result.status !== 'completed');
  const goal = brief.goal.replace(/\s+/g, ' ').trim();
  const answer = blocks(
    `# ${goal.length > 110 ? `${goal.slice(0, 109)}…` : goal}`,
    headline(done, undone),
    ...done.map(section),
    undone.length > 0 ? `## Not done\n\n${undone.map(undoneLine).join('\n')}` : '',
    artifactsText(done),
    HONESTY,
  );
  return { answer: done.length > 0 ? answer : blocks(answer, 'No task produced a result.'), confidence: confidenceOf(done, undone) };
}

function headline(done: readonly Result[], undone: readonly Result[]): string {
  const total = done.length + undone.length;
  if (undone.length === 0) return total === 1 ? 'The task is complete.' : `All ${total} tasks are complete.`;
  return `**Partial result**: ${done.length} of ${count(total, 'task')} completed.`;
}

function section(result: Result): string {
  const lines = keptLines(
    result.answer ?? '',
    /analy/i.test(result.title) || result.agent === 'data-analyst' ? LINES.analysis : LINES.other,
  );
  const doubt = result.confidence !== undefined && result.confidence < 0.5 ? [`(confidence ${result.confidence})`] : [];
  const by = result.agent === undefined ? '' : ` (${result.agent})`;
  return `## ${result.title || result.taskId}${by}\n\n${[...lines, ...doubt].join('\n') || 'It reported nothing.'}`;
}

/** The answer without its own headings, its list of files and the note that every answer has. */
function keptLines(answer: string, most: number): string[] {
  const lines = answer
    .replace(HONESTY, '')
    .split('\n')
    .filter((line) => !/^#{1,6} /.test(line) && !/^Written: /.test(line))
    .map((line) => line.trimEnd());
  const kept = lines.filter((line, index) => line !== '' || (lines[index - 1] ?? '') !== '');
  while (kept.at(-1) === '') kept.pop();
  while (kept[0] === '') kept.shift();
  if (kept.length <= most) return kept;
  return [...kept.slice(0, most), `… and more in its artifacts (${kept.length - most} lines left out here).`];
}

function undoneLine({ title, taskId, status, error }: Result): string {
  const why = error === undefined ? '' : `: ${error.replace(/\s+/g, ' ').slice(0, 300)}`;
  return `- ${title || taskId} (${status})${why}`;
}

function artifactsText(done: readonly Result[]): string {
  const lines = done
    .filter((result) => result.artifacts.length > 0)
    .map((result) => `- ${result.title || result.taskId}: ${result.artifacts.slice(0, 12).map(code).join(', ')}`);
  return lines.length > 0 ? `## Artifacts\n\n${lines.join('\n')}` : '';
}

function confidenceOf(done: readonly Result[], undone: readonly Result[]): number {
  if (done.length === 0) return 0.1;
  const lowest = Math.min(...done.map((result) => result.confidence ?? 0.5));
  return Math.round(Math.min(lowest, undone.length > 0 ? 0.5 : 1) * 100) / 100;
}
