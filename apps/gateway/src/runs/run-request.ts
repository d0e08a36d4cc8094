/** From whatever came in to a request that can be carried out, or to a refusal that says what to change. */
import { MAX_GOAL_BYTES, RunRequest, utf8Bytes } from '@cadre/contracts';
import { validatePlan, type PlanProblem } from '@cadre/engine';
import { InputProblem, inputProblem } from '@cadre/service-kit';
import { assertStorable } from './storable.js';

/** A request's JSON with its defaults filled in; the log keeps it whole in one block. */
const MAX_REQUEST_BYTES = 384 * 1024;

/** @throws InputProblem `invalid-request`, `body-too-large`, `invalid-plan` */
export function parseRunRequest(value: unknown): RunRequest {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputProblem('invalid-request', 'The request is not valid: it must be a JSON object with a goal.', {
      remedy: 'send for example {"goal": "Analyze the weather data"}',
    });
  }
  assertStorable(value);
  assertGoalFits((value as { goal?: unknown }).goal);
  const parsed = RunRequest.safeParse(value);
  if (!parsed.success) throw inputProblem(parsed.error.issues);
  const bytes = utf8Bytes(JSON.stringify(parsed.data));
  if (bytes > MAX_REQUEST_BYTES) {
    throw new InputProblem('body-too-large', `The request takes ${bytes} bytes with its defaults; ${MAX_REQUEST_BYTES} are allowed.`, {
      remedy: 'put long material into input files, and keep the plan short',
    });
  }
  assertPlan(parsed.data);
  return parsed.data;
}

function assertGoalFits(goal: unknown): void {
  if (typeof goal !== 'string' || utf8Bytes(goal) <= MAX_GOAL_BYTES) return;
  const message = `the goal is ${utf8Bytes(goal)} bytes long; ${MAX_GOAL_BYTES} are allowed`;
  throw new InputProblem('body-too-large', `The request is too large: ${message}.`, {
    errors: [{ path: 'goal', message }],
    remedy: 'say the goal in short, and put long material into an input file',
  });
}

function assertPlan({ plan }: RunRequest): void {
  const problems = plan ? validatePlan(plan.tasks) : [];
  if (problems.length === 0) return;
  const index = new Map(plan?.tasks.map((task, i) => [task.id, i]));
  const errors = problems.slice(0, 20).map((problem: PlanProblem) => {
    const at = 'taskId' in problem && problem.taskId !== undefined ? index.get(problem.taskId) : undefined;
    return { path: at === undefined ? 'plan.tasks' : `plan.tasks[${at}]`, message: problem.message };
  });
  throw new InputProblem('invalid-plan', `The plan cannot be run: ${errors.map((error) => error.message).join(' ')}`, {
    errors,
    remedy: 'change the tasks named under errors',
  });
}
