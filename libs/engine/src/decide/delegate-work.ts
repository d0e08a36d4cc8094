/** An agent gives work to others: its attempt ends, and its task waits for them. */
import type { AgentName, DelegateWork, TaskSpec } from '@cadre/contracts';
import { accepted, duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { describeProblems, validatePlannedTasks } from '../plan/validate-plan.js';
import { advance } from '../run/advance.js';
import { CLOSED_BY } from '../run/close-attempt.js';
import { isDelegatingTool } from '../run/delegations.js';
import { Draft } from '../run/draft.js';
import { delegationLimit, openDelegated } from '../run/scopes.js';
import { settleUnknown } from '../run/settle-calls.js';
import type { RunState, TaskState } from '../state.js';
import { taskOf } from '../task-table.js';
import { findRunning, isClosed, settleSaid } from './attempts.js';

/**
 * Work that would go to others than those whom the task may speak to, told in words. Who is asked by skills may be anybody who has them.
 */
function notPeers(peers: readonly AgentName[] | undefined, tasks: readonly TaskSpec[]): string | undefined {
  if (peers === undefined) return undefined;
  const isPeer = ({ agent, agentFrom, fallbackAgents, scope, wait }: TaskSpec): boolean => {
    if (scope && notPeers(peers, scope.body) !== undefined) return false;
    if (wait || (scope && scope.combine.by !== 'custom')) return true;
    return agent !== undefined && agentFrom === undefined && [agent, ...fallbackAgents].every((name) => peers.includes(name));
  };
  if (tasks.every(isPeer)) return undefined;
  return peers.length === 0
    ? 'This task may give no work to others; do it yourself.'
    : `This task may give work only to ${peers.join(', ')}: name one of them as the agent.`;
}

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
  const strangers = notPeers(task.spec.peers, tasks);
  if (strangers) return rejected('invalid-plan', strangers);
  const problems = validatePlannedTasks(tasks);
  if (problems.length > 0) return rejected('invalid-plan', describeProblems(problems));
  const limit = delegationLimit(draft, task, tasks);
  return limit === undefined ? undefined : rejected('invalid-plan', limit);
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
  const { attempt, delegated } = settleUnknown(draft, taskId, 'waits for the work of others');
  const error = { code: CLOSED_BY.delegated, message: 'It waits for work that it gave to others.', retriable: true };
  draft.emit({ type: 'AttemptFailed', taskId, attempt, error, counted: false });
  const count = (delegated?.count ?? 0) + 1;
  const opened = draft.emit({ type: 'TaskOpened', taskId, count, delegated: { key, tasks, ...(handOff && { handOff }) } });
  advance(draft, [], openDelegated(draft, opened));
  return accepted(draft);
}
