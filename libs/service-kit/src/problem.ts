/** What an error means to a caller over HTTP: one table, and errors that name the faults of an input. */
import { CadreError, type CadreErrorOptions, type Problem } from '@cadre/contracts';
import type { z } from 'zod';

interface Meaning {
  status: number;
  title: string;
}

/** Every code that may reach a caller. A code that is not here is a 503 when retriable, else a 500. */
const MEANINGS: Record<string, Meaning> = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  unauthenticated: { status: 401, title: 'Credentials are missing' },
  forbidden: { status: 403, title: 'Not allowed' },
  'context-forbidden': { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'Not found' },
  'unknown-run': { status: 404, title: 'No such run' },
  'unknown-question': { status: 404, title: 'No such open question' },
  'unknown-channel': { status: 404, title: 'No such channel' },
  'unknown-agent': { status: 404, title: 'No such agent' },
  'blob-missing': { status: 404, title: 'The content is gone' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'not-acceptable': { status: 406, title: 'Not acceptable' },
  'request-incomplete': { status: 408, title: 'The request did not arrive whole' },
  'run-conflict': { status: 409, title: 'Another request has taken this key' },
  'key-taken': { status: 409, title: 'Another request has taken this key' },
  'version-conflict': { status: 409, title: 'Another version is the newest' },
  'run-ended': { status: 409, title: 'The run has ended' },
  'attempt-closed': { status: 409, title: 'The attempt is closed' },
  'attempt-taken': { status: 409, title: 'The attempt is taken' },
  'channel-conflict': { status: 409, title: 'The channel is another one' },
  'channel-limit': { status: 409, title: 'There are too many channels' },
  'name-taken': { status: 409, title: 'The name is taken' },
  'agent-limit': { status: 409, title: 'There are too many agents' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'context-too-large': { status: 413, title: 'The artifact is too large' },
  'message-too-large': { status: 413, title: 'The message is too large' },
  'command-too-large': { status: 413, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
  'invalid-plan': { status: 422, title: 'The plan is not valid' },
  'invalid-channel': { status: 422, title: 'The channel cannot work' },
  'invalid-message': { status: 422, title: 'The channel does not take the message' },
  'invalid-command': { status: 422, title: 'The request cannot be carried out' },
  'choice-not-allowed': { status: 422, title: 'The question does not offer this choice' },
  unprocessable: { status: 422, title: 'The request cannot be carried out' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  unavailable: { status: 503, title: 'Not available at the moment' },
  'reply-timeout': { status: 504, title: 'No reply in time' },
  internal: { status: 500, title: 'Internal error' },
};

export interface ProblemOptions extends CadreErrorOptions {
  /** Each fault: where it is and what is wrong. */
  errors?: { path: string; message: string }[];
  /** See `Problem`. */
  presentVersion?: number;
}

/** An error for the caller that lists the faults of the input. */
export class InputProblem extends CadreError {
  readonly errors: { path: string; message: string }[];
  readonly presentVersion: number | undefined;

  constructor(code: string, message: string, options: ProblemOptions = {}) {
    super(code, message, options);
    this.name = 'InputProblem';
    this.errors = options.errors ?? [];
    this.presentVersion = options.presentVersion;
  }
}

const MAX_FAULTS = 20;

/** Turns zod's issues (or those of another standard schema) into one error that names each field. */
export function inputProblem(issues: readonly IssueLike[], what = 'request', code = 'invalid-request'): InputProblem {
  const faults = issues.flatMap(describe).slice(0, MAX_FAULTS);
  const more = issues.length > MAX_FAULTS ? ` (and ${issues.length - MAX_FAULTS} more)` : '';
  const detail = faults.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ');
  return new InputProblem(code, `The ${what} is not valid: ${detail}${more}`, {
    errors: faults,
    remedy: 'correct the fields named under errors',
  });
}

export interface IssueLike {
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
}

function describe(issue: IssueLike): { path: string; message: string }[] {
  const path = pathOf(issue.path ?? []);
  const unknown = (issue as Partial<z.core.$ZodIssueUnrecognizedKeys>).keys;
  if ((issue as { code?: string }).code === 'unrecognized_keys' && unknown) {
    return unknown.map((key) => ({ path: path ? `${path}.${key}` : key, message: 'unknown field' }));
  }
  return [{ path, message: issue.message }];
}

/** `plan.tasks[2].id` */
function pathOf(path: readonly (PropertyKey | { key: PropertyKey })[]): string {
  return path
    .map((part) => (typeof part === 'object' ? part.key : part))
    .reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)), '');
}

/** RFC 9457 problem details of an error. */
export function problemOf(error: CadreError): Problem {
  const meaning = meaningOf(error);
  return {
    type: `urn:cadre:problem:${error.code}`,
    title: meaning.title,
    status: meaning.status,
    detail: error.message,
    code: error.code,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    ...(error instanceof InputProblem && error.errors.length > 0 ? { errors: error.errors } : {}),
    ...(error instanceof InputProblem && error.presentVersion !== undefined ? { presentVersion: error.presentVersion } : {}),
  };
}

function meaningOf(error: CadreError): Meaning {
  return (
    MEANINGS[error.code] ?? (error.retriable ? MEANINGS['unavailable'] : MEANINGS['internal']) ?? { status: 500, title: 'Internal error' }
  );
}
