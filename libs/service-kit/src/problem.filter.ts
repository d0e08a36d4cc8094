/** The edge where errors become answers: every error of an HTTP handler leaves as problem+json. */
import { randomUUID } from 'node:crypto';
import { CadreError } from '@cadre/contracts';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { problemOf } from './problem.js';

/** Seconds after which a caller should ask again. */
const RETRY_AFTER_S = 2;

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), thrown, this.log);
  }
}

/** Answers with the problem of an error; logs those that are ours. A response under way can only be cut off. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, thrown: unknown, log: Logger): void {
  const error = translate(thrown);
  const problem = problemOf(error);
  const about = { err: thrown, method: request.method, path: request.url.split('?')[0] };
  if (problem.status === 500) {
    const id = randomUUID();
    log.error({ ...about, errorId: id }, 'request failed');
    problem.detail = `Something went wrong on our side. Error id: ${id}`;
    problem.remedy ??= 'look for the error id in the service log';
    problem.code = 'internal';
    problem.type = 'urn:cadre:problem:internal';
  } else if (problem.status > 500) log.warn(about, 'request could not be served');
  if (reply.sent || reply.raw.headersSent) {
    reply.raw.destroy();
    return;
  }
  if (problem.status === 503) void reply.header('retry-after', String(RETRY_AFTER_S));
  void reply.status(problem.status).header('content-type', 'application/problem+json; charset=utf-8').send(JSON.stringify(problem));
}

function translate(thrown: unknown): CadreError {
  if (thrown instanceof CadreError) return thrown;
  if (thrown instanceof HttpException) return ofHttp(thrown.getStatus(), thrown.message, thrown.cause ?? thrown);
  const status = (thrown as { statusCode?: unknown } | undefined)?.statusCode;
  if (thrown instanceof Error && typeof status === 'number') return ofHttp(status, thrown.message, thrown);
  return new CadreError('internal', 'unexpected error', { cause: thrown });
}

/** Errors of the framework: the router, the body parsers. */
function ofHttp(status: number, message: string, cause: unknown): CadreError {
  const code = (cause as { code?: string } | undefined)?.code ?? '';
  const map: Record<number, [string, string, string?]> = {
    400: /JSON|json/.test(`${code} ${message}`)
      ? ['malformed-json', 'The body is not valid JSON.', 'send one JSON object in UTF-8']
      : ['invalid-request', message],
    401: ['unauthenticated', message],
    403: ['forbidden', message],
    404: ['not-found', message, 'see /openapi.json for what there is'],
    405: ['method-not-allowed', message],
    406: ['not-acceptable', message],
    408: ['request-incomplete', message],
    413: ['body-too-large', 'The body is larger than this endpoint takes.', 'send a smaller body; files go up as multipart/form-data'],
    415: ['unsupported-media-type', message, 'use a content type that the endpoint takes; see /openapi.json'],
    422: ['unprocessable', message],
    429: ['rate-limited', message],
    503: ['unavailable', message],
  };
  const known = map[status] ?? (status >= 400 && status < 500 ? (['invalid-request', message] as [string, string, string?]) : undefined);
  if (!known) return new CadreError('internal', message, { cause });
  return new CadreError(known[0], known[1], { cause, ...(known[2] === undefined ? {} : { remedy: known[2] }) });
}
