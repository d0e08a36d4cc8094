import type { CancelRun, ExpireRun } from '@cadre/contracts';
import { accepted, duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { Draft } from '../run/draft.js';
import { failRun, finishCancel, requestCancel } from '../run/end-run.js';
import type { RunState } from '../state.js';

export function decideCancelRun(state: RunState, command: CancelRun, context: DecideContext): Decision {
  if (state.tenant !== command.tenant) return rejected('forbidden', 'This run belongs to another tenant.');
  if (state.status === 'cancelling') return duplicate();
  const draft = new Draft(state, context);
  requestCancel(draft, command.reason);
  return accepted(draft);
}

export function decideExpireRun(state: RunState, _command: ExpireRun, context: DecideContext): Decision {
  const leftMs = state.deadlineAt - context.now;
  if (leftMs > 0) return rejected('not-yet', `The run has ${leftMs} ms left.`);
  const draft = new Draft(state, context);
  if (state.status === 'cancelling') finishCancel(draft);
  else {
    const message = `The run did not end within its deadline of ${state.options.deadlineMs / 1000} s; start it again with a longer one.`;
    failRun(draft, { code: 'deadline-exceeded', message: `${message}${waitedFor(state)}`.slice(0, 4000), retriable: false });
  }
  return accepted(draft);
}

/** What the model server said last that a task waited for. */
function waitedFor({ tasks }: RunState): string {
  const task = Object.values(tasks).find(({ status, serverWait }) => serverWait && (status === 'ready' || status === 'running'));
  return task ? ` Task ${task.spec.id} (${task.spec.title}) waited for its model server: ${task.error?.message ?? ''}` : '';
}
