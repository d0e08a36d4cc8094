/** Questions to people: what is asked, and what an answer brings about. */
import type { CallKey, Question, SpendLimit, TaskId } from '@cadre/contracts';
import type { Draft } from './draft.js';

export interface BudgetQuestion {
  limit: SpendLimit;
  neededMicros: number;
  text: string;
}

/** Millionths of a dollar as a person reads them. */
export function usd(micros: number): string {
  return `$${(micros / 1_000_000).toFixed(micros < 10_000 ? 6 : 2)}`;
}

function dueAt(draft: Draft): number {
  const { options, deadlineAt } = draft.run;
  return Math.min(draft.now + (options.questionTimeoutMs ?? Infinity), deadlineAt);
}

function ask(draft: Draft, taskId: TaskId, rest: Pick<Question, 'kind' | 'text' | 'choices'> & Partial<Question>): void {
  const questionId = `q${draft.run.asked + 1}`;
  draft.emit({ type: 'QuestionAsked', taskId, question: { questionId, taskId, dueAt: dueAt(draft), ...rest } });
}

export function askForBudget(draft: Draft, taskId: TaskId, { limit, neededMicros, text }: BudgetQuestion): void {
  ask(draft, taskId, { kind: 'budget', text, choices: ['approve', 'deny'], limit, neededMicros });
}

export function askAboutEffect(draft: Draft, taskId: TaskId, key: CallKey): void {
  const tool = draft.call(taskId, key)?.name ?? 'a tool';
  const text = `Task ${taskId} called ${tool}, which must happen once, and nobody knows whether it has happened. Has it?`;
  ask(draft, taskId, { kind: 'effect', text, choices: ['done', 'repeat', 'deny'], key, tool });
}
