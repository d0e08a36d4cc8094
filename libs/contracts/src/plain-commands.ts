/**
 * Nearly all commands are starts of runs, and starts, calls and ends of attempts in their plainest form. These are recognised by
 * hand-written checks, at a tenth of what the schema costs. The answer is "the schema would give this very value" or "ask the schema"; a
 * property test holds it to that.
 */
import { AGENT_NAME, RUN_ID, TASK_ID, TOOL_NAME, TRACEPARENT, isCount, isEmpty, isText, matches } from './plain-checks.js';
import type { Fields } from './plain-checks.js';
import { isPlainStart } from './plain-start.js';
import type { CompleteAttempt, RecordCalls, StartAttempt, StartRun } from './commands.js';

const WORKER_ID = /^[A-Za-z0-9_-]{1,80}$/;
const LIFE = /^[A-Za-z0-9]{1,40}$/;
const CALL_KEY = /^[0-9a-f]{32}$/;
const HEAD_FIELDS = 6;
const MAX_MICROS = 1_000_000_000_000_000;

export function isPlainCommand(raw: unknown): raw is StartRun | StartAttempt | RecordCalls | CompleteAttempt {
  if (typeof raw !== 'object' || raw === null) return false;
  const command = raw as Fields;
  if (command['type'] === 'StartAttempt') {
    return isPlainGrant(command) && hasHead(command, 2 + grantExtras(command));
  }
  if (command['type'] === 'CompleteAttempt') {
    const { next, settle, result } = command;
    if (next !== undefined && !isPlainContinuation(next)) return false;
    return hasHead(command, next === undefined ? 2 : 3) && areAll(settle, isPlainSettlement) && isPlainResult(result);
  }
  if (command['type'] === 'StartRun') return isPlainStart(command);
  if (command['type'] !== 'RecordCalls') return false;
  return hasHead(command, 2) && areAll(command['settle'], isPlainSettlement) && areAll(command['reserve'], isPlainReservation);
}

/** @param more fields beside those of every command about an attempt */
function hasHead(command: Fields, more: number): boolean {
  const { id, attempt, traceparent } = command;
  const traced = traceparent === undefined ? 0 : 1;
  return (
    Object.keys(command).length === HEAD_FIELDS + traced + more &&
    typeof id === 'string' &&
    id.length >= 1 &&
    id.length <= 80 &&
    matches(command['runId'], RUN_ID) &&
    matches(command['taskId'], TASK_ID) &&
    Number.isSafeInteger(attempt) &&
    (attempt as number) >= 1 &&
    matches(command['workerId'], WORKER_ID) &&
    (traced === 0 || matches(traceparent, TRACEPARENT))
  );
}

/** Without a cap. */
function isPlainGrant({ agent, tools, life, modelTimeoutMs }: Fields): boolean {
  if (modelTimeoutMs !== undefined && (!isCount(modelTimeoutMs, 3_600_000) || modelTimeoutMs === 0)) return false;
  return matches(agent, AGENT_NAME) && areTools(tools) && (life === undefined || matches(life, LIFE));
}

function grantExtras({ life, modelTimeoutMs }: Fields): number {
  return (life === undefined ? 0 : 1) + (modelTimeoutMs === undefined ? 0 : 1);
}

function isPlainContinuation(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null) return false;
  const grant = raw as Fields;
  const { slots } = grant;
  return Object.keys(grant).length === 3 + grantExtras(grant) && isPlainGrant(grant) && isCount(slots, 100) && slots !== 0;
}

/** An answer inline, and at most how sure it is and where it comes from. */
function isPlainResult(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null) return false;
  const { answer, confidence, artifacts, cachedFrom } = raw as Fields;
  const more = [confidence, cachedFrom].filter((field) => field !== undefined).length;
  if (Object.keys(raw).length !== 2 + more || !(cachedFrom === undefined || isOrigin(cachedFrom))) return false;
  const known = typeof confidence === 'number' && confidence >= 0 && confidence <= 1;
  return (known || confidence === undefined) && isEmpty(artifacts) && isText(answer);
}

function isOrigin(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null || Object.keys(raw).length !== 2) return false;
  const { runId, taskId } = raw as Fields;
  return matches(runId, RUN_ID) && matches(taskId, TASK_ID);
}

/** Without effect, of a known price. */
function isPlainReservation(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null) return false;
  const { key, try: number, kind, name, maxCostMicros, minCostMicros } = raw as Fields;
  return (
    Object.keys(raw).length === (minCostMicros === undefined ? 5 : 6) &&
    (minCostMicros === undefined || isCount(minCostMicros, MAX_MICROS)) &&
    isCall(key, number) &&
    (kind === 'model' || kind === 'tool') &&
    typeof name === 'string' &&
    name.length >= 1 &&
    name.length <= 200 &&
    isCount(maxCostMicros, MAX_MICROS)
  );
}

/** Of a call that has been answered, with a body inline. */
function isPlainSettlement(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null || Object.keys(raw).length !== 11) return false;
  const { key, try: number, outcome, ok, note, at, durationMs, inputTokens, outputTokens, costMicros, body } = raw as Fields;
  if (outcome !== 'done' || typeof ok !== 'boolean' || typeof note !== 'string' || note.length > 300 || !isText(body)) return false;
  return (
    isCall(key, number) && [at, durationMs, inputTokens, outputTokens].every((count) => isCount(count)) && isCount(costMicros, MAX_MICROS)
  );
}

function isCall(key: unknown, number: unknown): boolean {
  return matches(key, CALL_KEY) && isCount(number, 10_000) && number !== 0;
}

/** At most as many as the schemas allow. */
function areAll(value: unknown, is: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length <= 100 && value.every(is);
}

function areTools(value: unknown): boolean {
  return Array.isArray(value) && value.length <= 50 && value.every((name) => matches(name, TOOL_NAME));
}
