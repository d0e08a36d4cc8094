/** Progress as plain lines, for logs and pipes: one when a task starts, fails an attempt, or ends. */
import { oneLine } from '../output/figures.js';
import type { ProgressDisplay } from './progress-display.js';
import type { TaskPhase, TaskProgress } from './run-progress.js';
import { taskLine } from './task-text.js';

const marks: Record<TaskPhase, string> = {
  waiting: ' ',
  ready: ' ',
  running: '>',
  completed: '+',
  failed: '!',
  skipped: '-',
  cancelled: 'x',
};

export class PlainDisplay implements ProgressDisplay {
  private readonly shown = new Map<string, string>();

  constructor(private readonly write: (line: string) => void) {}

  update(tasks: TaskProgress[]): void {
    for (const task of tasks) {
      const state = `${task.phase}/${task.attempt}`;
      if (task.phase === 'waiting' || task.phase === 'ready' || this.shown.get(task.id) === state) continue;
      this.shown.set(task.id, state);
      const reason = task.note !== undefined && task.phase !== 'running' ? `: ${oneLine(task.note, 300)}` : '';
      this.write(`${marks[task.phase]} ${task.phase.padEnd(9)} ${task.id.padEnd(12)} ${taskLine(task, 120)}${reason}`);
    }
  }

  async finish(): Promise<void> {}
}
