/** From what comes in about workflows to what can be kept and started, or to a refusal that says what to change. */
import { MAX_WORKFLOW_BYTES, utf8Bytes, Workflow, WorkflowRunRequest, type Json, type WorkflowVersion } from '@cadre/contracts';
import { InputProblem, inputProblem } from '@cadre/service-kit';
import { assertPlan } from '../runs/run-request.js';
import { assertStorable } from '../runs/storable.js';
import { triggerProblems } from './trigger-problems.js';

/** @param name of the path @throws InputProblem `invalid-request`, `body-too-large`, `invalid-plan` */
export function parseWorkflow(value: unknown, name: string): Workflow {
  assertStorable(value);
  const parsed = Workflow.safeParse(value ?? {});
  if (!parsed.success) throw inputProblem(parsed.error.issues, 'workflow');
  const workflow = parsed.data;
  if (workflow.metadata.name !== name) {
    throw new InputProblem('invalid-request', `The workflow is named ${workflow.metadata.name}, and was sent to ${name}.`, {
      errors: [{ path: 'metadata.name', message: `is not ${name}` }],
      remedy: `send it to /v1/workflows/${workflow.metadata.name}`,
    });
  }
  const bytes = utf8Bytes(JSON.stringify(workflow));
  if (bytes > MAX_WORKFLOW_BYTES) {
    throw new InputProblem('body-too-large', `The workflow takes ${bytes} bytes with its defaults; ${MAX_WORKFLOW_BYTES} are allowed.`, {
      remedy: 'put long material into input files or parameters',
    });
  }
  assertPlan(workflow.spec.tasks, 'spec.tasks');
  const { on = [], params } = workflow.spec;
  const faults = triggerProblems(on, Object.keys(params));
  if (faults.length > 0) {
    const said = faults.map(({ path, message }) => `${path}: ${message}`).join('; ');
    throw new InputProblem('invalid-request', `The triggers of the workflow cannot work: ${said}`, { errors: faults });
  }
  return workflow;
}

/** @throws InputProblem `invalid-request` */
export function parseWorkflowRun(value: unknown): WorkflowRunRequest {
  assertStorable(value);
  const parsed = WorkflowRunRequest.safeParse(value ?? {});
  if (!parsed.success) throw inputProblem(parsed.error.issues);
  return parsed.data;
}

/**
 * The request of a run, to be checked like any other. @throws InputProblem `invalid-request` naming each parameter that is missing or
 * unknown
 */
export function requestOf({ name, version, workflow }: WorkflowVersion, { params, goal, inputs }: WorkflowRunRequest): Json {
  const { spec } = workflow;
  const unknown = Object.keys(params).filter((each) => !Object.hasOwn(spec.params, each));
  const missing = Object.entries(spec.params).flatMap(([each, { default: value }]) =>
    Object.hasOwn(params, each) || value !== undefined ? [] : [each],
  );
  const errors = [
    ...unknown.map((each) => ({ path: `params.${each}`, message: 'the workflow has no such parameter' })),
    ...missing.map((each) => ({ path: `params.${each}`, message: 'has no default and must be given' })),
  ];
  if (errors.length > 0) {
    const said = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
    const known = Object.keys(spec.params).join(', ') || 'none';
    throw new InputProblem('invalid-request', `The parameters do not fit workflow ${name}: ${said}`, {
      errors,
      remedy: `its parameters: ${known}`,
    });
  }
  const defaults = Object.entries(spec.params).flatMap(([each, { default: value }]) =>
    value === undefined ? [] : [[each, value] as const],
  );
  const { labels } = spec.options;
  return {
    goal: goal ?? spec.goal,
    inputs,
    options: { ...spec.options, labels: { ...labels, workflow: `${name}@${version}` } },
    plan: { tasks: spec.tasks },
    params: { ...Object.fromEntries(defaults), ...params },
  } as Json;
}
