/** Answers that have to be JSON of a given form: what an agent is told of it, what its model server is asked to keep to, and the check. */
import { CadreError, resultFaults } from '@cadre/contracts';
import type { Assignment, Json, ResultSchema } from '@cadre/contracts';

export type FittedResult = { ok: true; answer: string } | { ok: false; why: string };

/** For the agent, beside the schema in its task. */
export const RESULT_FORM =
  'The result of this task is data for others, not a text: the value of "answer" is JSON that fits "resultSchema", without words around it.';

/** The answer as the JSON that it has to be, or in words what it lacks. */
export function fitResult(answer: string, schema: ResultSchema): FittedResult {
  const value = jsonOf(answer);
  // A bare text may be what is asked for.
  const faults = value === undefined ? resultFaults(schema, answer) : resultFaults(schema, value);
  if (faults.length === 0) return { ok: true, answer: value === undefined || typeof value === 'string' ? answer : JSON.stringify(value) };
  const form = value === undefined ? 'The answer is no JSON. ' : '';
  return { ok: false, why: `The answer does not fit the resultSchema of the task. ${form}${faults.join(' ')}` };
}

function jsonOf(answer: string): Json | undefined {
  const fenced = /^\s*```[A-Za-z]*[ \t]*\r?\n([^]*?)```\s*$/.exec(answer)?.[1];
  try {
    return JSON.parse(fenced ?? answer) as Json;
  } catch {
    return undefined;
  }
}

/** What a task is answered with, whoever worked on it. Error: `result-invalid`. */
export function checkedAnswer({ resultSchema }: Pick<Assignment, 'resultSchema'>, answer: string): string {
  if (resultSchema === undefined) return answer;
  const fitted = fitResult(answer, resultSchema);
  if (fitted.ok) return fitted.answer;
  throw new CadreError('result-invalid', fitted.why);
}
