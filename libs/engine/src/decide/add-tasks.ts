import type { AddTasks, TaskSpec } from '@cadre/contracts';
import { accepted, duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import type { PlanProblem } from '../plan/plan-problem.js';
import { describeProblems, partProblems, validatePlan } from '../plan/validate-plan.js';
import { beginPlan } from '../run/adopt-plan.js';
import { Draft } from '../run/draft.js';
import { failRun } from '../run/end-run.js';
import type { RunState } from '../state.js';

/** The parts that came have been accepted, so there is no going back: the run fails, and says why. */
function fail(draft: Draft, problems: readonly PlanProblem[]): Decision {
  const message = `The plan cannot be run: ${describeProblems(problems)}`.slice(0, 4000);
  failRun(draft, { code: 'invalid-plan', message, retriable: false });
  return accepted(draft, { runId: draft.run.runId, invalidPlan: message });
}

function known(state: RunState): TaskSpec[] {
  return Object.values(state.tasks).map((task) => task.spec);
}

/** Parts come in order; one that has come is recognised by its number. Nothing starts before the last one is there. */
export function decideAddTasks(state: RunState, command: AddTasks, context: DecideContext): Decision {
  if (state.tenant !== command.tenant) return rejected('forbidden', 'This run belongs to another tenant.');
  const { planParts = 0, runId } = state;
  if (command.part <= planParts) return duplicate({ runId });
  if (!state.morePlan || state.status === 'cancelling') return rejected('invalid-command', 'The run does not wait for parts of a plan.');
  if (command.part > planParts + 1) return rejected('not-yet', `Part ${planParts + 1} of the plan has to come first.`);
  const draft = new Draft(state, context);
  const before = known(state);
  const { part, tasks, last } = command;
  const problems = partProblems(before, tasks);
  if (problems.length > 0) return fail(draft, problems);
  const whole = [...before, ...tasks];
  const faults = last ? validatePlan(whole) : [];
  if (faults.length > 0) return fail(draft, faults);
  draft.emit({ type: 'TasksAdded', source: 'submitted', tasks, part, ...(last ? {} : { more: true }) });
  if (last) beginPlan(draft, whole);
  return accepted(draft, { runId });
}
