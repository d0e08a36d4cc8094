import type { CancelRun, ExpireRun } from '@cadre/contracts';
import { accepted, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { Draft } from '../run/draft.js';
import { cancelRun, failRun } from '../run/end-run.js';
import type { RunState } from '../state.js';

export function decideCancelRun(state: RunState, command: CancelRun, context: DecideContext): Decision {
  if (state.tenant !== command.tenant) return rejected('forbidden', 'This run belongs to another tenant.');
  const draft = new Draft(state, context);
  cancelRun(draft, command.reason);
  return accepted(draft.events);
}

export function decideExpireRun(state: RunState, _command: ExpireRun, context: DecideContext): Decision {
  const leftMs = state.deadlineAt - context.now;
  if (leftMs > 0) return rejected('not-yet', `The run has ${leftMs} ms left.`);
  const draft = new Draft(state, context);
  const message = `The run did not end within its deadline of ${state.options.deadlineMs / 1000} s; start it again with a longer one.`;
  failRun(draft, { code: 'deadline-exceeded', message, retriable: false });
  return accepted(draft.events);
}
