/** OpenAI's chat completions, which most servers speak. */
import type { WireApi } from '../wire-api.js';
import { chatBody } from './chat-body.js';
import { ChatChunks } from './chat-chunks.js';
import { readChat } from './chat-reply.js';

export const CHAT_API: WireApi = {
  path: '/chat/completions',
  leastOutputTokens: 1,
  headers: (apiKey): Record<string, string> => (apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
  body: chatBody,
  collector: (told) => new ChatChunks(told),
  read: readChat,
};
