/** `cadre questions` and `cadre answer`. */
import { userInfo } from 'node:os';
import { QuestionChoice, QuestionId } from '@cadre/contracts';
import type { AnswerInput } from '@cadre/sdk';
import { EXIT } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import { questionLines } from '../output/run-description.js';
import type { Terminal } from '../terminal.js';
import { clientFor, parseFormat, parseJson, parseMoney, parseRunId } from './options.js';

export async function listQuestions(
  runId: string | undefined,
  flags: { url?: string; output?: string },
  terminal: Terminal,
): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const questions = await clientFor(flags.url, terminal).questions(runId === undefined ? undefined : parseRunId(runId));
  if (format === 'json') terminal.out(JSON.stringify({ questions }, null, 2));
  else if (questions.length === 0) terminal.err(runId === undefined ? 'No run waits for an answer.' : 'The run waits for no answer.');
  else {
    let last: string | undefined;
    for (const question of questions) {
      if (question.runId !== last) terminal.out(`${last === undefined ? '' : '\n'}Run ${question.runId}`);
      last = question.runId;
      questionLines(question, '  ').forEach((line) => terminal.out(line));
    }
  }
  return EXIT.ok;
}

export interface AnswerFlags {
  url?: string;
  raise?: string;
  result?: string;
  note?: string;
  by?: string;
}

export async function answerQuestion(args: [string, string, string], flags: AnswerFlags, terminal: Terminal): Promise<number> {
  const runId = parseRunId(args[0]);
  const questionId = parseQuestionId(args[1]);
  const answer = answerOf(args[2], flags, terminal);
  await clientFor(flags.url, terminal).answerQuestion(runId, questionId, answer);
  terminal.err(`${questionId} is answered: ${answer.choice}. To see how the run goes on: cadre watch ${runId}`);
  return EXIT.ok;
}

function answerOf(choice: string, flags: AnswerFlags, terminal: Terminal): AnswerInput {
  const known = QuestionChoice.safeParse(choice);
  if (!known.success)
    throw new UsageError(
      `${JSON.stringify(choice)} is no answer.`,
      `Choose one of ${QuestionChoice.options.join(', ')}, as the question says.`,
    );
  if (flags.raise !== undefined && choice !== 'approve')
    throw new UsageError('--raise goes with the answer approve only.', `Leave it out, or answer approve.`);
  if (flags.result !== undefined && choice !== 'done')
    throw new UsageError('--result goes with the answer done only.', 'Leave it out, or answer done.');
  return {
    choice: known.data,
    by: flags.by ?? userName(terminal),
    ...(flags.raise === undefined ? {} : { raiseMicros: parseMoney('--raise')(flags.raise) }),
    ...(flags.result === undefined ? {} : { result: parseJson('--result', flags.result, '{"orderId": 4711}') }),
    ...(flags.note === undefined ? {} : { note: flags.note }),
  };
}

function parseQuestionId(text: string): string {
  if (QuestionId.safeParse(text).success) return text;
  throw new UsageError(
    `${JSON.stringify(text)} is not a question.`,
    'A question looks like q1; `cadre questions` shows those that are open.',
  );
}

/** Who answers is kept with the run. */
function userName({ env }: Terminal): string {
  try {
    return env['USER'] || userInfo().username || 'cli';
  } catch {
    return 'cli';
  }
}
