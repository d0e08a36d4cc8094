/**
 * Servers that speak the OpenAI wire format differ in what they refuse. A refused request is asked again in an easier dialect, and
 * the dialect that was accepted is remembered for the model.
 */
export interface Dialect {
  /** How a JSON answer is asked for. */
  format: 'schema' | 'object' | 'none';
  maxTokens: 'max_tokens' | 'max_completion_tokens';
  temperature: boolean;
  /** Whether `reasoning_effort` may be sent. */
  effort: boolean;
}

export const FIRST_DIALECT: Dialect = { format: 'schema', maxTokens: 'max_tokens', temperature: true, effort: true };

export interface Refusal {
  status: number;
  message: string;
  code?: string | null | undefined;
}

/** The conversation does not fit the model. */
export function isTooLong({ code, message }: Refusal): boolean {
  if (code === 'context_length_exceeded') return true;
  return /context.{0,3}(length|window|size)|maximum context|too many (input )?tokens|prompt is too long/i.test(message);
}

/** The server's content filter turned the request away. */
export function isFiltered({ code, message }: Refusal): boolean {
  if (code === 'content_filter' || code === 'content_policy_violation') return true;
  return /content (management|filter(ing)?) policy|content.?policy violation/i.test(message);
}

/** What to try after a refusal, or undefined when the request itself is at fault. @param asks whether `format` and `effort` were used at all */
export function easierDialect(dialect: Dialect, refusal: Refusal, asks: { json: boolean; effort: boolean }): Dialect | undefined {
  if (refusal.status !== 400 && refusal.status !== 422) return undefined;
  if (isTooLong(refusal) || isFiltered(refusal)) return undefined;
  if (dialect.maxTokens === 'max_tokens' && /max_tokens|max_completion_tokens/.test(refusal.message)) {
    return { ...dialect, maxTokens: 'max_completion_tokens' };
  }
  const sendsEffort = asks.effort && dialect.effort;
  if (sendsEffort && /reasoning[_. ]?effort/i.test(refusal.message)) return { ...dialect, effort: false };
  if (dialect.temperature && /temperature/i.test(refusal.message)) return { ...dialect, temperature: false };
  // Some servers do not name what they refuse.
  if (!asks.json || dialect.format === 'none') return sendsEffort ? { ...dialect, effort: false } : undefined;
  return { ...dialect, format: dialect.format === 'schema' ? 'object' : 'none' };
}
