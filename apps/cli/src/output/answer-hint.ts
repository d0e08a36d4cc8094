/** What to type to answer a question. */
import type { Question } from '@cadre/contracts';

/** `cadre answer r00-… q1 approve|deny` */
export function answerHint(runId: string, { questionId, choices }: Pick<Question, 'questionId' | 'choices'>): string {
  return `cadre answer ${runId} ${questionId} ${choices.join('|')}`;
}
