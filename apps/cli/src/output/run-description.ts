/** A run in lines, for people. */
import type { Budget, QuestionView, RunView, Usage } from '@cadre/contracts';
import { answerHint } from './answer-hint.js';
import { caveats } from './caveats.js';
import { degradation } from './degradation.js';
import { bytes, consumption, count, duration, moment, money, oneLine } from './figures.js';
import { serverWaitText } from './server-wait.js';
import { table } from './table.js';

/** @param answer the whole answer; empty when there is none */
export function describeRun(run: RunView, answer: string): string[] {
  const took = run.endedAt === undefined ? '' : `, took ${duration(run.endedAt - run.createdAt)}`;
  const budget = describeBudget(run.options.budget);
  return [
    `Run      ${run.runId}`,
    `Goal     ${oneLine(run.goal, 200)}`,
    `Status   ${statusOf(run)}`,
    `Started  ${moment(run.createdAt)}${took}`,
    `Tasks    ${run.tasksDone} of ${run.tasksTotal}`,
    ...(budget === undefined ? [] : [`Budget   ${budget}`]),
    `Used     ${consumption(run.usage)}${run.reservedMicros === 0 ? '' : `, and ${money(run.reservedMicros)} set aside for calls under way`}`,
    ...describeCosts(run.usage),
    ...(run.missing ?? []).map((phrase, index) => `${index === 0 ? 'Missing ' : '        '} ${oneLine(phrase, 160)}`),
    ...describeQuestions(run),
    ...describeWaits(run),
    ...taskTable(run),
    ...artifactTable(run),
    ...(answer === '' ? [] : ['', answer]),
  ];
}

/** Of the cost: what is not known, and what a server has billed beyond what it was allowed. */
function describeCosts({ unpricedCalls = 0, overrunMicros = 0 }: Usage): string[] {
  return [
    ...(unpricedCalls === 0 ? [] : [`Unknown  what ${count(unpricedCalls, 'call')} of models without a known price cost`]),
    ...(overrunMicros === 0
      ? []
      : [`Overrun  ${money(overrunMicros)} more than was set aside: a model server billed more than it was allowed`]),
  ];
}

function statusOf(run: RunView): string {
  if (run.status === 'cancelling') return `cancelling: ${run.cancelReason ?? ''}; what runs may wind up until ${moment(run.deadlineAt)}`;
  if (run.status === 'cancelled') return `cancelled: ${run.cancelReason ?? ''}`;
  const asking = run.questions.length === 0 ? '' : ', waits for an answer';
  const waiting = run.tasks.some(({ serverWait }) => serverWait) ? ', waits for the model server' : '';
  return `${run.status}${run.partial === true ? ' in part' : ''}${asking}${waiting}${run.error === undefined ? '' : `: ${run.error.message}`}`;
}

const ON_LIMIT = { stop: 'then the task fails', degrade: 'then it goes on with', ask: 'then a person is asked' } as const;

const UNPRICED = { allow: 'allowed', refuse: 'refused' } as const;

/** @returns undefined when nothing is capped and nothing is out of the ordinary */
export function describeBudget(budget: Budget): string | undefined {
  const caps = [
    ...(budget.runMicros === undefined ? [] : [`${money(budget.runMicros)} for the run`]),
    ...(budget.taskMicros === undefined ? [] : [`${money(budget.taskMicros)} for each task`]),
    ...Object.entries(budget.agentMicros).map(([agent, micros]) => `${money(micros)} for ${agent}`),
  ];
  const rules = [
    ...(caps.length === 0 && budget.onLimit === 'stop'
      ? []
      : [`${ON_LIMIT[budget.onLimit]}${budget.onLimit === 'degrade' ? ` ${budget.degradeTo}` : ''}`]),
    ...(budget.unpricedModels === 'if-uncapped' ? [] : [`models without a price are ${UNPRICED[budget.unpricedModels]}`]),
  ];
  if (caps.length === 0 && rules.length === 0) return undefined;
  return [caps.length === 0 ? 'no cap of its own' : caps.join(', '), ...rules].join('; ');
}

function describeQuestions({ questions }: RunView): string[] {
  return questions.length === 0 ? [] : ['', 'It waits for an answer:', ...questions.flatMap((question) => questionLines(question, '  '))];
}

/** What the server said, whole: the table has no room for it. */
function describeWaits({ tasks }: RunView): string[] {
  const waiting = tasks.filter(({ serverWait }) => serverWait);
  return waiting.flatMap(({ taskId, serverWait, error = '' }) => [
    '',
    oneLine(`${taskId} ${serverWaitText({ until: serverWait!.until, words: error }, Date.now())}`, 1000),
    `    It waits since ${moment(serverWait!.since)}; no attempt is lost with that.`,
  ]);
}

/** The question, and what to type. */
export function questionLines(question: QuestionView, indent = ''): string[] {
  const about = question.kind === 'budget' ? 'money' : 'a call that must happen once';
  return [
    `${indent}${question.questionId}  ${question.taskId} (${oneLine(question.taskTitle, 60)}), about ${about}, open until ${moment(question.dueAt)}`,
    `${indent}    ${oneLine(question.text, 500)}`,
    `${indent}    ${answerHint(question.runId, question)}`,
  ];
}

function taskTable(run: RunView): string[] {
  if (run.tasks.length === 0) return [];
  const rows = run.tasks.map((task) => {
    const time = task.startedAt !== undefined && task.endedAt !== undefined ? duration(task.endedAt - task.startedAt) : '';
    const notes = [degradation(task), caveats(task)].filter((note) => note !== '');
    const noted = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
    const cached = task.cachedFrom === undefined ? '' : ` (result of ${task.cachedFrom.taskId} in ${task.cachedFrom.runId})`;
    const waits = task.waitsFor === undefined ? '' : ` (${task.waitsFor})`;
    const what = `${oneLine(`${task.error ?? task.title}${noted}`, 100)}${cached}${waits}`;
    const agent = task.specialist === undefined ? task.agent : `${task.agent ?? ''} as ${task.specialist}`;
    return [task.taskId, task.status, agent ?? '', String(task.attempt || ''), time, consumption(task.usage), what];
  });
  const more = run.leftOut?.tasks ?? 0;
  const rest = more === 0 ? [] : [`… and ${count(more, 'more task')}`];
  return ['', ...table(['TASK', 'STATUS', 'AGENT', 'ATTEMPT', 'TIME', 'USED', 'WHAT'], rows), ...rest];
}

function artifactTable({ artifacts, leftOut }: RunView): string[] {
  if (artifacts.length === 0) return [];
  return [
    '',
    ...table(
      ['ARTIFACT', 'SIZE'],
      artifacts.map(({ name, size }) => [name, bytes(size)]),
    ),
    ...(leftOut === undefined || leftOut.artifacts === 0 ? [] : [`… and ${count(leftOut.artifacts, 'more artifact')}`]),
  ];
}
