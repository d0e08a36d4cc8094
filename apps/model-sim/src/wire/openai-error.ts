/** Errors in the form that OpenAI's clients expect. */
import type { z } from 'zod';

export class OpenAiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code: string | null,
    readonly param: string | null = null,
    readonly type = status >= 500 ? 'server_error' : 'invalid_request_error',
  ) {
    super(message);
  }

  body(): object {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } };
  }
}

/** The first fault of a request; where it is, as `messages[0].content`. */
export function invalidRequest(error: z.ZodError): OpenAiError {
  const issue = error.issues[0];
  const where = (issue?.path ?? []).reduce<string>((path, part) => {
    if (typeof part === 'number') return `${path}[${part}]`;
    return path === '' ? String(part) : `${path}.${String(part)}`;
  }, '');
  const what = issue?.message ?? 'the request is not valid';
  return new OpenAiError(
    400,
    where === '' ? `Invalid request: ${what}.` : `Invalid value for '${where}': ${what}.`,
    'invalid_value',
    where || null,
  );
}

export function unknownModel(model: string, known: string): OpenAiError {
  return new OpenAiError(
    404,
    `The model '${model.slice(0, 100)}' does not exist here; this server has '${known}'.`,
    'model_not_found',
    'model',
  );
}
