/** Anthropic's Messages API. */
import type { WireApi } from '../wire-api.js';
import { MessageEvents } from './message-events.js';
import { messagesBody } from './messages-body.js';
import { readMessage } from './messages-reply.js';

const VERSION = '2023-06-01';

export const MESSAGES_API: WireApi = {
  path: '/messages',
  leastOutputTokens: 1,
  headers: (apiKey) => ({ 'anthropic-version': VERSION, ...(apiKey && { 'x-api-key': apiKey }) }),
  body: messagesBody,
  collector: (told) => new MessageEvents(told),
  read: readMessage,
};
