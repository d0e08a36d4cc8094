import type { CallRecord, RecordCalls } from '@cadre/contracts';
import { accepted, duplicate } from '../decision.js';
import type { Decision } from '../decision.js';
import type { RunState, TaskState } from '../state.js';
import { findRunning } from './attempts.js';

/** Calls whose number this attempt has not recorded yet; messages may repeat and overtake each other. */
function unrecorded(task: TaskState, calls: CallRecord[]): CallRecord[] {
  const { upTo, beyond } = task.recorded ?? { upTo: 0, beyond: [] };
  const seen = new Set(beyond);
  return calls.filter((call) => {
    if (call.n <= upTo || seen.has(call.n)) return false;
    seen.add(call.n);
    return true;
  });
}

export function decideRecordCalls(state: RunState, command: RecordCalls): Decision {
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  const calls = unrecorded(found.task, command.calls);
  if (calls.length === 0) return duplicate();
  return accepted([{ type: 'CallsRecorded', taskId: command.taskId, attempt: command.attempt, calls }]);
}
