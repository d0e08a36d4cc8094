/** What happens when a task's time has come: its expressions are filled in, and it is given to an agent, or the engine begins it. */
import { AgentName } from '@cadre/contracts';
import type { Given, Json, TaskId } from '@cadre/contracts';
import { evaluateCondition, evaluateValue } from '../plan/expressions.js';
import type { Evaluated } from '../plan/expressions.js';
import { fillIn, fillInText } from '../plan/templates.js';
import type { TaskState } from '../state.js';
import type { Cascade } from './cascade.js';
import type { Draft } from './draft.js';
import { inputOf } from './expression-input.js';
import { scheduleAttempt } from './schedule-attempt.js';
import { openScope } from './scopes.js';

export function skip(draft: Draft, id: TaskId, cause: 'condition' | 'dependency' | 'alternative', reason: string): true {
  draft.emit({ type: 'TaskSkipped', taskId: id, cause, reason });
  return true;
}

/** @returns true: the task is over with that */
export function failExpression(draft: Draft, id: TaskId, code: 'condition-error' | 'expression-error', message: string): true {
  draft.emit({ type: 'TaskFailed', taskId: id, error: { code, message: message.slice(0, 4000), retriable: false } });
  return true;
}

/** @returns whether the task is over with that */
function applyCondition(draft: Draft, task: TaskState, condition: string): boolean {
  const id = task.spec.id;
  const outcome = evaluateCondition(condition, inputOf(draft.run, draft, task));
  if (!outcome.ok) {
    return failExpression(draft, id, 'condition-error', `The condition of task ${id} could not be evaluated: ${outcome.message}`);
  }
  return outcome.value ? false : skip(draft, id, 'condition', `Its condition is false: ${condition}`);
}

/** A name, or a list of names; what is no agent name is a fault. */
function agentsOf(value: Json): Evaluated<AgentName[]> {
  const names = Array.isArray(value) ? value : [value];
  const agents: AgentName[] = [];
  for (const name of names.slice(0, 6)) {
    const parsed = AgentName.safeParse(name);
    if (!parsed.success) return { ok: false, message: `${JSON.stringify(name).slice(0, 100)} is not the name of an agent` };
    agents.push(parsed.data);
  }
  return agents.length > 0 ? { ok: true, value: agents } : { ok: false, message: 'it names no agent' };
}

interface Resolved {
  title?: string;
  instructions?: string;
  input?: Json;
  agents?: AgentName[];
}

function resolve(draft: Draft, task: TaskState): Evaluated<Resolved> {
  const { title, instructions, input, templated, agentFrom } = task.spec;
  const evaluate = (expression: string): Evaluated<Json> => evaluateValue(expression, inputOf(draft.run, draft, task));
  const resolved: Resolved = {};
  if (templated) {
    const filled = { title: fillInText(title, evaluate), instructions: fillInText(instructions, evaluate) };
    if (!filled.title.ok) return filled.title;
    if (!filled.instructions.ok) return filled.instructions;
    resolved.title = filled.title.value.slice(0, 200) || task.spec.id;
    resolved.instructions = filled.instructions.value || title;
    if (resolved.instructions.length > 8000)
      return { ok: false, message: 'the instructions become longer than 8000 characters; use the input' };
    const value = input === undefined ? undefined : fillIn(input, evaluate);
    if (value && !value.ok) return value;
    if (value) resolved.input = value.value;
  }
  const chosen = agentFrom === undefined ? undefined : evaluate(agentFrom);
  if (chosen && !chosen.ok) return chosen;
  const agents = chosen && agentsOf(chosen.value);
  if (agents && !agents.ok) return agents;
  return { ok: true, value: agents ? { ...resolved, agents: agents.value } : resolved };
}

function applyExpressions(draft: Draft, task: TaskState): boolean {
  const { id } = task.spec;
  const outcome = resolve(draft, task);
  if (!outcome.ok)
    return failExpression(draft, id, 'expression-error', `An expression of task ${id} could not be evaluated: ${outcome.message}`);
  draft.emit({ type: 'TaskResolved', taskId: id, ...outcome.value });
  return false;
}

/** A wait ends by a command of its own. */
function openWait(draft: Draft, task: TaskState): void {
  const { wait } = task.spec;
  const ms = wait && ('delayMs' in wait ? wait.delayMs : wait.timeoutMs);
  draft.emit({ type: 'TaskOpened', taskId: task.spec.id, ...(ms === undefined ? {} : { wakeAt: draft.now + ms }) });
}

/** What has been found out before the run ends its task at once. @returns true: the task is over with that */
function takeGiven(draft: Draft, id: TaskId, given: Given): true {
  if ('error' in given) {
    draft.emit({ type: 'TaskFailed', taskId: id, error: given.error });
    return true;
  }
  const { confidence, ...rest } = given;
  draft.emit({ type: 'TaskCompleted', taskId: id, attempt: 0, result: { ...rest, ...(confidence === null ? {} : { confidence }) } });
  return true;
}

/**
 * Begins a task that nothing holds up.
 * @returns whether it has ended with that
 */
export function beginTask(draft: Draft, task: TaskState, cascade: Cascade): boolean {
  const { id, condition, templated, agentFrom } = task.spec;
  if (condition !== undefined && applyCondition(draft, task, condition)) return true;
  if ((templated || agentFrom !== undefined) && applyExpressions(draft, task)) return true;
  const begun = draft.need(id);
  if (begun.spec.scope) return openScope(draft, begun, cascade);
  if (begun.spec.given) return takeGiven(draft, id, begun.spec.given);
  if (begun.spec.wait) openWait(draft, begun);
  else scheduleAttempt(draft, begun, 0);
  return false;
}
