/**
 * Where a model's tool calls are answered. The grant is enforced here, whatever the model says: only tools that the attempt was granted are
 * ever run. Every fault is told to the model, which may correct itself. What was run is on record, its answer and the files it left.
 */
import { CadreError, utf8Bytes } from '@cadre/contracts';
import type { CallKey, Json } from '@cadre/contracts';
import type { CallDesk } from './call-desk.js';
import { billedOf } from './call-retry.js';
import { canonicalJson } from './canonical.js';
import { describeFaults, jsonSchemaOf } from './final-reply.js';
import type { FileRecord, Tool, ToolCall, ToolSchema } from './ports.js';
import type { CallAnswer } from './settlement.js';

/** What a model gets to read of one tool's result, in bytes of UTF-8. */
export const TOOL_OUTPUT_BYTES = 60 * 1024;
const CALLS_PER_TURN = 64;

export class ToolDesk {
  private readonly granted: Map<string, Tool>;
  private readonly described: ToolSchema[];

  /** @param names what may be called @param files of the workspace that the tools write to */
  constructor(
    names: readonly string[],
    tools: Tool[],
    private readonly calls: CallDesk,
    private readonly files?: FileRecord,
  ) {
    const allowed = new Set(names);
    this.granted = new Map(tools.filter((tool) => allowed.has(tool.name)).map((tool) => [tool.name, tool]));
    this.described = [...this.granted.values()].map(({ name, description, parameters }) => {
      return { name, description, parameters: jsonSchemaOf(parameters) };
    });
  }

  /** What the model is told of the granted tools. */
  schemas(): ToolSchema[] {
    return this.described;
  }

  /**
   * Runs one call, or takes its answer from the record, or says why not. The answer is JSON text for the model.
   * @param position of the call within the model's turn, from 0 @param origin digest of all that led to the call
   * Errors: the signal's, when it aborts; those of the record; `effect-unknown`.
   */
  async answer(call: ToolCall, position: number, origin: string): Promise<string> {
    const tool = this.granted.get(call.name);
    if (!tool) return refusal(`There is no tool ${quote(call.name)} for you. ${this.grantText()}`).text;
    if (position >= CALLS_PER_TURN) return refusal(`More than ${CALLS_PER_TURN} calls in one turn; this one was not run.`).text;
    const args = parseArguments(tool, call.arguments);
    if ('error' in args) return refusal(args.error).text;
    return this.carryOut(tool, args.value, origin);
  }

  private async carryOut(tool: Tool, args: unknown, origin: string): Promise<string> {
    const { name, effect } = tool;
    const given = canonicalJson(args as Json);
    // Without effect the same words may mean something else later on: what a file holds depends on what was done before.
    const place =
      effect === 'none'
        ? { path: this.calls.nextPath(), input: `${origin} ${name} ${given}` }
        : { path: this.calls.effectPath(name, given), input: given };
    const end = await this.calls.make({ kind: 'tool', name, effect, ...place, maxCostMicros: 0 }, (key, signal) =>
      this.run(tool, args, key, signal()),
    );
    if (end.kind !== 'answered') throw end.kind === 'failed' ? end.error : new CadreError('grants-invalid', 'A tool has no other model.');
    if (end.recorded) {
      if (end.files.length > 0) await this.files?.restore(end.files);
      remember(tool, args, end.text);
    }
    return end.text;
  }

  private async run(tool: Tool, args: unknown, key: CallKey, signal: AbortSignal): Promise<CallAnswer> {
    const answer = await this.answerOf(tool, args, key, signal);
    try {
      const files = await this.files?.changed();
      return files === undefined ? answer : { ...answer, files };
    } catch (error) {
      if (!(error instanceof CadreError) || error.code !== 'workspace-limit') throw error;
      // An effect has happened all the same: told of an error, the model would ask for it again. Its next harmless call learns of the limit.
      return tool.effect === 'none' ? refusal(errorText(error)) : answer;
    }
  }

  private async answerOf(tool: Tool, args: unknown, key: CallKey, signal: AbortSignal): Promise<CallAnswer> {
    try {
      return resultAnswer(await tool.run(args, { signal, key }), describeArguments(args));
    } catch (error) {
      signal.throwIfAborted();
      if (tool.effect === 'once' && billedOf(error) !== 'no') throw effectUnknown(tool.name, error);
      return refusal(errorText(error));
    }
  }

  private grantText(): string {
    const names = [...this.granted.keys()];
    return names.length > 0 ? `You may call: ${names.join(', ')}.` : 'You have no tools; answer without them.';
  }
}

function remember(tool: Tool, args: unknown, answer: string): void {
  try {
    tool.recall?.(args, JSON.parse(answer) as Json);
  } catch {
    // It refused these arguments when the call was made, too: the answer on record says so.
  }
}

function effectUnknown(name: string, cause: unknown): CadreError {
  return new CadreError('effect-unknown', `Nobody knows whether ${name} has happened. ${errorText(cause)}`, { cause });
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

function resultAnswer(result: Json, note: string): CallAnswer {
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

function refusal(why: string): CallAnswer {
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
