/**
 * How many model calls and tokens an attempt may still take. Near the end the model is told, and the last call is asked without tools: what
 * was found out so far becomes an answer instead of being lost. No limit is passed for it. It counts recorded calls too, so each attempt of
 * a round comes to the same end.
 */
import { CadreError } from '@cadre/contracts';
import type { AgentDefinition } from '@cadre/contracts';
import type { ModelMessage, ModelReply } from './ports.js';

/** Calls that are left when the model is told, and the share of the tokens that is used. */
const FEW_CALLS = 3;
const MOST_TOKENS = 0.75;

export class AttemptLimits {
  steps = 0;
  tokens = 0;
  /** The last call is being made, or has been. */
  wrappedUp = false;
  private told = false;
  /** Tokens of the last call: the next one takes at least as many. */
  private lastTokens = 0;

  /** @param hasTools without them there is nothing to wrap up */
  constructor(
    private readonly limits: Pick<AgentDefinition['limits'], 'maxSteps' | 'maxTokens'>,
    private readonly hasTools: boolean,
  ) {}

  /** Tokens that are left. */
  get left(): number {
    return this.limits.maxTokens - this.tokens;
  }

  get reached(): boolean {
    return this.steps >= this.limits.maxSteps || this.left <= 0;
  }

  /** Before each call. @returns what the model is to be told first. Errors `step-limit`, `token-limit` */
  next(): ModelMessage | undefined {
    const { maxSteps, maxTokens } = this.limits;
    if (this.steps >= maxSteps)
      throw new CadreError('step-limit', `No final answer after ${maxSteps} model calls, the agent's limit (limits.maxSteps).`);
    if (this.left <= 0)
      throw new CadreError('token-limit', `No final answer within ${maxTokens} tokens, the agent's limit (limits.maxTokens).`);
    if (!this.hasTools || this.steps === 0 || this.wrappedUp) return undefined;
    if (this.steps === maxSteps - 1 || this.left < 2 * this.lastTokens) {
      this.wrappedUp = true;
      return notice(
        'This is your last message: there are no more tool calls. Give your final answer now from what you have found out, and say what is missing.',
      );
    }
    const few = maxSteps - this.steps <= FEW_CALLS && maxSteps > 2 * FEW_CALLS;
    if (this.told || (!few && this.tokens < MOST_TOKENS * maxTokens)) return undefined;
    this.told = true;
    return notice(
      `You are near your limit (${maxSteps - this.steps} messages, ${this.left} tokens left). Do what matters most, then give your final answer.`,
    );
  }

  took({ inputTokens, outputTokens }: Pick<ModelReply, 'inputTokens' | 'outputTokens'>): void {
    this.lastTokens = inputTokens + outputTokens;
    this.tokens += this.lastTokens;
  }
}

function notice(text: string): ModelMessage {
  return { role: 'user', text: JSON.stringify({ notice: text }) };
}
