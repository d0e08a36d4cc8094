/**
 * Where a model's tool calls are answered. The grant is enforced here, whatever the model says: only tools that the agent's
 * definition names are ever run. Every fault is told to the model, which may correct itself; none ends the attempt.
 */
import { CadreError, utf8Bytes } from '@cadre/contracts';
import type { AgentDefinition, Json } from '@cadre/contracts';
import { untilAborted } from './abort.js';
import { describeFaults, jsonSchemaOf } from './final-reply.js';
import type { Tool, ToolCall, ToolSchema } from './ports.js';

/** What a model gets to read of one tool's result, in bytes of UTF-8. */
export const TOOL_OUTPUT_BYTES = 60 * 1024;
const CALLS_PER_TURN = 64;

export interface ToolAnswer {
  ok: boolean;
  /** JSON text for the model. */
  text: string;
  /** One line for people: what was asked, or why it failed. */
  note: string;
}

export class ToolDesk {
  private readonly granted: Map<string, Tool>;

  constructor(agent: AgentDefinition, tools: Tool[]) {
    const names = new Set(agent.tools);
    this.granted = new Map(tools.filter((tool) => names.has(tool.name)).map((tool) => [tool.name, tool]));
  }

  /** What the model is told of the granted tools. */
  schemas(): ToolSchema[] {
    return [...this.granted.values()].map(({ name, description, parameters }) => ({
      name,
      description,
      parameters: jsonSchemaOf(parameters),
    }));
  }

  /**
   * Runs one call, or says why not.
   * @param position of the call within the model's turn, from 0 @param key unique to the call within its run
   * Errors: only the signal's, when it aborts.
   */
  async answer(call: ToolCall, position: number, key: string, signal: AbortSignal): Promise<ToolAnswer> {
    const tool = this.granted.get(call.name);
    if (!tool) return refusal(`There is no tool ${quote(call.name)} for you. ${this.grantText()}`);
    if (position >= CALLS_PER_TURN) return refusal(`More than ${CALLS_PER_TURN} calls in one turn; this one was not run.`);
    const args = parseArguments(tool, call.arguments);
    if ('error' in args) return refusal(args.error);
    try {
      const result = await untilAborted(
        Promise.resolve().then(() => tool.run(args.value, { signal, key })),
        signal,
      );
      return resultAnswer(result, describeArguments(args.value));
    } catch (error) {
      signal.throwIfAborted();
      return refusal(errorText(error));
    }
  }

  private grantText(): string {
    const names = [...this.granted.keys()];
    return names.length > 0 ? `You may call: ${names.join(', ')}.` : 'You have no tools; answer without them.';
  }
}

function parseArguments(tool: Tool, text: string): { value: unknown } | { error: string } {
  let value: unknown;
  try {
    value = text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    return { error: `The arguments of ${tool.name} are not valid JSON (or were cut off): ${quote(text)}` };
  }
  const parsed = tool.parameters.safeParse(value);
  return parsed.success ? { value: parsed.data } : { error: `The arguments of ${tool.name} are wrong. ${describeFaults(parsed.error)}` };
}

function resultAnswer(result: Json, note: string): ToolAnswer {
  const text = JSON.stringify(result) ?? 'null';
  const failed = typeof result === 'object' && result !== null && !Array.isArray(result) && typeof result['error'] === 'string';
  return { ok: !failed, text: shortenOutput(text), note: failed ? String(result['error']) : note };
}

/** A result that is too long for the model becomes an object that says so and holds its beginning. */
function shortenOutput(text: string): string {
  const size = utf8Bytes(text);
  if (size <= TOOL_OUTPUT_BYTES) return text;
  const wrap = (length: number) => JSON.stringify({ truncated: true, bytes: size, beginning: text.slice(0, length).toWellFormed() });
  // Quoting makes the text longer again, so the cut is searched for.
  let [fits, fails] = [0, TOOL_OUTPUT_BYTES];
  while (fails - fits > 64) {
    const middle = Math.floor((fits + fails) / 2);
    if (utf8Bytes(wrap(middle)) <= TOOL_OUTPUT_BYTES) fits = middle;
    else fails = middle;
  }
  return wrap(fits);
}

function refusal(why: string): ToolAnswer {
  return { ok: false, text: shortenOutput(JSON.stringify({ error: why })), note: why };
}

function errorText(error: unknown): string {
  if (error instanceof CadreError) return error.remedy === undefined ? error.message : `${error.message} ${error.remedy}`;
  return `The tool failed: ${error instanceof Error ? error.message : String(error)}`;
}

function describeArguments(args: unknown): string {
  if (typeof args !== 'object' || args === null) return '';
  return Object.entries(args)
    .map(([key, value]) => `${key}=${quote(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''), 80)}`)
    .join(' ');
}

function quote(text: string, length = 200): string {
  const flat = text.replace(/\s+/g, ' ');
  return flat.length <= length ? flat : `${flat.slice(0, length).toWellFormed()}…`;
}
