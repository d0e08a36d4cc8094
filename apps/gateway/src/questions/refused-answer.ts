/** What a caller is told whose answer was refused. */
import { CadreError, type QuestionChoice, type QuestionView, type Rejection, type RunId } from '@cadre/contracts';

interface Given {
  runId: RunId;
  questionId: string;
  choice: QuestionChoice;
}

/** @param open the run's open questions, as far as they are known */
export function refusedAnswer(
  { runId, questionId, choice }: Given,
  { code, message }: { code: Rejection; message: string },
  open: readonly QuestionView[],
): CadreError {
  // Another tenant's run does not exist for this one.
  if (code === 'unknown-run' || code === 'forbidden')
    return new CadreError('unknown-run', 'There is no such run.', { remedy: 'see GET /v1/runs' });
  if (code !== 'unknown-question') return new CadreError(code, message);
  const question = open.find((each) => each.questionId === questionId);
  if (question === undefined || question.choices.includes(choice)) return unknownQuestion(runId, questionId);
  const choices = question.choices.join(', ');
  return new CadreError('choice-not-allowed', `The question ${questionId} cannot be answered with ${choice}; its choices are ${choices}.`, {
    remedy: `choose one of ${choices}`,
  });
}

export function unknownQuestion(runId: RunId, questionId: string): CadreError {
  const shown = JSON.stringify(questionId.slice(0, 40));
  return new CadreError('unknown-question', `The run has no open question ${shown}; it may have been answered, or its time was up.`, {
    remedy: `see GET /v1/runs/${runId}/questions for the open ones`,
  });
}
