/** From whatever came in to a request that can be carried out, or to a refusal that says what to change. */
import { MAX_GOAL_BYTES, RunRequest, utf8Bytes, type TaskSpec } from '@cadre/contracts';
import { validatePlan } from '@cadre/engine';
import { InputProblem, inputProblem } from '@cadre/service-kit';
import { assertStorable } from './storable.js';

/** Longest body of a request to start a run: room for a plan of 10,000 tasks. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** The JSON of a request without its plan, and of a single task of it, with defaults filled in: the log keeps each whole in one block. */
const MAX_PIECE_BYTES = 384 * 1024;

/** What a caller has sent. @throws InputProblem `invalid-request`, `body-too-large`, `invalid-plan` */
export function parseRunRequest(value: unknown): RunRequest {
  const request = checkedRequest(value);
  if (request.plan) assertOwnResults(request.plan.tasks, 'plan.tasks');
  return request;
}

/**
 * What the gateway itself has made of a request: results in its plan may refer to what is stored. @throws InputProblem as `parseRunRequest`
 */
export function checkedRequest(value: unknown): RunRequest {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputProblem('invalid-request', 'The request is not valid: it must be a JSON object with a goal.', {
      remedy: 'send for example {"goal": "Analyze the weather data"}',
    });
  }
  assertStorable(value);
  assertGoalFits((value as { goal?: unknown }).goal);
  const parsed = RunRequest.safeParse(value);
  if (!parsed.success) throw inputProblem(parsed.error.issues);
  assertPieces(parsed.data);
  if (parsed.data.plan) refusePlan(validatePlan(parsed.data.plan.tasks), parsed.data.plan.tasks, 'plan.tasks');
  return parsed.data;
}

/** A plan may be large, but each of its tasks has to fit into a message. */
function assertPieces({ plan, ...rest }: RunRequest): void {
  const pieces = [
    { what: 'request', value: rest as unknown },
    ...(plan?.tasks ?? []).map((task) => ({ what: `task ${task.id}`, value: task })),
  ];
  for (const { what, value } of pieces) {
    const bytes = utf8Bytes(JSON.stringify(value));
    if (bytes <= MAX_PIECE_BYTES) continue;
    throw new InputProblem('body-too-large', `The ${what} takes ${bytes} bytes with its defaults; ${MAX_PIECE_BYTES} are allowed.`, {
      remedy: 'put long material into input files',
    });
  }
}

function assertGoalFits(goal: unknown): void {
  if (typeof goal !== 'string' || utf8Bytes(goal) <= MAX_GOAL_BYTES) return;
  const message = `the goal is ${utf8Bytes(goal)} bytes long; ${MAX_GOAL_BYTES} are allowed`;
  throw new InputProblem('body-too-large', `The request is too large: ${message}.`, {
    errors: [{ path: 'goal', message }],
    remedy: 'say the goal in short, and put long material into an input file',
  });
}

/** @param at where the tasks stand in what was sent @throws InputProblem `invalid-plan` */
export function assertPlan(tasks: readonly TaskSpec[], at: string): void {
  refusePlan(validatePlan(tasks), tasks, at);
  assertOwnResults(tasks, at);
}

function assertOwnResults(tasks: readonly TaskSpec[], at: string): void {
  refusePlan(referringProblems(tasks), tasks, at);
}

interface Fault {
  taskId: string;
  message: string;
}

function refusePlan(problems: readonly Fault[], tasks: readonly TaskSpec[], at: string): void {
  if (problems.length === 0) return;
  const index = new Map(tasks.map((task, i) => [task.id, i]));
  const errors = problems.slice(0, 20).map((problem) => {
    const place = index.get(problem.taskId);
    return { path: place === undefined ? at : `${at}[${place}]`, message: problem.message };
  });
  throw new InputProblem('invalid-plan', `The plan cannot be run: ${errors.map((error) => error.message).join(' ')}`, {
    errors,
    remedy: 'change the tasks named under errors',
  });
}

/** What a caller says that a task has come to holds text: whoever may name any stored content could read what belongs to others. */
function referringProblems(tasks: readonly TaskSpec[]): Fault[] {
  return tasks.flatMap(({ id, given, scope }) => {
    const refers = given !== undefined && 'answer' in given && ('ref' in given.answer || given.artifacts.length > 0);
    const own = refers ? [{ taskId: id, message: `The given result of task ${id} refers to stored content; give its text.` }] : [];
    const within = referringProblems(scope?.body ?? []).map(({ message }) => ({ taskId: id, message: `In ${id}: ${message}` }));
    return [...own, ...within];
  });
}
