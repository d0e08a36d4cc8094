/** The one error class that crosses library boundaries. */

export interface CadreErrorOptions {
  /** Whether the same call may succeed later. */
  retriable?: boolean;
  /** What a person can do about it. */
  remedy?: string;
  cause?: unknown;
  /** Another try before this many milliseconds is pointless; the server said so. */
  retryAfterMs?: number;
  /** Of a call that was to be paid for; see `Billed`. */
  billed?: Billed;
}

/**
 * Whether a call that failed may have cost something. `no`: surely not, it was refused or never sent. `unknown`: it may, so it is billed at
 * its reservation.
 */
export type Billed = 'no' | 'unknown';

/** An operating error: a stable code, a sentence, whether a retry may help, and the remedy. */
export class CadreError extends Error {
  readonly code: string;
  readonly retriable: boolean;
  readonly remedy: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly billed: Billed | undefined;

  constructor(code: string, message: string, options: CadreErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CadreError';
    this.code = code;
    this.retriable = options.retriable ?? false;
    this.remedy = options.remedy;
    this.retryAfterMs = options.retryAfterMs;
    this.billed = options.billed;
  }
}

/** RFC 9457 problem details, with Cadre's code and the remedy. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  /** What to change. */
  remedy?: string;
  /** Each fault of the input: where it is (a JSON path) and what is wrong. */
  errors?: { path: string; message: string }[];
  /** Of a `version-conflict`: the newest version; 0 when there is none. */
  presentVersion?: number;
}
