/** What a batch of commits does to the rows of questions. */
import type { Commit, Question } from '@cadre/contracts';
import type { RunState } from '@cadre/engine';
import type { RowOf } from './write-rows.js';

type Questions = RunState['questions'];
type QuestionState = Questions[string];

export class QuestionBatch {
  readonly #rows = new Map<string, RowOf<'questions'>>();

  get rows(): RowOf<'questions'>[] {
    return [...this.#rows.values()];
  }

  /** @param before the run's questions before the commit @param run the run after it */
  note(before: Questions, run: RunState, commit: Commit): void {
    if (before === run.questions) return;
    for (const [id, question] of Object.entries(before)) {
      if (Object.hasOwn(run.questions, id)) continue;
      this.#set({ ...questionRow(run, question), status: 'closed', ended_at: commit.at });
    }
    for (const [id, question] of Object.entries(run.questions)) {
      if (before[id] !== question) this.#set(questionRow(run, question));
    }
    for (const event of commit.events) {
      if (event.type !== 'QuestionAnswered') continue;
      const row = this.#rows.get(idOf(run.runId, event.questionId));
      if (row) this.#set({ ...row, note: event.note ?? null, raise_micros: event.raiseMicros ?? null });
    }
  }

  #set(row: RowOf<'questions'>): void {
    this.#rows.set(idOf(String(row.run_id), String(row.question_id)), row);
  }
}

const idOf = (runId: string, questionId: string): string => `${runId} ${questionId}`;

export function questionRow(run: RunState, question: QuestionState): RowOf<'questions'> {
  const { answer } = question;
  return {
    run_id: run.runId,
    question_id: question.questionId,
    tenant: run.tenant,
    task_id: question.taskId,
    task_title: titleOf(run, question.taskId),
    kind: question.kind,
    status: answer === undefined ? 'open' : 'answered',
    asked_at: question.askedAt,
    due_at: question.dueAt,
    ended_at: answer?.at ?? null,
    choice: answer?.choice ?? null,
    answered_by: answer?.by ?? null,
    note: null,
    raise_micros: null,
    question: JSON.stringify(bare(question)),
  };
}

/** The question as it was asked. */
export function bare({ askedAt: _askedAt, answer: _answer, ...question }: QuestionState): Question {
  return question;
}

export function titleOf(run: RunState, taskId: string): string {
  return Object.hasOwn(run.tasks, taskId) ? (run.tasks[taskId]?.spec.title ?? taskId) : taskId;
}
