export { runAttempt } from './run-attempt.js';
export type { AttemptInput, AttemptOutcome } from './run-attempt.js';
export { openConversation, systemText } from './conversation.js';
export type { ConversationInput } from './conversation.js';
export { readFinal, responseSchemaFor, jsonSchemaOf } from './final-reply.js';
export type { FinalReading, FinalReply } from './final-reply.js';
export { ToolDesk, TOOL_OUTPUT_BYTES } from './tool-desk.js';
export type { ToolAnswer } from './tool-desk.js';
export type { ModelMessage, ModelPort, ModelReply, ModelRequest, Tool, ToolCall, ToolContext, ToolEffect, ToolSchema } from './ports.js';
