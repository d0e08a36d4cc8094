import { ATTEMPT_LIMIT } from '@cadre/contracts';
import type { AgentName, Assignment, Continuation, Json, StartAttempt, TaskId, WorkerId } from '@cadre/contracts';
import { assignmentOf } from '../assignment.js';
import { accepted, duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { Draft } from '../run/draft.js';
import type { RunState, TaskState } from '../state.js';
import { recordTable } from '../task-table.js';
import { mayGiveUp } from '../run/under-load.js';
import { findTask } from './attempts.js';

/** An assignment is plain JSON; its optional fields only keep TypeScript from seeing it. */
function asJson(assignment: Assignment): Json {
  return assignment as unknown as Json;
}

/** What the agent is granted, as far as the task allows it. */
function grantedTools({ spec }: TaskState, granted: readonly string[]): string[] {
  const limits = [spec.tools, spec.specialist?.tools].filter((tools) => tools !== undefined).map((tools) => new Set(tools));
  return granted.filter((tool) => limits.every((allowed) => allowed.has(tool)));
}

function refusalOf(state: RunState, task: TaskState, command: StartAttempt, now: number): Decision | undefined {
  const name = `Attempt ${command.attempt} of task ${command.taskId}`;
  if (task.attempt !== command.attempt || task.status !== 'ready') return rejected('attempt-closed', `${name} is not open.`);
  if (now < task.notBefore) return rejected('not-yet', `${name} may start in ${task.notBefore - now} ms.`);
  if (now >= state.deadlineAt) return rejected('attempt-closed', `${name} comes after the deadline of its run.`);
  const { wantedAgent } = task;
  if (command.queuedMs !== undefined && !mayGiveUp(state, task))
    return rejected('invalid-command', `${name} is done as it was asked for, however long it waits.`);
  if (wantedAgent !== undefined && wantedAgent !== command.agent && wantedAgent !== command.insteadOf) {
    return rejected('invalid-command', `${name} is for agent ${wantedAgent}, not ${command.agent}.`);
  }
  return undefined;
}

/**
 * The agent asked for by name, when another one does it; under load also one that nobody asked for by name. Who stands in for whom is
 * decided outside; the log tells that it was so, and whether load was the reason.
 */
function stoodInFor({ wantedAgent }: TaskState, { agent, insteadOf, queuedMs }: Starter): { insteadOf?: AgentName; queuedMs?: number } {
  const isAskedFor = insteadOf === wantedAgent || (queuedMs !== undefined && wantedAgent === undefined);
  return {
    ...(insteadOf === undefined || !isAskedFor || insteadOf === agent ? {} : { insteadOf }),
    ...(queuedMs === undefined ? {} : { queuedMs }),
  };
}

/** The engine's own tasks have a limit only for workers that do not tell how long their models take. @returns undefined: the task's own */
function defaultLimitOf({ spec, kind, timedOut, defaultLimitMs = 0 }: TaskState, modelTimeoutMs: number | undefined): number | undefined {
  const { leastMs, modelCalls, factor } = ATTEMPT_LIMIT;
  if (spec.timeoutMs !== undefined && (kind === 'work' || modelTimeoutMs === undefined)) return undefined;
  return Math.max(leastMs, modelCalls * (modelTimeoutMs ?? 0), timedOut ? factor * defaultLimitMs : 0);
}

type Starter = Omit<Continuation, 'slots'> & Partial<Pick<StartAttempt, 'insteadOf' | 'queuedMs' | 'figures'>>;

/**
 * Binds the open attempt of a task to a worker.
 * @param after the task from whose result the worker goes on
 * @returns what the worker is to do
 */
export function startAttempt(draft: Draft, task: TaskState, workerId: WorkerId, grant: Starter, after?: TaskId): Assignment {
  const { agent, tools, agentCapMicros, life, modelTimeoutMs, figures } = grant;
  const defaultLimitMs = defaultLimitOf(task, modelTimeoutMs);
  const limitMs = defaultLimitMs ?? task.spec.timeoutMs ?? ATTEMPT_LIMIT.leastMs;
  const started = draft.emit({
    type: 'AttemptStarted',
    taskId: task.spec.id,
    attempt: task.attempt,
    agent,
    workerId,
    deadlineAt: Math.min(draft.now + limitMs, draft.run.deadlineAt),
    ...(defaultLimitMs === undefined ? {} : { defaultLimitMs }),
    tools: grantedTools(task, tools),
    ...(agentCapMicros === undefined ? {} : { agentCapMicros }),
    ...(life === undefined ? {} : { life }),
    ...(after === undefined ? {} : { after }),
    ...stoodInFor(task, grant),
    ...(task.spec.bid && figures ? { figures } : {}),
  });
  return assignmentOf(draft.run, draft, started);
}

export function decideStartAttempt(state: RunState, command: StartAttempt, context: DecideContext): Decision {
  const found = findTask(state, command);
  if (!found.found) return found.refusal;
  const { task } = found;
  if (task.attempt === command.attempt && task.status === 'running') {
    // A worker that was started anew under its old name knows nothing of what its former life has done, or is doing.
    const isRepeated = task.workerId === command.workerId && task.life === command.life;
    if (isRepeated) return duplicate(asJson(assignmentOf(state, recordTable(state.tasks), task)));
    return rejected(
      'attempt-taken',
      `Attempt ${command.attempt} of task ${command.taskId} is held by another worker, or another life of this one.`,
    );
  }
  const refusal = refusalOf(state, task, command, context.now);
  if (refusal) return refusal;
  const draft = new Draft(state, context);
  return accepted(draft, asJson(startAttempt(draft, task, command.workerId, command)));
}
