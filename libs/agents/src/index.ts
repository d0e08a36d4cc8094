export type { ModelMessage, ModelPort, ModelReply, ModelRequest, Tool, ToolCall, ToolContext, ToolEffect, ToolSchema } from './ports.js';
