/**
 * Progress in a terminal: a list that redraws itself, where finished tasks keep their line. The list library wants to know its tasks before
 * it runs them, and a run's tasks become known in groups: each group gets a list of its own, one after the other.
 */
import { Listr, ListrLogger, ProcessOutput, type ListrTaskWrapper } from 'listr2';
import { answerHint } from '../output/answer-hint.js';
import { oneLine } from '../output/figures.js';
import { serverWaitText } from '../output/server-wait.js';
import type { ProgressDisplay } from './progress-display.js';
import type { RunProgress } from './run-progress.js';
import { hasEnded, type TaskProgress } from './task-progress.js';
import { taskLine } from './task-text.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Row = ListrTaskWrapper<unknown, any, any>;

export class LiveDisplay implements ProgressDisplay {
  private readonly rows = new Map<string, { task: TaskProgress; row?: Row; settle: () => void; settled: Promise<void> }>();
  private runId = '';
  private drawing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly width: number,
  ) {}

  update(tasks: TaskProgress[], { runId = '' }: RunProgress): void {
    this.runId = runId;
    const added = tasks.filter(({ id }) => !this.rows.has(id));
    for (const task of added) {
      let settle = (): void => undefined;
      const settled = new Promise<void>((resolve) => (settle = resolve));
      this.rows.set(task.id, { task, settle, settled });
    }
    if (added.length > 0) this.draw(added);
    for (const task of tasks) {
      this.refresh(task);
      if (hasEnded(task)) this.rows.get(task.id)?.settle();
    }
  }

  async finish(): Promise<void> {
    for (const { settle } of this.rows.values()) settle();
    await this.drawing;
  }

  private refresh(task: TaskProgress): void {
    const row = this.rows.get(task.id)?.row;
    if (row === undefined) return;
    const [question] = task.questions;
    const title = taskLine(task, this.width - 6);
    row.title = question === undefined ? title : `${title}: ${oneLine(question.text, 300)}`;
    // Whole, however long: it is there to be copied.
    if (question !== undefined) row.output = `answer: ${answerHint(this.runId, question)}`;
    else row.output = underway(task, this.width - 8);
  }

  /** The list has no place for it; tasks that run show that they wind up. */
  tell(): void {}

  private draw(tasks: TaskProgress[]): void {
    this.drawing = this.drawing.then(() => this.list(tasks).run()).catch(() => undefined);
  }

  /** Made when the list before it is through: until then the stream's `write` is that list's, and what is written would be kept back. */
  private list(tasks: TaskProgress[]): Listr {
    const logger = new ListrLogger({ processOutput: new ProcessOutput(this.stream, this.stream) });
    const rows = tasks.map((task) => ({ title: taskLine(task, this.width - 6), task: (_: unknown, row: Row) => this.follow(task, row) }));
    return new Listr(rows, {
      ...{ concurrent: true, exitOnError: false, registerSignalListeners: false, forceTTY: true },
      rendererOptions: { logger, collapseErrors: true, collapseSkips: true, showErrorMessage: false },
    });
  }

  /** Settles with the task, in the way that the list shows a tick, a cross or an arrow for. */
  private async follow(task: TaskProgress, row: Row): Promise<void> {
    const entry = this.rows.get(task.id)!;
    entry.row = row;
    this.refresh(task);
    await entry.settled;
    const reason = task.note === undefined ? '' : `: ${oneLine(task.note, 200)}`;
    row.title = taskLine(task, this.width - 6);
    if (task.phase === 'failed') {
      row.title += reason;
      throw new Error(task.note ?? 'failed');
    }
    if (task.phase !== 'completed') row.skip(`${row.title} · ${hasEnded(task) ? task.phase : 'not finished'}${reason}`);
  }
}

function underway({ phase, note, waits }: TaskProgress, width: number): string {
  // With all that the server said: it is what the person waits for.
  if (waits && phase === 'ready') return oneLine(serverWaitText(waits, Date.now()), 400);
  return phase === 'running' && note !== undefined ? oneLine(note, width) : '';
}
