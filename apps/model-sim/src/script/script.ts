/**
 * A role is written as a generator: it yields tool calls and is given their results, as if it ran in one go. The server keeps no state, so
 * each request replays the generator from its start against the results that the conversation holds, until it asks for a call that has
 * none yet: that call is the reply. The reply is therefore a pure function of the request.
 */
import { TOOLS, type ToolName, type ToolResult } from '@cadre/contracts';
import type { z } from 'zod';
import { profileOfCut } from '../analysis/cut-profile.js';
import { canonical, type ToolTurn } from '../conversation.js';

/** A tool call that the model asks for. */
export interface Call {
  name: string;
  args: Record<string, unknown>;
}

/** What came of a call: the tool's result, in its proper shape, or what went wrong. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: string };

/** Yields batches of calls, gets their raw results in the same order, returns its product. */
export type Script<T> = Generator<Call[], T, unknown[]>;

export type Progress<T> = { done: true; value: T } | { done: false; calls: Call[] };

/** Replays a script against a conversation's results. The n-th identical call takes the n-th identical result. */
export function replay<T>(script: Script<T>, turns: readonly ToolTurn[]): Progress<T> {
  const known = new Map<string, unknown[]>();
  for (const turn of turns) {
    const key = `${turn.name} ${turn.args}`;
    known.set(key, [...(known.get(key) ?? []), turn.result]);
  }
  let step = script.next();
  while (step.done !== true) {
    const calls = step.value;
    const found = calls.map((call) => known.get(`${call.name} ${canonical(call.args)}`)?.shift());
    const missing = calls.filter((_, index) => found[index] === undefined);
    if (missing.length > 0) return { done: false, calls: missing };
    step = script.next(found);
  }
  return { done: true, value: step.value };
}

type ArgsInput<N extends ToolName> = z.input<(typeof TOOLS)[N]['args']>;
export interface Request<N extends ToolName> {
  name: N;
  args: ArgsInput<N>;
}

/** Asks for calls of the standard tools that the agent was granted; an ungranted tool is an outcome, not a call. */
export class ToolDesk {
  /** @param fits whether a call with these arguments fits into one reply */
  constructor(
    readonly granted: ReadonlySet<string>,
    private readonly fits: (args: object) => boolean = () => true,
  ) {}

  /** The first of several forms of a file, fullest first, that can be written in one reply; else the last. */
  fitting(path: string, ...forms: readonly (() => string)[]): string {
    let text = '';
    for (const form of forms) {
      text = form();
      if (this.fits({ path, text })) break;
    }
    return text;
  }

  has(name: ToolName): boolean {
    return this.granted.has(name);
  }

  *call<N extends ToolName>(name: N, args: ArgsInput<N>): Script<Outcome<ToolResult<N>>> {
    const [outcome] = yield* this.all([{ name, args }]);
    return outcome ?? { ok: false, error: 'no result' };
  }

  /** Several calls of one tool at once; outcomes come in the same order. */
  *all<N extends ToolName>(requests: readonly Request<N>[]): Script<Outcome<ToolResult<N>>[]> {
    const allowed = requests.filter((request) => this.has(request.name));
    const calls = allowed.map((request): Call => ({ name: request.name, args: request.args }));
    const results = calls.length === 0 ? [] : yield calls;
    return requests.map((request) => {
      const index = allowed.indexOf(request);
      if (index < 0) return { ok: false, error: `the tool ${request.name} is not granted` };
      return readResult(request.name, results[index]);
    });
  }
}

/** Takes a raw result as the tool's own, if it has that shape. */
export function readResult<N extends ToolName>(name: N, raw: unknown): Outcome<ToolResult<N>> {
  if (typeof raw === 'object' && raw !== null && 'error' in raw) return { ok: false, error: errorText(raw.error) };
  const parsed = TOOLS[name].result.safeParse(raw);
  const cut = name === 'profile_data' && !parsed.success ? profileOfCut(raw) : undefined;
  if (cut !== undefined) return { ok: true, value: cut as ToolResult<N> };
  if (!parsed.success) return { ok: false, error: `${name} answered in a shape that is not its own` };
  return { ok: true, value: parsed.data as ToolResult<N> };
}

function errorText(error: unknown): string {
  const text = typeof error === 'string' ? error : JSON.stringify(error);
  return text.replace(/\s+/g, ' ').slice(0, 300);
}

/** Runs scripts side by side: their calls are asked for together, so that they cost one model call per round. */
export function* together<T extends readonly unknown[]>(...scripts: { [K in keyof T]: Script<T[K]> }): Script<T> {
  const runs = (scripts as readonly Script<unknown>[]).map((script) => ({ script, step: script.next() }));
  for (;;) {
    const open = runs.filter((run) => run.step.done !== true);
    if (open.length === 0) return runs.map((run) => run.step.value) as unknown as T;
    const batches = open.map((run) => run.step.value as Call[]);
    const results = yield batches.flat();
    let taken = 0;
    for (const [index, run] of open.entries()) {
      const size = batches[index]?.length ?? 0;
      run.step = run.script.next(results.slice(taken, taken + size));
      taken += size;
    }
  }
}

/** Asks for nothing. */
export function* nothing(): Script<undefined> {
  return undefined;
}
