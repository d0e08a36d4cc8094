/** Open questions to people and when their time is up, folded from the log. */
import type { Commit, QuestionId, RunEvent, RunId, TaskId } from '@cadre/contracts';
import type { RunState } from '@cadre/engine';

interface OpenQuestion {
  taskId: TaskId;
  dueAt: number;
}

export class OpenQuestions {
  readonly #runs = new Map<RunId, Map<QuestionId, OpenQuestion>>();

  /** Takes what a snapshot holds of a run. */
  take({ runId, questions }: RunState): void {
    for (const { questionId, taskId, dueAt, answer } of Object.values(questions)) {
      if (answer === undefined) this.#add(runId, questionId, { taskId, dueAt });
    }
  }

  apply({ runId }: Commit, event: RunEvent): void {
    switch (event.type) {
      case 'QuestionAsked':
        return this.#add(runId, event.question.questionId, event.question);
      case 'QuestionAnswered':
        return this.#remove(runId, (questionId) => questionId === event.questionId);
      case 'TaskCompleted':
      case 'TaskFailed':
      case 'TaskSkipped':
      case 'TaskCancelled':
        return this.#remove(runId, (_questionId, { taskId }) => taskId === event.taskId);
    }
  }

  /** A run that is over, or is read anew. */
  drop(runId: RunId): void {
    this.#runs.delete(runId);
  }

  /** @param now milliseconds since 1970 */
  expired(now: number): { runId: RunId; questionId: QuestionId }[] {
    return [...this.#runs].flatMap(([runId, questions]) =>
      [...questions].filter(([, { dueAt }]) => dueAt <= now).map(([questionId]) => ({ runId, questionId })),
    );
  }

  #add(runId: RunId, questionId: QuestionId, { taskId, dueAt }: OpenQuestion): void {
    const questions = this.#runs.get(runId) ?? new Map<QuestionId, OpenQuestion>();
    questions.set(questionId, { taskId, dueAt });
    this.#runs.set(runId, questions);
  }

  #remove(runId: RunId, which: (questionId: QuestionId, question: OpenQuestion) => boolean): void {
    const questions = this.#runs.get(runId);
    if (questions === undefined) return;
    for (const [questionId, question] of questions) if (which(questionId, question)) questions.delete(questionId);
    if (questions.size === 0) this.#runs.delete(runId);
  }
}
