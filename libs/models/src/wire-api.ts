/** What differs between the APIs of model servers: path, headers, the body of a request, and how an answer is read. */
import type { Extra, ModelReply, ModelRequest, ToolCall } from '@cadre/agents';
import type { Dialect } from './dialect.js';
import type { WireUsage } from './reading/usage.js';

/** A request as it goes out. */
export interface WireRequest {
  request: ModelRequest;
  model: string;
  /** Marks the turns of this server and model: `ModelReply.from`. */
  from: string;
  dialect: Dialect;
  /** What the model may write at most. */
  maxOutputTokens: number;
}

/** An answer as it was read, before prices. */
export interface WireReply {
  /** As the server names it; left out: it does not. */
  model?: string;
  text: string;
  toolCalls: ToolCall[];
  finish: ModelReply['finish'];
  reasoning?: string;
  extra?: Extra;
  /** Left out: the server has not counted. */
  usage?: WireUsage;
  /** What the server says that it has used. */
  serviceTier?: string;
  /** For the operator. */
  warnings?: string[];
}

/** One event of a stream. */
export interface ServerEvent {
  /** Its name; `message` where the server gives none. */
  name: string;
  data: string;
}

export type Told = (delta: { text?: string; reasoning?: string }) => void;

/** Puts the events of one stream together. */
export interface Collector {
  /** @returns whether this was the last that matters. Error: `ServerRefusal` that the stream holds. */
  add(event: ServerEvent): boolean;
  /** The answer as a server that does not stream would have sent it; of a cut stream what had come. */
  whole(): unknown;
  /** Whether the server said that the answer is complete. */
  readonly complete: boolean;
  /**
   * Whether what has come of a stream that ended without saying so is an answer by its form. Left out: what is not said is never taken so.
   */
  isWhole?(): boolean;
  /** What had been written so far. */
  readonly written: string;
}

export interface WireApi {
  /** Behind the base URL. */
  readonly path: string;
  /** A smaller cap is refused. */
  readonly leastOutputTokens: number;
  headers(apiKey: string | undefined): Record<string, string>;
  body(asked: WireRequest): Record<string, unknown>;
  collector(told: Told): Collector;
  /** Reads a whole answer. Errors: `ServerRefusal` that the answer holds, `UnreadableAnswer`. */
  read(answer: unknown, asked: WireRequest): WireReply;
}

/** The answer is not one of this API. */
export class UnreadableAnswer extends Error {}

/** The answer ended before it was complete. `cause`: the connection broke; without one the server has ended it properly. */
export class CutAnswer extends Error {
  constructor(
    message: string,
    /** What had come of it. */
    readonly written: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}
