/** Caps of output and windows that are smaller than what is asked for; the refusal says how large they are. */
import { capOf, promptOf } from '../chat-body.js';
import { final, plain, refuse, type Said, type Behaviour } from '../said.js';
import type { Case } from './case.js';

const WINDOW = 8192;
const CAP = 4096;
const LEARNT = { requests: 3, refused: 1, again: { requests: 2, refused: 0 } };

const window =
  (words: (prompt: number, cap: number) => Said): Behaviour =>
  (body) => {
    const [prompt, cap] = [promptOf(body), capOf(body)];
    return prompt + cap <= WINDOW ? plain(body) : words(prompt, cap);
  };
const cap =
  (words: (cap: number) => Said): Behaviour =>
  (body) =>
    capOf(body) > CAP ? words(capOf(body)) : plain(body);

export const CAPS_AND_WINDOWS: Case[] = [
  {
    id: 'M01',
    what: 'The window holds prompt and answer together, and the cap alone fills it',
    behave: window((prompt, asked) =>
      refuse(
        400,
        `This model's maximum context length is ${WINDOW} tokens; ${prompt + asked} were requested (${prompt} in the messages, ` +
          `${asked} in the completion).`,
        { type: 'BadRequestError', code: 400 },
      ),
    ),
    right: LEARNT,
  },
  {
    id: 'M02',
    what: 'The model writes at most 4096 tokens, and says so',
    behave: cap((asked) =>
      refuse(400, `max_tokens is too large: ${asked}. The model supports at most ${CAP} completion tokens.`, { param: 'max_tokens' }),
    ),
    right: LEARNT,
  },
  {
    id: 'K6-vllm',
    what: 'The window in the words of vLLM',
    behave: window((prompt, asked) =>
      refuse(
        400,
        `'max_tokens' or 'max_completion_tokens' is too large: ${asked}. This model's maximum context length is ${WINDOW} tokens and ` +
          `your request has ${prompt} input tokens (${asked} > ${WINDOW} - ${prompt}).`,
        { type: 'BadRequestError', code: 400 },
      ),
    ),
    right: LEARNT,
  },
  {
    id: 'K6-tgi',
    what: 'The window in the words of text-generation-inference',
    behave: window((prompt, asked) => ({
      status: 422,
      body: {
        error:
          `Input validation error: \`inputs\` tokens + \`max_new_tokens\` must be <= ${WINDOW}. ` +
          `Given: ${prompt} \`inputs\` tokens and ${asked} \`max_new_tokens\``,
        error_type: 'validation',
      },
    })),
    right: LEARNT,
  },
  {
    id: 'K6-groq',
    what: 'The cap in the words of Groq, which speak of a context window',
    behave: cap(() =>
      refuse(
        400,
        `\`max_tokens\` must be less than or equal to \`${CAP}\`, the maximum value for \`max_tokens\` is less than the ` +
          '`context_window` for this model',
      ),
    ),
    right: LEARNT,
  },
  {
    id: 'K6-deepseek',
    what: 'The cap in the words of DeepSeek',
    behave: cap(() => refuse(400, `Invalid max_tokens value, the valid range of max_tokens is [1, ${CAP}]`)),
    right: LEARNT,
  },
  {
    id: 'K6-all-thoughts',
    what: 'The cap is used up by thoughts: more is asked for, not less',
    behave: (body) => (capOf(body) < 10_000 ? { ...final('', { reasoning_content: 'Hm. '.repeat(50) }), finish: 'length' } : plain(body)),
    right: { requests: { atMost: 4 }, sent: (bodies) => bodies.some((body) => capOf(body) >= 10_000) },
  },
  {
    id: 'K6-too-long',
    what: 'A prompt that is really too long is final, and costs nothing',
    behave: (body) =>
      refuse(400, `This model's maximum context length is 512 tokens; ${promptOf(body)} are in the messages.`, {
        code: 'context_length_exceeded',
      }),
    right: { status: 'failed', requests: { atMost: 2 }, refused: { atMost: 2 }, costMicros: 0, shown: /512 tokens/ },
  },
];
