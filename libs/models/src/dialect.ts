/**
 * Servers that speak the OpenAI wire format differ in what they refuse. A refused request is asked again in an easier dialect, and
 * the dialect that was accepted is remembered for the model.
 */
export interface Dialect {
  /** How a JSON answer is asked for. */
  format: 'schema' | 'object' | 'none';
  maxTokens: 'max_tokens' | 'max_completion_tokens';
  temperature: boolean;
}

export const FIRST_DIALECT: Dialect = { format: 'schema', maxTokens: 'max_tokens', temperature: true };

export interface Refusal {
  status: number;
  message: string;
}

/** What to try after a refusal, or undefined when the request itself is at fault. @param asksForJson whether `format` was used at all */
export function easierDialect(dialect: Dialect, refusal: Refusal, asksForJson: boolean): Dialect | undefined {
  if (refusal.status !== 400 && refusal.status !== 422) return undefined;
  if (/context.{0,3}(length|window|size)|maximum context|too many (input )?tokens/i.test(refusal.message)) return undefined;
  if (dialect.maxTokens === 'max_tokens' && /max_tokens|max_completion_tokens/.test(refusal.message)) {
    return { ...dialect, maxTokens: 'max_completion_tokens' };
  }
  if (dialect.temperature && /temperature/i.test(refusal.message)) return { ...dialect, temperature: false };
  if (!asksForJson || dialect.format === 'none') return undefined;
  return { ...dialect, format: dialect.format === 'schema' ? 'object' : 'none' };
}
