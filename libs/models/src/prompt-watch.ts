/**
 * Notices that a server cuts prompts without a word, as Ollama does with what is beyond `num_ctx` (docs.ollama.com/context-length, read in
 * November 2026: 4096 tokens where the graphics card has less than 24 GiB): the count of the prompt stands still while the conversation
 * grows, or is far below what was sent.
 */
import { createHash } from 'node:crypto';
import type { ModelRequest } from '@cadre/agents';

/** Conversations whose last prompt is remembered. */
const MAX_CONVERSATIONS = 500;
/** What is shorter tells nothing. */
const WORTH_TOKENS = 500;
const GROWN_BYTES = 400;
/** A server that counts only what it had not in its cache tells less than this part. */
const CACHED_PART = 0.3;
/** Text of any language has fewer bytes for each token. */
const MOST_BYTES_PER_TOKEN = 12;

export class PromptWatch {
  private readonly last = new Map<string, { bytes: number; tokens: number }>();

  /** @returns whether the prompt seems to have been cut */
  counted({ model, messages }: ModelRequest, tokens: number): boolean {
    const bytes = Buffer.byteLength(messages.map(({ text }) => text).join(''));
    const opening = JSON.stringify([model, messages.slice(0, 2)]);
    const conversation = createHash('sha256').update(opening).digest('base64');
    const before = this.last.get(conversation);
    this.last.delete(conversation);
    this.last.set(conversation, { bytes, tokens });
    if (this.last.size > MAX_CONVERSATIONS) this.last.delete(this.last.keys().next().value!);
    if (tokens < WORTH_TOKENS) return false;
    const standsStill =
      before !== undefined && bytes >= before.bytes + GROWN_BYTES && tokens <= before.tokens && tokens >= before.tokens * CACHED_PART;
    return standsStill || (tokens >= 2 * WORTH_TOKENS && bytes > tokens * MOST_BYTES_PER_TOKEN);
  }
}
