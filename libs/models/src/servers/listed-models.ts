/**
 * What a server says of its models at `/models`: OpenAI's list, with what vLLM, llama.cpp, OpenRouter, LM Studio and Mistral add about
 * windows.
 */
import { z } from 'zod';

const tokens = z.int().min(1).catch(0);

const ListedModel = z.object({
  id: z.string(),
  /** vLLM: docs.vllm.ai, OpenAI-compatible server, `max_model_len`. */
  max_model_len: tokens.optional(),
  /** OpenRouter: openrouter.ai/docs, models, `context_length`. */
  context_length: tokens.optional(),
  /** Mistral: docs.mistral.ai, list models, `max_context_length`. LM Studio: `loaded_context_length`. */
  max_context_length: tokens.optional(),
  loaded_context_length: tokens.optional(),
  /** llama.cpp: tools/server/README, `meta.n_ctx` of the loaded model. */
  meta: z.object({ n_ctx: tokens.optional() }).nullish().catch(undefined),
});
const Listing = z.object({ data: z.array(z.unknown()) });

/** One model of the list. */
export interface Listed {
  id: string;
  /** Left out: the server does not say. */
  contextTokens?: number;
}

/** Undefined: the answer is no list of models. */
export function readListing(answer: unknown): Listed[] | undefined {
  const listing = Listing.safeParse(Array.isArray(answer) ? { data: answer } : answer);
  if (!listing.success) return undefined;
  return listing.data.data.flatMap((entry) => {
    const parsed = ListedModel.safeParse(entry);
    if (!parsed.success) return [];
    const { id, meta, loaded_context_length, max_model_len, context_length, max_context_length } = parsed.data;
    const contextTokens = [meta?.n_ctx, loaded_context_length, max_model_len, context_length, max_context_length].find(Boolean);
    return [{ id, ...(contextTokens && { contextTokens }) }];
  });
}

/** A server may know a model under a longer name: `llama3.3` is `llama3.3:latest`. */
export function listedAs(models: readonly Listed[], model: string): Listed | undefined {
  return models.find(({ id }) => id === model) ?? models.find(({ id }) => id === `${model}:latest` || id === `models/${model}`);
}
