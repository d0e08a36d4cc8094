/**
 * Where a model's tool calls are answered. The grant is enforced here, whatever the model says: only tools that the attempt was granted are
 * ever run. Every fault is told to the model, which may correct itself. What was run is on record, its answer and the files it left.
 */
import { CadreError, utf8Bytes } from '@cadre/contracts';
import type { CallKey, Json } from '@cadre/contracts';
import type { CallDesk } from './call-desk.js';
import { billedOf } from './call-retry.js';
import { canonicalJson } from './canonical.js';
import { fitArguments, readArguments } from './call-arguments.js';
import { jsonSchemaOf } from './model-schemas.js';
import type { FileRecord, Tool, ToolCall, ToolSchema } from './ports.js';
import { READ_RESULT, READ_RESULT_SCHEMA, ResultShelf } from './result-shelf.js';
import type { CallAnswer } from './settlement.js';

const CALLS_PER_TURN = 64;
/** What is kept of one result, in bytes of UTF-8. */
const RESULT_BYTES = 4 * 1024 * 1024;

/** How the calls of a tool have ended: `ok` once one has brought a result; `error` what the last one said that has not. */
export interface ToolOutcome {
  ok: boolean;
  error?: string;
}

interface Answer {
  text: string;
  /** Of a tool that was run, now or in an earlier attempt. */
  ran?: { name: string; ok: boolean };
}

/** What a model is shown of one answer. */
export interface TurnAnswer {
  text: string;
  /** Its number on the shelf; left out: it came from there. */
  result?: number;
}

export class ToolDesk {
  private readonly granted: Map<string, Tool>;
  private readonly described: ToolSchema[];
  private readonly outcomes = new Map<string, ToolOutcome>();
  readonly shelf = new ResultShelf();

  /** @param names what may be called @param files of the workspace that the tools write to */
  constructor(
    names: readonly string[],
    tools: Tool[],
    private readonly calls: CallDesk,
    private readonly files?: FileRecord,
  ) {
    const allowed = new Set(names);
    this.granted = new Map(tools.filter((tool) => allowed.has(tool.name)).map((tool) => [tool.name, tool]));
    const told = [...this.granted.values()].filter(({ hidden }) => !hidden);
    this.described = told.map(({ name, description, parameters, schema }) => {
      return { name, description, parameters: schema ?? jsonSchemaOf(parameters) };
    });
  }

  /**
   * What the model is told of the granted tools, and of the shelf once a result was shortened. What is told of tools is in no key of a
   * call, so an attempt that shortens less than its forerunner still finds the calls on record.
   */
  schemas(): ToolSchema[] {
    return this.described.length > 0 && this.shelf.hasMore ? [...this.described, READ_RESULT_SCHEMA] : this.described;
  }

  /** Of all calls so far, recorded ones too; undefined: it was not run. */
  outcomeOf(name: string): ToolOutcome | undefined {
    return this.outcomes.get(name);
  }

  /**
   * Answers the calls of one turn, each with JSON text for the model: runs it, or takes its answer from the record, or says why not. Calls
   * that only read are made side by side, the others one after the other, in the order of the turn.
   * @param origin digest of all that led to the turn @param cutOff the turn was cut off
   * Errors: the signal's, when it aborts; those of the record; `effect-unknown`.
   */
  async answerTurn(calls: readonly ToolCall[], origin: string, cutOff = false): Promise<TurnAnswer[]> {
    const answers: Answer[] = [];
    for (let next = 0; next < calls.length;) {
      let end = next + 1;
      if (this.onlyReads(calls[next]!)) while (end < calls.length && this.onlyReads(calls[end]!)) end += 1;
      const together = calls.slice(next, end).map((call, place) => this.answer(call, next + place, origin, cutOff));
      answers.push(...(await Promise.all(together)));
      next = end;
    }
    // What is asked of the shelf is what was there before the turn.
    return answers.map(({ text, ran }, place) => {
      if (ran) this.note(ran, text);
      if (calls[place]!.name === READ_RESULT) return { text };
      const shown = this.shelf.put(text);
      return { text: shown, result: this.shelf.last };
    });
  }

  private note({ name, ok }: NonNullable<Answer['ran']>, text: string): void {
    const known = this.outcomes.get(name);
    this.outcomes.set(name, ok ? { ...known, ok } : { ok: known?.ok ?? false, error: text.slice(0, 300).toWellFormed() });
  }

  private onlyReads({ name }: ToolCall): boolean {
    return this.toolOf(name)?.reads === true;
  }

  private toolOf(name: string): Tool | undefined {
    return this.granted.get(name) ?? this.granted.get(plainName(name));
  }

  /** @param position of the call within the model's turn, from 0 */
  private async answer(call: ToolCall, position: number, origin: string, cutOff: boolean): Promise<Answer> {
    const tool = this.toolOf(call.name);
    if (!tool && call.name === READ_RESULT && this.granted.size > 0) return { text: this.shelf.read(call.arguments) };
    if (!tool) return { text: refusal(`There is no tool ${quote(call.name)} for you. ${this.grantText()}`).text };
    if (position >= CALLS_PER_TURN) return { text: refusal(`More than ${CALLS_PER_TURN} calls in one turn; this one was not run.`).text };
    const args = parseArguments(tool, call.arguments, cutOff);
    return 'error' in args ? { text: refusal(args.error).text } : this.carryOut(tool, args.value, origin);
  }

  private async carryOut(tool: Tool, args: unknown, origin: string): Promise<Answer> {
    const { name, effect } = tool;
    const given = canonicalJson(args as Json);
    // Without effect the same words may mean something else later on: what a file holds depends on what was done before.
    const place =
      effect === 'none'
        ? { path: this.calls.nextPath(), input: `${origin} ${name} ${given}` }
        : { path: this.calls.effectPath(name, given), input: given };
    const request = {
      kind: 'tool' as const,
      name,
      effect,
      ...place,
      maxCostMicros: 0,
      ...(tool.ofTheMoment && { ofTheMoment: true as const }),
    };
    const end = await this.calls.make(request, (key, signal) => this.run(tool, args, key, signal()));
    if (end.kind !== 'answered') throw end.kind === 'failed' ? end.error : new CadreError('grants-invalid', 'A tool has no other model.');
    if (end.recorded) {
      if (end.files.length > 0) await this.files?.restore(end.files);
      remember(tool, args, end.text);
    }
    return { text: end.text, ran: { name, ok: end.ok } };
  }

  private async run(tool: Tool, args: unknown, key: CallKey, signal: AbortSignal): Promise<CallAnswer> {
    const answer = await this.answerOf(tool, args, key, signal);
    if (tool.reads) return answer;
    try {
      const files = await this.files?.changed();
      return files === undefined ? answer : { ...answer, files };
    } catch (error) {
      if (!(error instanceof CadreError) || error.code !== 'workspace-limit') throw error;
      // An effect has happened all the same: told of an error, the model would ask for it again. Its next harmless call learns of the
      // limit.
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
    const names = [...this.granted.values()].flatMap(({ name, hidden }) => (hidden ? [] : [name]));
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

/** Models write what they were trained on around a name: the name of a space before it, or the mark of a channel after it. */
function plainName(name: string): string {
  return name
    .replace(/<\|.*$/s, '')
    .replace(/^.*[.:/]/s, '')
    .trim();
}

function parseArguments(tool: Tool, text: string, cutOff: boolean): { value: unknown } | { error: string } {
  const read = readArguments(text, cutOff);
  if (read.kind === 'cut-off') {
    const advice = 'Nothing was run. Send the call again with less in it, or do it in parts.';
    return { error: `The arguments of ${tool.name} are not valid JSON: they were cut off after ${text.length} characters. ${advice}` };
  }
  if (read.kind !== 'read') return { error: `The arguments of ${tool.name} are not valid JSON: ${quote(text)}` };
  const fit = fitArguments(tool.parameters, read.value);
  return 'faults' in fit ? { error: `The arguments of ${tool.name} are wrong. ${fit.faults}` } : fit;
}

function resultAnswer(result: Json, note: string): CallAnswer {
  const text = JSON.stringify(result) ?? 'null';
  const failed = typeof result === 'object' && result !== null && !Array.isArray(result) && typeof result['error'] === 'string';
  return { ok: !failed, text: keepable(text), note: failed ? String(result['error']) : note };
}

/** What is longer than can be kept becomes an object that says so and holds its beginning. */
function keepable(text: string): string {
  const bytes = utf8Bytes(text);
  if (bytes <= RESULT_BYTES) return text;
  // Quoted, a character of the text may take six.
  return JSON.stringify({ cutOff: true, bytes, beginning: text.slice(0, RESULT_BYTES / 6).toWellFormed() });
}

function refusal(why: string): CallAnswer {
  return { ok: false, text: keepable(JSON.stringify({ error: why })), note: why };
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
