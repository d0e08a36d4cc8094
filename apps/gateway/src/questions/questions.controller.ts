import { AnswerAccepted, CadreError, QuestionList, type RunId } from '@cadre/contracts';
import { traceOf } from '@cadre/service-kit';
import { Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { HistoryClient } from '../history/history-client.js';
import { KnownShard } from '../runs/known-shard.js';
import { RunIntake } from '../runs/run-intake.js';
import { runLinks } from '../runs/run-links.js';
import { DEFAULT_TENANT } from '../tenant.js';
import { parseAnswer } from './answer-request.js';
import { refusedAnswer, unknownQuestion } from './refused-answer.js';

const QUESTION_ID = /^q[0-9]{1,9}$/;

@ApiTags('Questions')
@Controller('v1')
export class QuestionsController {
  constructor(
    private readonly intake: RunIntake,
    private readonly history: HistoryClient,
  ) {}

  @Get('questions')
  @Described({
    summary: 'List the open questions of all runs',
    description: 'What waits for a person: a cap on money that was hit, or a call that may or may not have happened. Oldest first.',
    ok: { status: 200, description: 'All open questions', schema: QuestionList, example: EXAMPLES.questions },
    problems: [503],
  })
  async all(@Req() http: FastifyRequest): Promise<QuestionList> {
    return { questions: await this.history.questions(DEFAULT_TENANT, undefined, traceOf(http)) };
  }

  @Get('runs/:runId/questions')
  @Described({
    summary: 'List the open questions of a run',
    ok: { status: 200, description: 'Its open questions, oldest first', schema: QuestionList, example: EXAMPLES.questions },
    problems: [404, 503],
  })
  async ofRun(@Param('runId', KnownShard) runId: RunId, @Req() http: FastifyRequest): Promise<QuestionList> {
    return { questions: await this.history.questions(DEFAULT_TENANT, runId, traceOf(http)) };
  }

  @Post('runs/:runId/questions/:questionId/answer')
  @HttpCode(200)
  @Described({
    summary: 'Answer a question',
    description:
      '`approve` raises the cap that was hit, by `raiseMicros` (millionths of a US dollar) or, without it, by its own size. `done`: the call has happened, `result` is what it answered. `repeat`: it has not, make it. `deny` fails the task. The same answer may be sent again.',
    ok: { status: 200, description: 'The answer is stored, now or before', schema: AnswerAccepted, example: EXAMPLES.answered },
    problems: [400, 404, 409, 413, 422, 503],
  })
  async answer(
    @Param('runId', KnownShard) runId: RunId,
    @Param('questionId') questionId: string,
    @Req() http: FastifyRequest,
  ): Promise<AnswerAccepted> {
    if (!QUESTION_ID.test(questionId)) throw unknownQuestion(runId, questionId);
    const request = parseAnswer(http.body);
    const trace = traceOf(http);
    const outcome = await this.intake
      .answer(DEFAULT_TENANT, runId, questionId, request, trace)
      .catch((error: unknown) => Promise.reject(unanswered(error)));
    if (outcome.outcome !== 'rejected') return { runId, questionId, links: runLinks(runId) };
    // The owner does not say which of the two it was, and only the refused need to know.
    const open = outcome.code === 'unknown-question' ? await this.history.questions(DEFAULT_TENANT, runId, trace).catch(() => []) : [];
    throw refusedAnswer({ runId, questionId, choice: request.choice }, outcome, open);
  }
}

/** An answer may be repeated, so that is what to do when nobody says whether it was stored. */
function unanswered(error: unknown): unknown {
  if (!(error instanceof CadreError) || error.code !== 'commands-unanswered') return error;
  return new CadreError('unavailable', 'No orchestrator has answered in time; the answer may or may not be stored.', {
    retriable: true,
    remedy: 'send the same answer again',
    cause: error,
  });
}
