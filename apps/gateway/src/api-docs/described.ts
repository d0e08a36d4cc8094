/** How a route is described in the OpenAPI document, in one decorator. */
import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';

interface Answer {
  status: number;
  description: string;
  /** Of a JSON body. */
  schema?: z.ZodType;
  example?: unknown;
  /** Media type of a body that is not JSON. */
  content?: string;
  /** Example of the same as server-sent events. */
  stream?: string;
}

export interface Description {
  summary: string;
  description?: string;
  ok: Answer;
  also?: Answer;
  /** Statuses of the problems that a caller may get. */
  problems: number[];
  /** The part of the path that is a `*`; see `document.ts`. */
  wildcard?: { name: string; description: string; example: string };
}

const PROBLEMS: Record<number, string> = {
  400: 'The request is not valid; `errors` names each fault',
  403: 'Who is named has not the right to do this',
  404: 'What the path names does not exist',
  409: 'The request does not fit what is there',
  413: 'The body, a file or the goal is too large',
  415: 'The content type, or the kind of a file, cannot be read',
  422: 'The request is understood and cannot be carried out',
  503: 'Nobody answers at the moment; ask again after `Retry-After`',
  504: 'Nobody has replied in time',
};

export const WILDCARD = 'x-wildcard';

export function Described({ summary, description, ok, also, problems, wildcard }: Description): MethodDecorator {
  const answers = [ok, ...(also ? [also] : [])];
  return applyDecorators(
    ApiOperation({
      summary,
      ...(description === undefined ? {} : { description }),
      ...(wildcard ? { [WILDCARD]: wildcard } : {}),
    } as never),
    ...answers.map((answer) => ApiResponse({ status: answer.status, description: answer.description, ...body(answer) } as never)),
    ...problems.map((status) =>
      ApiResponse({
        status,
        description: PROBLEMS[status] ?? 'The request failed',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      } as never),
    ),
  );
}

function body({ schema, example, content, stream }: Answer): object {
  if (content !== undefined) return { content: { [content]: { schema: { type: 'string', format: 'binary' } } } };
  if (!schema) return {};
  const given = example === undefined ? {} : { example };
  if (stream === undefined) return { standardSchema: schema, ...given };
  return { standardSchema: schema, ...given, 'x-stream': stream };
}
