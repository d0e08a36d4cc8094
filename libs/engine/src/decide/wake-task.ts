/** A task that the engine does itself moves on: its time is up, or the event that it waits for has come. */
import { utf8Bytes } from '@cadre/contracts';
import type { OutsideEvent, TaskId, WakeTask } from '@cadre/contracts';
import { accepted, duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { evaluateCondition } from '../plan/expressions.js';
import { advance } from '../run/advance.js';
import { Draft } from '../run/draft.js';
import { inputOf } from '../run/expression-input.js';
import { judgeAtDeadline } from '../run/scopes.js';
import { isOpen } from '../state.js';
import type { RunState, TaskState } from '../state.js';
import { recordTable, taskOf } from '../task-table.js';

const MAX_EVENT_BYTES = 16 * 1024;

function completeWait(draft: Draft, id: TaskId, text: string): void {
  const result = { answer: { text }, confidence: 1, artifacts: [] };
  draft.emit({ type: 'TaskCompleted', taskId: id, attempt: 0, result });
  advance(draft, [id]);
}

/** Whether an event is the one that a task waits for, as its type and its expression say. */
function isAwaited(state: RunState, task: TaskState, event: OutsideEvent): boolean {
  const { wait } = task.spec;
  if (!wait || !('event' in wait) || wait.event !== event.type) return false;
  if (wait.where === undefined) return true;
  const seen = { event: { ...event, data: event.data ?? null } };
  const outcome = evaluateCondition(wait.where, inputOf(state, recordTable(state.tasks), task, seen));
  return outcome.ok && outcome.value;
}

/** An event that comes again must not wake what waits for the next one. */
function isUsed(state: RunState, text: string): boolean {
  return Object.values(state.tasks).some(
    ({ spec, result }) => spec.wait && result && 'text' in result.answer && result.answer.text === text,
  );
}

/** The time of a wait or of a scope is up. */
function timeUp(draft: Draft, task: TaskState): void {
  const { id, scope, wait, title } = task.spec;
  if (scope) {
    return advance(draft, judgeAtDeadline(draft, id) ? [id] : []);
  }
  if (wait && 'delayMs' in wait) return completeWait(draft, id, '');
  const message = `No event came in time for ${title}.`;
  draft.emit({ type: 'TaskFailed', taskId: id, error: { code: 'wait-timeout', message, retriable: false } });
  advance(draft, [id]);
}

export function decideWakeTask(state: RunState, command: WakeTask, context: DecideContext): Decision {
  const task = taskOf(state.tasks, command.taskId);
  if (!task) return rejected('unknown-task', `The run has no task ${command.taskId}.`);
  if (!isOpen(task)) return duplicate();
  if (task.status !== 'open' || state.status === 'cancelling') return rejected('not-yet', `Task ${command.taskId} does not wait.`);
  if (command.event) {
    if (!isAwaited(state, task, command.event)) return rejected('not-awaited', `Task ${command.taskId} does not wait for this event.`);
    const text = JSON.stringify(command.event);
    if (utf8Bytes(text) > MAX_EVENT_BYTES) return rejected('invalid-command', `The event is longer than ${MAX_EVENT_BYTES} bytes.`);
    if (isUsed(state, text)) return duplicate();
    const draft = new Draft(state, context);
    completeWait(draft, command.taskId, text);
    return accepted(draft);
  }
  const leftMs = (task.wakeAt ?? Infinity) - context.now;
  if (leftMs > 0) return rejected('not-yet', `Task ${command.taskId} has ${leftMs} ms left.`);
  const draft = new Draft(state, context);
  timeUp(draft, task);
  return accepted(draft);
}
