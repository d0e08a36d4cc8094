/** Questions to people: what is asked, and what an answer brings about. */
import type { CallKey, Question, SpendLimit, TaskId, WorkerId } from '@cadre/contracts';
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

/** @param worker who has not said how the call ended: one that only sleeps may still make it when it wakes */
export function askAboutEffect(draft: Draft, taskId: TaskId, key: CallKey, worker?: WorkerId): void {
  const tool = draft.call(taskId, key)?.name ?? 'a tool';
  const what = `Task ${taskId} called ${tool}, which must happen once, and nobody knows whether it has happened. Has it?`;
  const warning = ` Worker ${worker} has not said how it ended and may still do it: make sure that it does not run before you answer repeat.`;
  const text = worker === undefined ? what : what + warning;
  ask(draft, taskId, { kind: 'effect', text, choices: ['done', 'repeat', 'deny'], key, tool, ...(worker !== undefined && { worker }) });
}
