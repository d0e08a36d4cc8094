/**
 * What has been learnt of one model of a server: how it wants to be asked, how much it writes, how much its window holds. A dialect is
 * remembered when it was the cause: the refusal named it, and the next request was taken; a guess must have helped twice.
 */
import type { ModelRequest } from '@cadre/agents';
import type { Dialect } from './dialect.js';
import type { CapFault, WindowFault } from './refusals/token-limits.js';

/** A guess that has helped this often is taken for the cause. */
const TIMES_SURE = 2;
/** Tokens that a server may add to a prompt whose length it has told. */
const SPARE_TOKENS = 32;
/** With less room than this the server is to say that the prompt is too long. */
const LEAST_CAP = 256;
const FIRST_TOKENS_PER_BYTE = 0.3;

export class LearnedModel {
  private guesses = 0;
  private most = Infinity;
  private window = Infinity;
  private tokensPerByte: number | undefined;
  constructor(private dialect: Dialect) {}

  get ways(): Dialect {
    return this.dialect;
  }

  /** Tokens that its window holds; undefined: no refusal has told. */
  get contextTokens(): number | undefined {
    return this.window === Infinity ? undefined : this.window;
  }

  /** What the model may write at most in answer to this request. @param set by the operator */
  capOf(request: ModelRequest, set = Infinity): number {
    const cap = Math.min(request.maxOutputTokens, set, this.most);
    if (this.window === Infinity) return Math.max(1, cap);
    const room = this.window - this.promptTokens(request) - SPARE_TOKENS;
    return Math.max(1, Math.min(cap, Math.max(room, LEAST_CAP)));
  }

  /** @param sure whether the refusal named what was changed */
  worked(dialect: Dialect, sure: boolean): void {
    if (!sure) this.guesses += 1;
    if (sure || this.guesses >= TIMES_SURE) this.dialect = dialect;
  }

  learn(fault: CapFault | WindowFault, request: ModelRequest): void {
    if (fault.kind === 'cap') {
      if (!fault.passing) this.most = fault.most;
      return;
    }
    if (fault.window !== undefined) this.window = fault.window;
    if (fault.prompt !== undefined) this.tokensPerByte = fault.prompt / bytesOf(request);
    // Not told how long the prompt is: the cap alone was too much, so that half of the window is left for the prompt.
    else if (fault.kind === 'window') this.most = Math.min(this.most, Math.floor(fault.window / 2));
  }

  /** The server has counted the prompt. */
  counted(request: ModelRequest, promptTokens: number): void {
    this.tokensPerByte = Math.max(this.tokensPerByte ?? 0, promptTokens / bytesOf(request));
  }

  private promptTokens(request: ModelRequest): number {
    return Math.ceil(bytesOf(request) * (this.tokensPerByte ?? FIRST_TOKENS_PER_BYTE));
  }
}

function bytesOf({ messages, tools, responseSchema }: ModelRequest): number {
  return Buffer.byteLength(JSON.stringify([messages, tools, responseSchema ?? null]));
}
