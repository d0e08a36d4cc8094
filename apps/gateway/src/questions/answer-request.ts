/** From the body of an answer to one that can be carried out, or to a refusal that says what to change. */
import { AnswerRequest, INLINE_LIMIT_BYTES, utf8Bytes } from '@cadre/contracts';
import { InputProblem, inputProblem } from '@cadre/service-kit';
import { assertStorable } from '../runs/storable.js';

/** @throws InputProblem `invalid-request`, `body-too-large` */
export function parseAnswer(value: unknown): AnswerRequest {
  assertStorable(value);
  const parsed = AnswerRequest.safeParse(value ?? {});
  if (!parsed.success) throw inputProblem(parsed.error.issues, 'answer');
  const { choice, raiseMicros, result } = parsed.data;
  if (raiseMicros !== undefined && choice !== 'approve') throw misplaced('raiseMicros', 'approve', choice);
  if (result !== undefined && choice !== 'done') throw misplaced('result', 'done', choice);
  const bytes = result === undefined ? 0 : utf8Bytes(JSON.stringify(result));
  if (bytes > INLINE_LIMIT_BYTES) {
    throw new InputProblem('body-too-large', `The result takes ${bytes} bytes; ${INLINE_LIMIT_BYTES} are allowed.`, {
      errors: [{ path: 'result', message: `longer than ${INLINE_LIMIT_BYTES} bytes` }],
      remedy: 'give what the call answered in short',
    });
  }
  return parsed.data;
}

function misplaced(field: string, belongsTo: string, choice: string): InputProblem {
  const message = `goes with the choice ${belongsTo} only, not with ${choice}`;
  return new InputProblem('invalid-request', `The answer is not valid: ${field}: ${message}`, {
    errors: [{ path: field, message }],
    remedy: `leave ${field} out, or choose ${belongsTo}`,
  });
}
