/** How calls end: what a worker says of them, within what was reserved. */
import type { CallSettlement, TaskId } from '@cadre/contracts';
import type { CallState, TaskState } from '../state.js';
import type { Draft } from './draft.js';

/** An outcome that nobody knows is billed at the reservation. */
function unknownSettlement(key: string, call: CallState, at: number, note: string): CallSettlement {
  return {
    key,
    try: call.try,
    outcome: 'unknown',
    ok: false,
    note,
    at,
    durationMs: 0,
    inputTokens: 0,
    outputTokens: 0,
    costMicros: call.maxCostMicros,
    ...(call.unpriced ? { unpriced: true } : {}),
  };
}

/** Cost beyond the reservation counts like any other, and is named: nothing new is granted until the caps have room again. */
function settlementOf(call: CallState, said: CallSettlement): CallSettlement {
  const { overrunMicros: _overrun, unpriced: _unpriced, body, files, ...rest } = said;
  const unknown = call.unpriced && said.outcome !== 'failed' && said.costMicros === 0 ? { unpriced: true as const } : {};
  if (said.outcome === 'unknown') return { ...rest, ok: false, costMicros: call.maxCostMicros, ...unknown };
  const overrun = said.costMicros - call.maxCostMicros;
  return {
    ...rest,
    ok: said.outcome === 'done' && said.ok,
    ...unknown,
    ...(overrun > 0 ? { overrunMicros: overrun } : {}),
    ...(said.outcome === 'done' && body !== undefined ? { body } : {}),
    ...(said.outcome === 'done' && files !== undefined ? { files } : {}),
  };
}

/**
 * Settles those calls of the running attempt that are open; what has been settled before stays as it is.
 * @returns the key of a call that the task never reserved: the worker is wrong, and nothing is settled
 */
export function settleCalls(draft: Draft, taskId: TaskId, said: readonly CallSettlement[]): string | undefined {
  const calls: CallSettlement[] = [];
  const seen = new Set<string>();
  for (const each of said) {
    const call = draft.call(taskId, each.key);
    if (!call || each.try > call.try) return each.key;
    if (call.status !== 'open' || each.try !== call.try || seen.has(each.key)) continue;
    seen.add(each.key);
    calls.push(settlementOf(call, each));
  }
  if (calls.length > 0) draft.emit({ type: 'CallsSettled', taskId, attempt: draft.need(taskId).attempt, calls });
  return undefined;
}

/** What an attempt leaves open when it closes may have happened: it counts as unknown. @returns the task as it is then */
export function settleOpenCalls(draft: Draft, taskId: TaskId): TaskState {
  return settleUnknown(draft, taskId, 'the attempt was closed before its outcome was known');
}

/** @param why what the open calls wait for @returns the task as it is then */
export function settleUnknown(draft: Draft, taskId: TaskId, why: string): TaskState {
  const task = draft.need(taskId);
  const { openCalls, attempt } = task;
  if (!openCalls) return task;
  const calls = openCalls.map((key) => {
    const call = draft.call(taskId, key) as CallState;
    return unknownSettlement(key, call, draft.now, `${call.name}: ${why}`);
  });
  return draft.emit({ type: 'CallsSettled', taskId, attempt, calls });
}
