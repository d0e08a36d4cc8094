/** What the agent loop needs from outside: a model and tools. */
import type { ArtifactRef, Json, ReasoningEffort } from '@cadre/contracts';
import type { z } from 'zod';

export interface ToolCall {
  id: string;
  name: string;
  /** JSON text as the model wrote it; not to be trusted. */
  arguments: string;
  /** Fields of the call that only its server understands (signatures and the like). They go back to that server with the conversation. */
  extra?: Extra;
}

/** Fields of a message or call that Cadre does not know, as the server sent them. */
export interface Extra {
  [field: string]: Json;
}

export type ModelMessage =
  | { role: 'system' | 'user'; text: string }
  | {
      role: 'assistant';
      text: string;
      toolCalls: ToolCall[];
      /** Who gave the turn: `ModelReply.from`. `extra`, of the message and of its calls, goes back to that one and to no other. */
      from?: string;
      extra?: Extra;
    }
  | { role: 'tool'; toolCallId: string; text: string };

/** A function the model may call; `parameters` is a JSON Schema. */
export interface ToolSchema {
  name: string;
  description: string;
  parameters: { readonly [key: string]: Json };
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
  /** How much the model server is to reason by itself; left out: as it does anyway. */
  effort?: ReasoningEffort;
  /** The key of the recorded call; the server gets it as the header `X-Cadre-Call`. */
  callKey?: string;
  /** Whose call it is: where calls have to wait, tenants take turns. */
  tenant?: string;
  /** The call is not worth more waiting than this before it is sent, in milliseconds: then it fails as `model-busy`. */
  patienceMs?: number;
  /**
   * May be asked together with others of the same group, as one call: at most so many, and the first waits so long for others.
   * `BatchingModel` does it; to other ports it says nothing.
   */
  batch?: { group: string; maxTasks: number; waitMs: number };
  /** Told when the call begins to wait without having been sent, and when it goes on. */
  onHeld?(held: boolean): void;
  /** Told of the answer as it comes, where the server streams it; what is told is a view, and the reply alone counts. */
  onDelta?(delta: { text?: string; reasoning?: string }): void;
}

/** What a call can cost at most. */
export interface ModelQuote {
  /** The request's, or the port's default. */
  model: string;
  maxInputTokens: number;
  maxOutputTokens: number;
  /** Tokens that the model can hold, input and output together; left out: nobody knows. */
  contextTokens?: number;
  /** Millionths of a US dollar; 0 if `priced` is false, which says nothing of the real cost. */
  maxCostMicros: number;
  /** What it costs at most with the fewest output tokens that are of use. Left out: it is of no use with fewer. */
  minCostMicros?: number;
  /** Whether the price of the model is known. */
  priced: boolean;
}

export interface ModelReply {
  model: string;
  text: string;
  toolCalls: ToolCall[];
  finish: 'stop' | 'tool-calls' | 'length' | 'refusal';
  /** All of the prompt, what was read from and written to the server's cache included. */
  inputTokens: number;
  /** Of the input: read from the cache, and written to it. */
  cachedInputTokens?: number;
  cacheWriteTokens?: number;
  /** All that the model wrote, its reasoning included. */
  outputTokens: number;
  /** Which server and model gave the reply. Left out: what `extra` holds is of no use. */
  from?: string;
  /** Fields of the message that only its server understands. */
  extra?: Extra;
  /** What the server tells of its own reasoning; never part of the text. */
  reasoning?: string;
  /** How many of the output tokens went into reasoning, if the server says so. */
  reasoningTokens?: number;
  /**
   * The call was made for so many tasks at once. The text is this task's answer, empty if there is none; the rest its share. Left out: for
   * one.
   */
  tasks?: number;
  /** The server did not count the tokens; the numbers are an estimate. */
  estimated?: boolean;
  /** Millionths of a US dollar; 0 if `priced` is false. */
  costMicros: number;
  /** Whether the price of the model is known. */
  priced: boolean;
  /** Something about this answer that a person should know. */
  warning?: string;
}

/**
 * Errors are `CadreError`s. Their `billed` says whether the call may have cost something, `retryAfterMs` when another try makes sense.
 * Retriable: `model-unavailable`, `model-timeout`, `model-rate-limited`, `model-loading`, `model-call-unread` (the server could not read
 * its model's call of a tool), `model-garbled` (what came is no answer of the API), `model-breaker-open`, `model-busy` (the last two were
 * never sent). Not: `model-quota-exhausted`, `model-unauthorized`, `model-untrusted`, `model-not-found`, `model-context-exceeded`,
 * `model-refused`, `model-rejected`.
 */
export interface ModelPort {
  /** An upper bound for what `complete` of the same request costs. Sends nothing. */
  quote(request: ModelRequest): ModelQuote;
  /** One call, without retries: each try needs a reservation of its own. */
  complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply>;
}

/** What a call may do to the world: nothing, the same thing again, or something that must happen once. */
export type ToolEffect = 'none' | 'idempotent' | 'once';

export interface ToolContext {
  signal: AbortSignal;
  /** The key of the recorded call. A call that is repeated because nobody knows how the first one ended has the same one. */
  key: string;
}

/** A tool: arguments are validated against `parameters` before `run`; a thrown `CadreError` becomes the tool's answer `{error}`. */
export interface Tool<A = unknown> {
  name: string;
  description: string;
  parameters: z.ZodType<A>;
  /** The JSON Schema that models are told; left out: what `parameters` says. For tools whose schema comes from elsewhere. */
  schema?: { readonly [key: string]: Json };
  /** Not told to models now; a call of it that is on record is answered all the same. */
  hidden?: true;
  /** Reads or changes what others may change meanwhile: what rests on a call of it stands for no later work. */
  ofTheMoment?: true;
  /** On the world outside the attempt's workspace; files that a call leaves in the workspace are recorded and restored. */
  effect: ToolEffect;
  /** Leaves the workspace as it is, too: such calls of one turn are made side by side. */
  reads?: boolean;
  /**
   * A thrown error is an answer like others. Of a tool with effect `once` it is so only if it says `billed: 'no'`: without that, nobody
   * knows whether it happened, and a person is asked.
   */
  run(args: A, context: ToolContext): Promise<Json>;
  /**
   * Told instead of `run` when the call's answer is on record: for a tool that remembers between calls what it was asked, or what it
   * answered.
   */
  recall?(args: A, answer: Json): void;
}

/** The files of an attempt's workspace, as its record needs them. */
export interface FileRecord {
  /** Files written or changed since the last time, stored as blobs. Error `workspace-limit`. */
  changed(): Promise<ArtifactRef[]>;
  /** Puts files back that a recorded call wrote. */
  restore(files: ArtifactRef[]): Promise<void>;
}
