import type { CallGrant, CallGrants, Json, RecordCalls } from '@cadre/contracts';
import { accepted, duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { CLOSED_BY, closeAttempt } from '../run/close-attempt.js';
import type { Closing } from '../run/close-attempt.js';
import { Draft } from '../run/draft.js';
import { reserveCalls } from '../run/reserve-calls.js';
import type { RunState, TaskState } from '../state.js';
import { taskOf } from '../task-table.js';
import { findRunning, settleSaid } from './attempts.js';

/** What `RecordCalls` itself closes an attempt for. */
const ENDED_HERE: readonly string[] = [CLOSED_BY.budget, CLOSED_BY.unpriced, CLOSED_BY.asked, CLOSED_BY.cancelled];

/** Grants are plain JSON; their optional fields only keep TypeScript from seeing it. */
function asJson(grants: CallGrant[], ended?: CallGrants['ended']): Json {
  return { grants, ...(ended === undefined ? {} : { ended }) } as unknown as Json;
}

/** The attempt was closed by an earlier copy of such a command: the same answer again. */
function endedBefore(task: TaskState, command: RecordCalls): Decision | undefined {
  const last = task.lastClosed;
  const isSame = last?.attempt === command.attempt && last.workerId === command.workerId && ENDED_HERE.includes(last.code);
  return isSame ? duplicate(asJson([], { code: last.code, message: last.message })) : undefined;
}

function notGranted(task: TaskState, command: RecordCalls): Decision | undefined {
  const granted = new Set(task.tools);
  const stray = command.reserve.find((call) => call.kind === 'tool' && !granted.has(call.name));
  if (!stray) return undefined;
  return rejected('not-granted', `Attempt ${command.attempt} of task ${command.taskId} may not call the tool ${stray.name}.`);
}

function close(draft: Draft, command: RecordCalls, closing: Closing): Decision {
  closeAttempt(draft, command.taskId, closing);
  const { code, message } = closing.error;
  return accepted(draft, asJson([], { code, message }));
}

/** Why nothing may be reserved now, whatever it is. */
function closingNow(draft: Draft, command: RecordCalls): Closing | undefined {
  if (draft.run.status === 'cancelling' && command.reserve.length > 0) {
    const error = { code: CLOSED_BY.cancelled, message: 'The run is being cancelled.', retriable: false };
    return { error, counted: false, next: 'resume' };
  }
  if (!draft.need(command.taskId).unknownEffects) return undefined;
  const message = 'A call that must happen once may or may not have happened; a person is asked.';
  return { error: { code: CLOSED_BY.asked, message, retriable: true }, counted: false, next: 'resume' };
}

/**
 * Settles and reserves in one commit. Repetitions change nothing: a settled call stays settled, an open reservation of this attempt is
 * granted again, and only the try after the last one is new.
 */
export function decideRecordCalls(state: RunState, command: RecordCalls, context: DecideContext): Decision {
  const known = taskOf(state.tasks, command.taskId);
  const before = known && endedBefore(known, command);
  if (before) return before;
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  const stray = notGranted(found.task, command);
  if (stray) return stray;
  const draft = new Draft(state, context);
  const refusal = settleSaid(draft, command);
  if (refusal) return refusal;
  const closing = closingNow(draft, command);
  if (closing) return close(draft, command, closing);
  const reserved = reserveCalls(draft, command.taskId, command.reserve);
  if (reserved.refused) return close(draft, command, reserved.refused);
  const answer = asJson(reserved.grants);
  return draft.events.length > 0 ? accepted(draft, answer) : duplicate(answer);
}
