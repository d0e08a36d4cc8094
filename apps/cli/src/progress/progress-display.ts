/** Shows the progress of a run while it goes on. */
import type { RunProgress } from './run-progress.js';
import type { TaskProgress } from './task-progress.js';

export interface ProgressDisplay {
  /** @param tasks those that changed */
  update(tasks: TaskProgress[], progress: RunProgress): void;
  /** Something about the run as a whole. */
  tell(line: string): void;
  /** No more updates come; settles when all is drawn. */
  finish(): Promise<void>;
}
