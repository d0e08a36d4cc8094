/** A model whose replies are written beforehand. It keeps what it was asked. */
import { CadreError } from '@cadre/contracts';
import type { ModelPort, ModelQuote, ModelReply, ModelRequest, ToolCall } from '../ports.js';

/** One turn: a reply in part (the rest is filled in), an error to throw, or a function of the request. */
export type ScriptedTurn =
  Partial<ModelReply> | Error | ((request: ModelRequest, signal: AbortSignal) => Partial<ModelReply> | Promise<Partial<ModelReply>>);

export class ScriptedModel implements ModelPort {
  readonly requests: ModelRequest[] = [];

  constructor(private readonly turns: ScriptedTurn[]) {}

  /** Every reply of the script costs less unless a turn says otherwise. */
  quote(request: ModelRequest): ModelQuote {
    return {
      model: request.model ?? 'scripted',
      maxInputTokens: 100_000,
      maxOutputTokens: request.maxOutputTokens,
      maxCostMicros: 1000,
      priced: true,
    };
  }

  async complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    this.requests.push(structuredCloneOf(request));
    const turn = this.turns[this.requests.length - 1];
    if (turn === undefined) throw new CadreError('model-rejected', 'The script has no further turn.');
    if (turn instanceof Error) throw turn;
    return completed(typeof turn === 'function' ? await turn(request, signal) : turn);
  }
}

/** A turn that calls tools. */
export function callsTools(...calls: { name: string; args?: unknown; id?: string }[]): Partial<ModelReply> {
  const toolCalls: ToolCall[] = calls.map(({ name, args, id }, position) => ({
    id: id ?? `c${position}`,
    name,
    arguments: typeof args === 'string' ? args : JSON.stringify(args ?? {}),
  }));
  return { toolCalls, finish: 'tool-calls' };
}

/** A turn that ends with an answer. */
export function answers(answer: string, confidence = 0.9): Partial<ModelReply> {
  return { text: JSON.stringify({ answer, confidence }) };
}

function completed(part: Partial<ModelReply>): ModelReply {
  return {
    model: 'scripted',
    text: '',
    toolCalls: [],
    finish: 'stop',
    inputTokens: 10,
    outputTokens: 5,
    costMicros: 3,
    priced: true,
    ...part,
  };
}

function structuredCloneOf(request: ModelRequest): ModelRequest {
  return JSON.parse(JSON.stringify(request)) as ModelRequest;
}
