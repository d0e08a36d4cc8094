/** The plainest form of a start with a plan: see `plain-commands.ts`. */
import {
  AGENT_NAME,
  RUN_ID,
  TASK_ID,
  TENANT_ID,
  TRACEPARENT,
  isBetween,
  isCount,
  isEmpty,
  isEmptyRecord,
  isPlainCache,
  isPlainInput,
  isPriority,
  matches,
} from './plain-checks.js';
import type { Fields } from './plain-checks.js';
import { MAX_PLAN_TASKS } from './plan.js';

const SKILL = /^[a-z][a-z0-9-]{0,63}$/;
/** Units of text that surely fit into the bytes of a goal. */
const MAX_SHORT_GOAL = 4096;

/** With a whole plan, without inputs, labels and caps. */
export function isPlainStart(command: Fields): boolean {
  const { id, runId, traceparent, tenant, goal, inputs, options, plan, fingerprint } = command;
  if (Object.keys(command).length !== (traceparent === undefined ? 9 : 10)) return false;
  return (
    isBetween(id, 1, 80) &&
    matches(runId, RUN_ID) &&
    (traceparent === undefined || matches(traceparent, TRACEPARENT)) &&
    matches(tenant, TENANT_ID) &&
    typeof goal === 'string' &&
    goal.length <= MAX_SHORT_GOAL &&
    goal.trim().length > 0 &&
    isEmpty(inputs) &&
    isPlainOptions(options) &&
    isPlainPlan(plan) &&
    isBetween(fingerprint, 1, 80)
  );
}

function isPlainOptions(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null || Object.keys(raw).length !== 7) return false;
  const { priority, continueOnFailure, deadlineMs, summarize, budget, cancelGraceMs, labels } = raw as Fields;
  return (
    isPriority(priority) &&
    typeof continueOnFailure === 'boolean' &&
    isCount(deadlineMs, 7 * 86_400_000) &&
    (deadlineMs as number) >= 1000 &&
    typeof summarize === 'boolean' &&
    isPlainBudget(budget) &&
    isCount(cancelGraceMs, 60_000) &&
    isEmptyRecord(labels)
  );
}

function isPlainBudget(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null || Object.keys(raw).length !== 3) return false;
  const { agentMicros, onLimit, unpricedModels } = raw as Fields;
  return isEmptyRecord(agentMicros) && (onLimit === 'stop' || onLimit === 'ask') && isUnpricedRule(unpricedModels);
}

const isUnpricedRule = (raw: unknown): boolean => raw === 'if-uncapped' || raw === 'refuse' || raw === 'allow';

function isPlainPlan(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null || Object.keys(raw).length !== 1) return false;
  const { tasks } = raw as Fields;
  return Array.isArray(tasks) && tasks.length >= 1 && tasks.length <= MAX_PLAN_TASKS && tasks.every(isPlainTask);
}

/** Without condition, alternative, thresholds and caps. */
function isPlainTask(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null) return false;
  const task = raw as Fields;
  const { id, title, instructions, skills, agent, fallbackAgents, dependsOn, require, priority, timeoutMs, retry, input, cache } = task;
  const more = [agent, input, cache, timeoutMs].filter((field) => field !== undefined).length;
  return (
    Object.keys(task).length === 9 + more &&
    matches(id, TASK_ID) &&
    isBetween(title, 1, 200) &&
    isBetween(instructions, 1, 8000) &&
    Array.isArray(skills) &&
    skills.length <= 10 &&
    skills.every((skill) => matches(skill, SKILL)) &&
    (agent === undefined || matches(agent, AGENT_NAME)) &&
    isEmpty(fallbackAgents) &&
    Array.isArray(dependsOn) &&
    dependsOn.length <= MAX_PLAN_TASKS &&
    dependsOn.every((on) => matches(on, TASK_ID)) &&
    (require === 'all' || require === 'any' || require === 'settled') &&
    isPriority(priority) &&
    (timeoutMs === undefined || (isCount(timeoutMs, 3_600_000) && (timeoutMs as number) >= 100)) &&
    isPlainRetry(retry) &&
    (input === undefined || isPlainInput(input)) &&
    (cache === undefined || isPlainCache(cache))
  );
}

function isPlainRetry(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null || Object.keys(raw).length !== 5) return false;
  const { maxAttempts, backoffMs, factor, maxBackoffMs, jitter } = raw as Fields;
  return (
    isCount(maxAttempts, 20) &&
    maxAttempts !== 0 &&
    isCount(backoffMs, 600_000) &&
    typeof factor === 'number' &&
    factor >= 1 &&
    factor <= 10 &&
    isCount(maxBackoffMs, 3_600_000) &&
    typeof jitter === 'number' &&
    jitter >= 0 &&
    jitter <= 1
  );
}
