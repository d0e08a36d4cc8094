/** The APIs of model servers, by the names that the models file has for them. */
import { CHAT_API } from './chat/chat-api.js';
import type { WireApi } from './wire-api.js';

export const API_NAMES = ['chat'] as const;
export type ApiName = (typeof API_NAMES)[number];

export const APIS: Readonly<Record<ApiName, WireApi>> = { chat: CHAT_API };
