/** Progress as plain lines, for logs and pipes: one when a task starts, fails an attempt, waits for its model server, or ends. */
import { oneLine } from '../output/figures.js';
import { serverWaitText } from '../output/server-wait.js';
import type { ProgressDisplay } from './progress-display.js';
import { answerHint } from '../output/answer-hint.js';
import type { RunProgress } from './run-progress.js';
import type { TaskPhase, TaskProgress } from './task-progress.js';
import { taskLine } from './task-text.js';

const marks: Record<TaskPhase, string> = {
  waiting: ' ',
  ready: ' ',
  running: '>',
  asking: '?',
  open: ':',
  completed: '+',
  failed: '!',
  skipped: '-',
  cancelled: 'x',
};

export class PlainDisplay implements ProgressDisplay {
  private readonly shown = new Map<string, string>();

  constructor(private readonly write: (line: string) => void) {}

  update(tasks: TaskProgress[], { runId = '' }: RunProgress): void {
    for (const task of tasks) {
      if (this.waits(task)) continue;
      const state = `${task.phase}/${task.attempt}/${task.questions.map(({ questionId }) => questionId).join()}`;
      if (task.phase === 'waiting' || task.phase === 'ready' || this.shown.get(task.id) === state) continue;
      this.shown.set(task.id, state);
      const reason = task.note !== undefined && task.phase !== 'running' ? `: ${oneLine(task.note, 300)}` : '';
      this.write(`${marks[task.phase]} ${task.phase.padEnd(9)} ${task.id.padEnd(12)} ${taskLine(task, 120)}${reason}`);
      for (const question of task.questions) this.write(`            waits for an answer: ${answerHint(runId, question)}`);
    }
  }

  /** Of a wait each time is told; that it asks again in between is not, until it is answered. */
  private waits(task: TaskProgress): boolean {
    if (!task.waits || (task.phase !== 'ready' && task.phase !== 'running')) return false;
    const state = `waits/${task.attempt}`;
    if (task.phase === 'ready' && this.shown.get(task.id) !== state) {
      this.write(`~ waits     ${task.id.padEnd(12)} ${oneLine(`${task.title}: ${serverWaitText(task.waits, Date.now())}`, 400)}`);
      this.shown.set(task.id, state);
    }
    return true;
  }

  tell(line: string): void {
    this.write(line);
  }

  async finish(): Promise<void> {}
}
