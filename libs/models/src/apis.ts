/** The APIs of model servers, by the names that settings have for them. */
import { MESSAGES_API } from './anthropic/messages-api.js';
import { CHAT_API } from './chat/chat-api.js';
import { RESPONSES_API } from './responses/responses-api.js';
import type { WireApi } from './wire-api.js';

export const API_NAMES = ['chat', 'responses', 'anthropic'] as const;
export type ApiName = (typeof API_NAMES)[number];

export const APIS: Readonly<Record<ApiName, WireApi>> = { chat: CHAT_API, responses: RESPONSES_API, anthropic: MESSAGES_API };
