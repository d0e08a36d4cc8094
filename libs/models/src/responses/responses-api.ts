/** OpenAI's Responses API. */
import type { WireApi } from '../wire-api.js';
import { ResponseEvents } from './response-events.js';
import { responsesBody } from './responses-body.js';
import { readResponse } from './responses-reply.js';

export const RESPONSES_API: WireApi = {
  path: '/responses',
  // "Expected a value >= 16".
  leastOutputTokens: 16,
  headers: (apiKey): Record<string, string> => (apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
  body: responsesBody,
  collector: (told) => new ResponseEvents(told),
  read: readResponse,
};
