/** What the agent loop needs from outside: a model and tools. */
import type { Json } from '@cadre/contracts';
import type { z } from 'zod';

export interface ToolCall {
  id: string;
  name: string;
  /** JSON text as the model wrote it; not to be trusted. */
  arguments: string;
}

export type ModelMessage =
  | { role: 'system' | 'user'; text: string }
  | { role: 'assistant'; text: string; toolCalls: ToolCall[] }
  | { role: 'tool'; toolCallId: string; text: string };

/** A function the model may call; `parameters` is a JSON Schema. */
export interface ToolSchema {
  name: string;
  description: string;
  parameters: { [key: string]: Json };
}

export interface ModelRequest {
  /** Empty: the port's default model. */
  model?: string;
  temperature: number;
  maxOutputTokens: number;
  messages: ModelMessage[];
  tools: ToolSchema[];
  /** Ask for one JSON object of this JSON Schema as the final text. */
  responseSchema?: { name: string; schema: { [key: string]: Json } };
}

export interface ModelReply {
  model: string;
  text: string;
  toolCalls: ToolCall[];
  finish: 'stop' | 'tool-calls' | 'length' | 'refusal';
  inputTokens: number;
  outputTokens: number;
  /** The server did not count the tokens; the numbers are an estimate. */
  estimated?: boolean;
  /** Millionths of a US dollar. */
  costMicros: number;
}

/** Errors: `CadreError` with codes `model-unavailable`, `model-rate-limited`, `model-timeout` (retriable), `model-rejected`, `model-unauthorized` (not). */
export interface ModelPort {
  complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply>;
}

/** What a call may do to the world: nothing, the same thing again, or something that must happen once. */
export type ToolEffect = 'none' | 'idempotent' | 'once';

export interface ToolContext {
  signal: AbortSignal;
  /** Unique to this call within its run. */
  key: string;
}

/** A tool: arguments are validated against `parameters` before `run`; a thrown `CadreError` becomes the tool's answer `{error}`. */
export interface Tool<A = unknown> {
  name: string;
  description: string;
  parameters: z.ZodType<A>;
  effect: ToolEffect;
  run(args: A, context: ToolContext): Promise<Json>;
}
