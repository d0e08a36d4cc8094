import type { Assignment, Json, StartAttempt } from '@cadre/contracts';
import { assignmentOf } from '../assignment.js';
import { accepted, duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { Draft } from '../run/draft.js';
import type { RunState, TaskState } from '../state.js';
import { recordTable } from '../task-table.js';
import { findTask } from './attempts.js';

/** An assignment is plain JSON; its optional fields only keep TypeScript from seeing it. */
function asJson(assignment: Assignment): Json {
  return assignment as unknown as Json;
}

function refusalOf(state: RunState, task: TaskState, command: StartAttempt, now: number): Decision | undefined {
  const name = `Attempt ${command.attempt} of task ${command.taskId}`;
  if (task.attempt !== command.attempt || task.status !== 'ready') return rejected('attempt-closed', `${name} is not open.`);
  if (now < task.notBefore) return rejected('not-yet', `${name} may start in ${task.notBefore - now} ms.`);
  if (now >= state.deadlineAt) return rejected('attempt-closed', `${name} comes after the deadline of its run.`);
  if (task.wantedAgent !== undefined && task.wantedAgent !== command.agent) {
    return rejected('invalid-command', `${name} is for agent ${task.wantedAgent}, not ${command.agent}.`);
  }
  return undefined;
}

export function decideStartAttempt(state: RunState, command: StartAttempt, context: DecideContext): Decision {
  const found = findTask(state, command);
  if (!found.found) return found.refusal;
  const { task } = found;
  if (task.attempt === command.attempt && task.status === 'running') {
    if (task.workerId === command.workerId) return duplicate(asJson(assignmentOf(state, recordTable(state.tasks), task)));
    return rejected('attempt-taken', `Attempt ${command.attempt} of task ${command.taskId} is held by another worker.`);
  }
  const refusal = refusalOf(state, task, command, context.now);
  if (refusal) return refusal;
  const draft = new Draft(state, context);
  draft.emit({
    type: 'AttemptStarted',
    taskId: command.taskId,
    attempt: command.attempt,
    agent: command.agent,
    workerId: command.workerId,
    deadlineAt: Math.min(context.now + task.spec.timeoutMs, state.deadlineAt),
  });
  return accepted(draft.events, asJson(assignmentOf(draft.run, draft, draft.need(command.taskId))));
}
