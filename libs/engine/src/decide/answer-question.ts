/** Answers to questions, by people or by the clock. */
import { INLINE_LIMIT_BYTES, utf8Bytes } from '@cadre/contracts';
import type { AnswerQuestion, CallSettlement, ExpireQuestion, QuestionChoice } from '@cadre/contracts';
import { accepted, duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { capMicros } from '../run/caps.js';
import { CLOSED_BY, failTask, goOn } from '../run/close-attempt.js';
import { Draft } from '../run/draft.js';
import type { QuestionState, RunState } from '../state.js';

interface Answer {
  choice: QuestionChoice;
  by: string;
  note?: string | undefined;
  raiseMicros?: number | undefined;
  /** With `done`: what the call answered, as JSON. */
  body?: string;
}

function questionOf(state: RunState, id: string): QuestionState | undefined {
  return Object.hasOwn(state.questions, id) ? state.questions[id] : undefined;
}

/** Approval without a figure doubles the cap, or more where the refused call needs more. */
function raiseBy(draft: Draft, question: QuestionState, wanted: number | undefined): number | undefined {
  if (question.limit === undefined || question.limit === 'price' || question.limit === 'tenant') return undefined;
  return wanted ?? Math.max(capMicros(draft, draft.need(question.taskId), question.limit), question.neededMicros ?? 0);
}

/** A person says that the call has happened: its record is what they say. It was paid for when its outcome became unknown. */
function settleByHand(draft: Draft, question: QuestionState, answer: Answer): void {
  const { key = '', taskId } = question;
  const settlement: CallSettlement = {
    key,
    try: draft.call(taskId, key)?.try ?? 1,
    outcome: 'done',
    ok: true,
    note: `${answer.by} says that it was done`.slice(0, 300),
    at: draft.now,
    durationMs: 0,
    inputTokens: 0,
    outputTokens: 0,
    costMicros: 0,
    body: { text: answer.body ?? JSON.stringify({ done: true, by: answer.by }) },
  };
  draft.emit({ type: 'CallsSettled', taskId, attempt: draft.need(taskId).attempt, calls: [settlement] });
}

function failureOf(question: QuestionState, answer: Answer): { code: string; message: string; retriable: false } {
  const who =
    answer.by === 'timeout' ? 'nobody answered in time' : `${answer.by} said no${answer.note === undefined ? '' : `: ${answer.note}`}`;
  const code = question.kind === 'effect' ? 'effect-unknown' : question.limit === 'price' ? CLOSED_BY.unpriced : CLOSED_BY.budget;
  return { code, message: `${question.text} (${who})`.slice(0, 4000), retriable: false };
}

/** Of what the attempt that asked was told to wait. */
function waitLeftMs(draft: Draft, { taskId, askedAt }: QuestionState): number {
  return Math.max(0, askedAt + (draft.need(taskId).error?.retryAfterMs ?? 0) - draft.now);
}

function apply(state: RunState, question: QuestionState, answer: Answer, context: DecideContext): Decision {
  const draft = new Draft(state, context);
  const { questionId, taskId } = question;
  const { choice, by, note } = answer;
  const raiseMicros = choice === 'approve' ? raiseBy(draft, question, answer.raiseMicros) : undefined;
  draft.emit({
    type: 'QuestionAnswered',
    taskId,
    questionId,
    choice,
    by,
    ...(note === undefined ? {} : { note }),
    ...(raiseMicros === undefined ? {} : { raiseMicros }),
  });
  if (choice === 'deny') failTask(draft, taskId, failureOf(question, answer));
  else {
    if (choice === 'done') settleByHand(draft, question, answer);
    goOn(draft, taskId, waitLeftMs(draft, question));
  }
  return accepted(draft);
}

/** The first answer counts; the same one again is a repetition. */
export function decideAnswerQuestion(state: RunState, command: AnswerQuestion, context: DecideContext): Decision {
  if (state.tenant !== command.tenant) return rejected('forbidden', 'This run belongs to another tenant.');
  const question = questionOf(state, command.questionId);
  if (!question) return rejected('unknown-question', `The run has no question ${command.questionId} that could be answered.`);
  const { answer } = question;
  if (answer && answer.choice === command.choice) return duplicate();
  if (answer) return rejected('unknown-question', `${answer.by} has answered question ${command.questionId} already: ${answer.choice}.`);
  if (!question.choices.includes(command.choice)) {
    return rejected('unknown-question', `Question ${command.questionId} can be answered with ${question.choices.join(', ')}.`);
  }
  const body = command.result === undefined ? undefined : JSON.stringify(command.result);
  if (body !== undefined && utf8Bytes(body) > INLINE_LIMIT_BYTES) {
    return rejected('invalid-command', `The result is longer than ${INLINE_LIMIT_BYTES} bytes; give a short one.`);
  }
  const { choice, by, note, raiseMicros } = command;
  return apply(state, question, { choice, by, note, raiseMicros, ...(body === undefined ? {} : { body }) }, context);
}

export function decideExpireQuestion(state: RunState, command: ExpireQuestion, context: DecideContext): Decision {
  const question = questionOf(state, command.questionId);
  if (!question) return rejected('unknown-question', `The run has no open question ${command.questionId}.`);
  if (question.answer) return duplicate();
  const leftMs = question.dueAt - context.now;
  if (leftMs > 0) return rejected('not-yet', `The question stays open for ${leftMs} ms.`);
  return apply(state, question, { choice: 'deny', by: 'timeout' }, context);
}
