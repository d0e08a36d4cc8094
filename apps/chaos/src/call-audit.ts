/** Compares what the outside saw with what the log says: no call is made twice unless the answer of the first was not recorded. */
import type { Commit, RunEvent } from '@cadre/contracts';
import type { WitnessedCalls } from './cast.js';
import type { WitnessedCall } from './outside-world.js';
import { strikerCalls } from './worker/striker-calls.js';

interface LoggedCall {
  reserved: number;
  done: number;
  unknown: number;
}

/** @param modelCalls by key, how often the model server was asked @param world what the outside world saw */
export function auditCalls(
  commits: readonly Commit[],
  modelCalls: ReadonlyMap<string, number>,
  world: Iterable<WitnessedCall>,
): WitnessedCalls {
  const logged = foldCalls(commits);
  const faults: string[] = [];
  let callsRepeated = 0;
  let unrecordedRepeated = 0;
  const weigh = (what: string, key: string, times: number): void => {
    const call = logged.get(key);
    if (call === undefined) return void faults.push(`${what} ${key} was made and is not in the log`);
    unrecordedRepeated += times - 1;
    callsRepeated += Math.max(0, times - 1 - call.unknown);
    if (times > call.reserved) faults.push(`${what} ${key} was made ${times} times and reserved ${call.reserved} times`);
    if (times > 2) faults.push(`${what} ${key} was made ${times} times: more than once again`);
    if (times > call.done + call.unknown) faults.push(`${what} ${key} was made ${times} times and paid ${call.done + call.unknown} times`);
  };
  for (const [key, times] of modelCalls) weigh('model call', key, times);
  let effectsRepeated = 0;
  const struck = new Map<string, number>();
  for (const { key, name, effect, times, runId, taskId } of world) {
    if (effect !== 'idempotent') weigh(`call of ${name}`, key, times);
    // An idempotent call may be asked for again, but only under the same key.
    const id = `${name} of ${runId}/${taskId}`;
    struck.set(id, (struck.get(id) ?? 0) + (effect === 'once' ? times : 1));
  }
  for (const [id, times] of struck) {
    if (times === 1) continue;
    effectsRepeated += times - 1;
    faults.push(`${id} happened ${times} times`);
  }
  if (callsRepeated > 0) faults.push(`${callsRepeated} calls were repeated though their answers were recorded`);
  return { callsRepeated, unrecordedRepeated, effectsRepeated, faults: [...faults, ...missingEffects(commits, struck)] };
}

/** A task that was completed by a striker has had each of its effects. */
function missingEffects(commits: readonly Commit[], struck: ReadonlyMap<string, number>): string[] {
  const strikers = new Set<string>();
  const faults: string[] = [];
  for (const { runId, events } of commits) {
    for (const event of events) {
      if (event.type === 'AttemptStarted' && event.agent === 'striker') strikers.add(`${runId}/${event.taskId}`);
      if (event.type !== 'TaskCompleted' || !strikers.has(`${runId}/${event.taskId}`)) continue;
      for (const { name } of strikerCalls) {
        if (!struck.has(`${name} of ${runId}/${event.taskId}`)) faults.push(`${name} of ${runId}/${event.taskId} never happened`);
      }
    }
  }
  return faults;
}

function foldCalls(commits: readonly Commit[]): Map<string, LoggedCall> {
  const calls = new Map<string, LoggedCall>();
  const of = (key: string): LoggedCall => {
    const call = calls.get(key) ?? { reserved: 0, done: 0, unknown: 0 };
    calls.set(key, call);
    return call;
  };
  for (const { events } of commits) for (const event of events) foldEvent(event, of);
  return calls;
}

function foldEvent(event: RunEvent, of: (key: string) => LoggedCall): void {
  if (event.type === 'CallsReserved') for (const { key } of event.calls) of(key).reserved += 1;
  if (event.type !== 'CallsSettled') return;
  for (const { key, outcome } of event.calls) {
    if (outcome === 'done') of(key).done += 1;
    if (outcome === 'unknown') of(key).unknown += 1;
  }
}
