/** How the client reports what went wrong. */
import { CadreError, type Problem } from '@cadre/contracts';

/** The gateway refused a request, or failed at it: its problem details, as an error. */
export class CadreApiError extends CadreError {
  /** HTTP status. */
  readonly status: number;
  /** Each fault of the input: where it is and what is wrong. Empty when the problem is of another kind. */
  readonly errors: { path: string; message: string }[];
  /** Of a `version-conflict`: the newest version; 0 when there is none. */
  readonly presentVersion: number | undefined;

  constructor(problem: Partial<Problem> & { status: number }) {
    const text = problem.detail ?? problem.title ?? `The gateway answered with HTTP status ${problem.status}.`;
    super(problem.code ?? `http-${problem.status}`, text, {
      retriable: problem.status === 429 || problem.status >= 500,
      ...(problem.remedy === undefined ? {} : { remedy: problem.remedy }),
    });
    this.name = 'CadreApiError';
    this.status = problem.status;
    this.errors = Array.isArray(problem.errors) ? problem.errors : [];
    this.presentVersion = problem.presentVersion;
  }
}

export function unreachable(baseUrl: string, cause: unknown): CadreError {
  return new CadreError('gateway-unreachable', `No Cadre gateway answers at ${baseUrl}.`, {
    retriable: true,
    remedy: 'Check that the system runs and that the address is right.',
    cause,
  });
}

export function badAnswer(url: string, what: string): CadreError {
  return new CadreError('bad-answer', `The answer of ${url} is not what a Cadre gateway sends: ${what}`, {
    remedy: 'Check that the address is that of a Cadre gateway, and that client and gateway are of the same release.',
  });
}
