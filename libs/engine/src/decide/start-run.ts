import { PLAN_TASK } from '@cadre/contracts';
import type { StartRun } from '@cadre/contracts';
import { accepted, duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { startedRun } from '../evolve.js';
import type { PlanProblem } from '../plan/plan-problem.js';
import { describeProblems, partProblems, validatePlan } from '../plan/validate-plan.js';
import { adoptPlan } from '../run/adopt-plan.js';
import { Draft } from '../run/draft.js';
import { planTask } from '../run/engine-tasks.js';
import { scheduleAttempt } from '../run/schedule-attempt.js';

/** A repeated start is recognised by the digest of its request, whether the run is still open or has ended. */
export function decideRepeatedStart(known: { fingerprint: string; tenant: string }, command: StartRun): Decision {
  if (known.fingerprint === command.fingerprint && known.tenant === command.tenant) return duplicate({ runId: command.runId });
  return rejected('run-conflict', `The run id ${command.runId} is taken by another request; use a new id or idempotency key.`);
}

/** Of a plan in parts only what no later part can mend. */
function problemsOf({ plan, morePlan }: StartRun): PlanProblem[] {
  if (!plan) return [];
  return morePlan ? partProblems([], plan.tasks) : validatePlan(plan.tasks);
}

export function decideStartRun(command: StartRun, context: DecideContext): Decision {
  const problems = problemsOf(command);
  if (problems.length > 0) return rejected('invalid-plan', `The plan cannot be run: ${describeProblems(problems)}`);
  if (command.morePlan && !command.plan) return rejected('invalid-command', 'More of a plan is announced, but its first part is missing.');
  const event = {
    type: 'RunStarted' as const,
    tenant: command.tenant,
    goal: command.goal,
    inputs: command.inputs,
    options: command.options,
    fingerprint: command.fingerprint,
    deadlineAt: context.now + command.options.deadlineMs,
    ...(command.traceparent === undefined ? {} : { traceparent: command.traceparent }),
    ...(command.params === undefined ? {} : { params: command.params }),
  };
  const draft = new Draft(startedRun(command.runId, event, context.now), context, event);
  if (command.plan && command.morePlan)
    draft.emit({ type: 'TasksAdded', source: 'submitted', tasks: command.plan.tasks, part: 1, more: true });
  else if (command.plan) adoptPlan(draft, command.plan, 'submitted');
  else {
    draft.emit({ type: 'TasksAdded', source: 'engine', tasks: [planTask(command.options)] });
    scheduleAttempt(draft, draft.need(PLAN_TASK), 0);
  }
  return accepted(draft, { runId: command.runId });
}
