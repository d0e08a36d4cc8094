/**
 * Work that an agent gives to others. Its attempt ends with that, so that no slot is held by who only waits, and the task becomes a scope
 * for as long as the work takes: one item for each time that it has given work away. What came of it is the answer of the call that asked
 * for it, and the next attempt goes on from there.
 */
import { DELEGATING_TOOLS, childId, utf8Bytes } from '@cadre/contracts';
import type { CallSettlement, Delegated, TaskId } from '@cadre/contracts';
import type { Delegating, TaskState } from '../state.js';
import type { Draft } from './draft.js';
import { textOf } from './expression-input.js';
import { scheduleAttempt } from './schedule-attempt.js';

const DELEGATING: ReadonlySet<string> = new Set(DELEGATING_TOOLS);

/** Of all answers together, as the waiting call tells them; the next attempt has the whole ones among its results. */
const ANSWERS_BYTES = 12 * 1024;
const ERROR_CHARACTERS = 300;

export function isDelegatingTool(name: string): boolean {
  return DELEGATING.has(name);
}

/** The tasks of the delegation that a task waits for. */
export function delegatedTasks(draft: Draft, id: TaskId): TaskState[] {
  const { spec, scope } = draft.need(id);
  const item = (scope?.count ?? 1) - 1;
  return (spec.scope?.body ?? []).map(({ id: name }) => draft.need(childId(id, item, name)));
}

function shortened(text: string, bytes: number): string {
  if (utf8Bytes(text) <= bytes) return text;
  const mark = ' …(shortened)';
  // A character takes up to four bytes.
  return text.slice(0, Math.floor((bytes - mark.length) / 4)).toWellFormed() + mark;
}

function tell(tasks: readonly TaskState[]): Delegated {
  const share = Math.floor(ANSWERS_BYTES / tasks.length);
  const results = tasks.map((task): Delegated['results'][number] => {
    const error = task.skipped?.reason ?? (task.result ? undefined : task.error?.message);
    return {
      task: task.spec.id.slice(task.spec.id.lastIndexOf('~') + 1),
      status: task.status as Delegated['results'][number]['status'],
      ...(task.agent === undefined ? {} : { agent: task.agent }),
      ...(task.result ? { answer: shortened(textOf(task.result.answer), share) } : {}),
      ...(task.result?.confidence === undefined ? {} : { confidence: task.result.confidence }),
      artifacts: (task.result?.artifacts ?? []).slice(0, 20).map(({ name }) => name),
      ...(error === undefined ? {} : { error: error.slice(0, ERROR_CHARACTERS).toWellFormed() }),
    };
  });
  return { results };
}

/** @returns the task with its answer */
function answerCall(draft: Draft, task: TaskState, { key }: Delegating, tasks: readonly TaskState[]): TaskState {
  const ok = tasks.some(({ status }) => status === 'completed');
  const settlement: CallSettlement = {
    key,
    try: draft.call(task.spec.id, key)?.try ?? 1,
    outcome: 'done',
    ok,
    note: `${tasks.filter(({ status }) => status === 'completed').length} of ${tasks.length} tasks done by others`,
    at: draft.now,
    durationMs: 0,
    inputTokens: 0,
    outputTokens: 0,
    costMicros: 0,
    body: { text: JSON.stringify(tell(tasks)) },
  };
  return draft.emit({ type: 'CallsSettled', taskId: task.spec.id, attempt: task.attempt, calls: [settlement] });
}

/**
 * All that was given to others has ended: the task goes on, or has ended with it where it was handed over.
 * @returns whether the task has ended
 */
export function endDelegation(draft: Draft, task: TaskState): boolean {
  const { id } = task.spec;
  const delegating = task.delegating as Delegating;
  const tasks = delegatedTasks(draft, id);
  const [heir] = tasks;
  if (delegating.handOff && heir?.result) {
    draft.emit({ type: 'TaskCompleted', taskId: id, attempt: 0, result: heir.result });
    return true;
  }
  scheduleAttempt(draft, answerCall(draft, task, delegating, tasks), 0);
  return false;
}
