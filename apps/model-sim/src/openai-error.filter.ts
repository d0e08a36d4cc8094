/** The edge where errors become OpenAI's error bodies. */
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OpenAiError } from './wire/openai-error.js';

@Catch()
export class OpenAiErrorFilter implements ExceptionFilter {
  private readonly log = new Logger('model-sim');

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = translate(thrown, request);
    if (error.status >= 500) this.log.error(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
    if (reply.sent || reply.raw.headersSent) reply.raw.destroy();
    else void reply.status(error.status).send(error.body());
  }
}

function translate(thrown: unknown, request: FastifyRequest): OpenAiError {
  if (thrown instanceof OpenAiError) return thrown;
  const status = statusOf(thrown);
  if (status === 404) return new OpenAiError(404, `Invalid URL (${request.method} ${request.url.slice(0, 200)})`, 'unknown_url');
  if (status === 413) return new OpenAiError(413, 'The request is too large.', 'request_too_large');
  if (status === 415) return new OpenAiError(415, 'Send JSON with the header content-type: application/json.', 'unsupported_media_type');
  if (status !== undefined && status >= 400 && status < 500) {
    return new OpenAiError(
      status,
      `The body could not be parsed as JSON: ${thrown instanceof Error ? thrown.message : ''}`,
      'invalid_json',
    );
  }
  return new OpenAiError(500, 'The server failed on this request; its log says why.', 'internal_error');
}

function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  if (typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown && typeof thrown.statusCode === 'number')
    return thrown.statusCode;
  return undefined;
}
