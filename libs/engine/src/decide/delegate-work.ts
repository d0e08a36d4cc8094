/** An agent gives work to others: its attempt ends, and its task waits for them. */
import { MAX_PLAN_TASKS, SCOPE_LIMITS, TaskId, childId } from '@cadre/contracts';
import type { DelegateWork } from '@cadre/contracts';
import { accepted, duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { describeProblems, validatePlannedTasks } from '../plan/validate-plan.js';
import { advance } from '../run/advance.js';
import { CLOSED_BY } from '../run/close-attempt.js';
import { isDelegatingTool } from '../run/delegations.js';
import { Draft } from '../run/draft.js';
import { depthOf, openDelegated } from '../run/scopes.js';
import { settleUnknown } from '../run/settle-calls.js';
import type { RunState, TaskState } from '../state.js';
import { taskOf } from '../task-table.js';
import { findRunning, isClosed, settleSaid } from './attempts.js';

/** Why the work cannot be given to others; the agent is told so and goes on. */
function refusalOf(draft: Draft, task: TaskState, { key, tasks, handOff }: DelegateWork): Decision | undefined {
  const { id } = task.spec;
  const call = draft.call(id, key);
  if (call?.status !== 'open' || call.kind !== 'tool' || !isDelegatingTool(call.name))
    return rejected('invalid-command', `Call ${key} of task ${id} is none that waits for the work of others.`);
  if ((task.openCalls ?? []).some((other) => other !== key))
    return rejected('invalid-command', 'Other calls of the attempt are on their way; wait for them first.');
  if (task.scope) return rejected('invalid-plan', 'Who combines what others have brought cannot give it to others; do it yourself.');
  if (handOff && tasks.length > 1) return rejected('invalid-plan', 'A task can be handed over as one task only.');
  if (depthOf(id) >= SCOPE_LIMITS.depth)
    return rejected('invalid-plan', `Work has been handed on ${SCOPE_LIMITS.depth} times already; do it yourself.`);
  const problems = validatePlannedTasks(tasks);
  if (problems.length > 0) return rejected('invalid-plan', describeProblems(problems));
  const item = task.delegated?.count ?? 0;
  if (tasks.some((spec) => !TaskId.safeParse(childId(id, item, spec.id)).success))
    return rejected('invalid-plan', 'The names of the tasks become too long; use shorter ones.');
  if (draft.run.taskCount + tasks.length > MAX_PLAN_TASKS)
    return rejected('invalid-plan', `The run would have more than ${MAX_PLAN_TASKS} tasks.`);
  return undefined;
}

export function decideDelegateWork(state: RunState, command: DelegateWork, context: DecideContext): Decision {
  const known = taskOf(state.tasks, command.taskId);
  if (known && isClosed(known, command)) return duplicate();
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  if (state.status === 'cancelling') return rejected('not-granted', 'The run is being cancelled.');
  const { taskId, key, tasks, handOff } = command;
  const draft = new Draft(state, context);
  const stray = settleSaid(draft, command);
  if (stray) return stray;
  const refusal = refusalOf(draft, draft.need(taskId), command);
  if (refusal) return refusal;
  settleUnknown(draft, taskId, 'waits for the work of others');
  const { attempt, delegated } = draft.need(taskId);
  const error = { code: CLOSED_BY.delegated, message: 'It waits for work that it gave to others.', retriable: true };
  draft.emit({ type: 'AttemptFailed', taskId, attempt, error, counted: false });
  const count = (delegated?.count ?? 0) + 1;
  draft.emit({ type: 'TaskOpened', taskId, count, delegated: { key, tasks, ...(handOff && { handOff }) } });
  advance(draft, [], openDelegated(draft, taskId));
  return accepted(draft.events);
}
