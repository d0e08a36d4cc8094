/** All stand-ins of the matrix. */
import type { ServerProfile } from '../profile.js';
import { ANTHROPIC } from './anthropic.js';
import { DEEPSEEK } from './deepseek.js';
import { LITELLM, OPENROUTER } from './gateways.js';
import { GEMINI } from './gemini.js';
import { LLAMA_CPP, OLLAMA, VLLM } from './local.js';
import { MISTRAL } from './mistral.js';
import { OPENAI_CHAT } from './openai-chat.js';
import { OPENAI_RESPONSES } from './openai-responses.js';

export const SERVERS: readonly ServerProfile[] = [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC, GEMINI, MISTRAL, DEEPSEEK].concat([
  ...[OLLAMA, VLLM, LLAMA_CPP, LITELLM, OPENROUTER],
]);
