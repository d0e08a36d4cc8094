/**
 * One form for what servers tell of the tokens of a call. OpenAI counts cached input within the input and reasoning within the output;
 * Anthropic counts cached input apart (docs.claude.com/en/api/messages, "usage"); Gemini's compatible endpoint counts thoughts in
 * `total_tokens` alone; Ollama, llama.cpp and DeepSeek have names of their own for what was cached. Read in November 2026.
 */
import { isObject } from './json-spans.js';

export interface WireUsage {
  /** The whole prompt, what came from the cache or went into it included. */
  inputTokens: number;
  cachedInputTokens?: number;
  cacheWriteTokens?: number;
  /** All that was written, reasoning included. */
  outputTokens: number;
  reasoningTokens?: number;
}

/** Of the chat completions and the Responses API; undefined: nothing is counted. */
export function readUsage(given: unknown): WireUsage | undefined {
  if (!isObject(given)) return undefined;
  const input = count(given['prompt_tokens']) ?? count(given['input_tokens']);
  const output = count(given['completion_tokens']) ?? count(given['output_tokens']);
  const total = count(given['total_tokens']) ?? 0;
  // Zeros beside an answer mean that nobody has counted.
  if (input === undefined || output === undefined || input + output + total === 0) return undefined;
  const ofInput = part(given['prompt_tokens_details'] ?? given['input_tokens_details']);
  const ofOutput = part(given['completion_tokens_details'] ?? given['output_tokens_details']);
  const cached = count(ofInput['cached_tokens']) ?? count(given['prompt_cache_hit_tokens']) ?? count(given['cached_tokens']);
  const written = count(ofInput['cache_write_tokens']) ?? count(ofInput['cache_creation_tokens']);
  const reasoning = count(ofOutput['reasoning_tokens']) ?? count(given['reasoning_tokens']);
  return {
    inputTokens: input,
    outputTokens: Math.max(output, total - input),
    ...(cached !== undefined && cached > 0 && { cachedInputTokens: Math.min(cached, input) }),
    ...(written !== undefined && written > 0 && { cacheWriteTokens: Math.min(written, input) }),
    ...(reasoning !== undefined && { reasoningTokens: reasoning }),
  };
}

function part(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

/** A count of tokens, if it is one. */
export function count(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? Math.round(number) : undefined;
}
