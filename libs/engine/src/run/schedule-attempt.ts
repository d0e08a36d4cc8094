import type { TaskState } from '../state.js';
import type { Draft } from './draft.js';
import { agentFor } from './retry.js';

/** Opens the next attempt of a task. What an agent has begun goes on with the same agent. @param delayMs from now */
export function scheduleAttempt(draft: Draft, task: TaskState, delayMs: number): void {
  const agent = task.resumable && task.agent !== undefined ? task.agent : agentFor(task.spec, task.round);
  draft.emit({
    type: 'AttemptScheduled',
    taskId: task.spec.id,
    attempt: task.attempt + 1,
    notBefore: draft.now + delayMs,
    ...(agent === undefined ? {} : { agent }),
  });
}
