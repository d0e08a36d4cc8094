/** The plainest form of an assignment, for workers: recognised as `plain-commands.ts` recognises commands. */
import {
  AGENT_NAME,
  RUN_ID,
  TASK_ID,
  TENANT_ID,
  TOOL_NAME,
  isBetween,
  isCount,
  isEmpty,
  isPlainCache,
  isPlainInput,
  isText,
  matches,
} from './plain-checks.js';
import type { Fields } from './plain-checks.js';
import type { Assignment } from './results.js';

const KINDS: readonly unknown[] = ['plan', 'work', 'answer'];
const FIELDS = 13;

/** True only for what the schema would give as it is. */
export function isPlainAssignment(raw: unknown): raw is Assignment {
  if (typeof raw !== 'object' || raw === null) return false;
  const assignment = raw as Fields;
  const { runId, tenant, taskId, attempt, kind, goal, title, instructions, inputs, results, round, tools, deadlineAt } = assignment;
  const { input, traceparent, cache, defaultLimitMs } = assignment;
  const more = [input, traceparent, cache, defaultLimitMs].filter((field) => field !== undefined).length;
  return (
    Object.keys(raw).length === FIELDS + more &&
    matches(runId, RUN_ID) &&
    matches(tenant, TENANT_ID) &&
    matches(taskId, TASK_ID) &&
    isCount(attempt) &&
    attempt !== 0 &&
    KINDS.includes(kind) &&
    [goal, title, instructions].every((text) => typeof text === 'string') &&
    (input === undefined || isPlainInput(input)) &&
    isEmpty(inputs) &&
    Array.isArray(results) &&
    results.every(isPlainOutcome) &&
    isCount(round) &&
    round !== 0 &&
    Array.isArray(tools) &&
    tools.every((name) => matches(name, TOOL_NAME)) &&
    isCount(deadlineAt) &&
    (defaultLimitMs === undefined || (isCount(defaultLimitMs) && defaultLimitMs !== 0)) &&
    (traceparent === undefined || isBetween(traceparent, 0, Infinity)) &&
    (cache === undefined || isPlainCache(cache))
  );
}

/** Of a task that has succeeded, with its answer inline. */
function isPlainOutcome(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null) return false;
  const { taskId, title, agent, status, answer, confidence, artifacts } = raw as Fields;
  if (Object.keys(raw).length !== (confidence === undefined ? 6 : 7)) return false;
  return (
    matches(taskId, TASK_ID) &&
    typeof title === 'string' &&
    matches(agent, AGENT_NAME) &&
    status === 'completed' &&
    isText(answer) &&
    (confidence === undefined || (typeof confidence === 'number' && Number.isFinite(confidence))) &&
    isEmpty(artifacts)
  );
}
