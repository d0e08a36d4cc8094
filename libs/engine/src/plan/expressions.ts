/**
 * Expressions of plans: CEL over `results.<task>.{status, confidence, answer, value}`, `goal` and `params`; within a scope also over
 * `item`, `index`, `round` and `previous`. `value` is the answer as data, where it is JSON. A condition gives true or false, other
 * expressions any JSON value.
 *
 * An expression comes from users and models, and is evaluated by the one owner of a shard, so its cost is bounded before it is accepted:
 * its size by limits on the syntax tree, its time by a list of allowed functions (no regular expressions, no clock, nothing that builds
 * large values) and by refusing a loop within a loop.
 */
import { Environment } from '@marcbachmann/cel-js';
import type { Json } from '@cadre/contracts';

export interface ResultInput {
  status: string;
  confidence: number;
  answer: string;
  /** The answer as data if it is JSON, else the text. See `asCel`. */
  readonly value?: unknown;
}

/** What an expression sees. What is not there is null. */
export interface ExpressionInput {
  goal: string;
  results: Record<string, ResultInput>;
  params?: Json;
  item?: Json;
  /** Of the item, from 0. */
  index?: number;
  /** From 1. */
  round?: number;
  /** What the round before brought. */
  previous?: Json;
  event?: Json;
  /** Of a channel, and who may get it. */
  message?: Json;
  subscriber?: Json;
  /** Of the result that is scored. */
  value?: Json;
  confidence?: number;
  answer?: string;
}

const VARIABLES = [
  ...(['params', 'item', 'index', 'round', 'previous', 'event', 'message', 'subscriber'] as const),
  ...(['value', 'confidence', 'answer'] as const),
] as const;

const LOOPS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
const FUNCTIONS = new Set([
  ...LOOPS,
  ...['has', 'size', 'contains', 'startsWith', 'endsWith', 'indexOf', 'lastIndexOf', 'substring', 'lowerAscii', 'upperAscii', 'trim'],
  ...['string', 'int', 'uint', 'double', 'bool', 'dyn', 'type'],
]);
const LIMITS = { maxAstNodes: 400, maxDepth: 40, maxListElements: 100, maxMapEntries: 100, maxCallArguments: 10 };

const environment = new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS })
  .registerVariable('results', 'map')
  .registerVariable('goal', 'string');
for (const name of VARIABLES) environment.registerVariable(name, 'dyn');

/** A fault with its place: characters from the start of the expression, from 0. */
export interface ExpressionFault {
  message: string;
  position?: number;
}

/** What an expression looks at: `names` are written out; `all` when it also looks around by computed names. */
export interface ExpressionNeeds {
  names: string[];
  all: boolean;
}

/** As much of the parser's tree as is looked at here. */
interface Node {
  op: string;
  args: unknown;
  start: number;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).op === 'string';
}

function isResults(value: unknown): boolean {
  return isNode(value) && value.op === 'id' && value.args === 'results';
}

/** The name in `results.name` or `results["name"]`. */
function resultName(node: Node): string | undefined {
  if ((node.op !== '.' && node.op !== '[]') || !Array.isArray(node.args) || !isResults(node.args[0])) return undefined;
  const key: unknown = node.args[1];
  if (typeof key === 'string') return key;
  return isNode(key) && key.op === 'value' && typeof key.args === 'string' ? key.args : undefined;
}

function callName(node: Node): string | undefined {
  if (node.op !== 'call' && node.op !== 'rcall') return undefined;
  return Array.isArray(node.args) ? String(node.args[0]) : undefined;
}

/** Walks the tree, gathers names and finds what is not allowed. */
function inspect(value: unknown, inLoop: boolean, needs: ExpressionNeeds): ExpressionFault | undefined {
  if (Array.isArray(value)) {
    for (const part of value) {
      const fault = inspect(part, inLoop, needs);
      if (fault) return fault;
    }
    return undefined;
  }
  if (!isNode(value)) return undefined;
  const name = resultName(value);
  if (name !== undefined) {
    needs.names.push(name);
    return undefined;
  }
  if (isResults(value)) needs.all = true;
  const call = callName(value);
  if (call === undefined) return inspect(value.args, inLoop, needs);
  if (!FUNCTIONS.has(call))
    return { message: `the function ${call} is not allowed; allowed are ${[...FUNCTIONS].join(', ')}`, position: value.start };
  const loops = LOOPS.has(call);
  if (loops && inLoop) return { message: `${call} may not stand within another loop`, position: value.start };
  return inspect(value.args, inLoop || loops, needs);
}

function faultOf(error: unknown): ExpressionFault {
  const { summary, range, message } = error as { summary?: string; range?: { start: number }; message?: string };
  return { message: summary ?? message ?? String(error), ...(range === undefined ? {} : { position: range.start }) };
}

type Compiled =
  { ok: true; needs: ExpressionNeeds; type: string; run: (input: ExpressionInput) => unknown } | { ok: false; fault: ExpressionFault };

function compile(expression: string): Compiled {
  try {
    const parsed = environment.parse(expression);
    const needs: ExpressionNeeds = { names: [], all: false };
    const forbidden = inspect(parsed.ast, false, needs);
    if (forbidden) return { ok: false, fault: forbidden };
    const check = parsed.check();
    if (!check.valid) return { ok: false, fault: faultOf(check.error) };
    return { ok: true, needs, type: String(check.type), run: (input) => parsed(variablesOf(input)) };
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  }
}

/** Results as a Map: the library takes a plain object with the key `constructor`, a legal task id, for an object of a foreign type. */
function variablesOf({ goal, results, ...rest }: ExpressionInput): Record<string, unknown> {
  const variables: Record<string, unknown> = { goal, results: new Map(Object.entries(results)) };
  for (const name of VARIABLES) variables[name] = asCel(rest[name] ?? null);
  return variables;
}

/** Data as the language has it: objects of unknown keys as maps, for the same reason. */
export function asCel(value: Json): unknown {
  if (Array.isArray(value)) return Array.from(value, asCel);
  if (typeof value !== 'object' || value === null) return value;
  return new Map(Object.entries(value).map(([key, each]) => [key, asCel(each)]));
}

/** @returns undefined when there is no JSON for it */
function asJson(value: unknown): Json | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (Array.isArray(value)) {
    const items = value.map(asJson);
    return items.some((item) => item === undefined) ? undefined : (items as Json[]);
  }
  if (typeof value !== 'object' || value === undefined) return undefined;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const made: Record<string, Json> = {};
  for (const [key, each] of entries) {
    const json = asJson(each);
    if (json === undefined || key === '__proto__') return undefined;
    made[String(key)] = json;
  }
  return made;
}

/**
 * Syntax, types, functions and loops of an expression, without evaluating it. @param kind whether it must give true or false, or may give
 * any value
 */
export function checkExpression(
  expression: string,
  kind: 'condition' | 'value',
): { ok: true; needs: ExpressionNeeds } | { ok: false; fault: ExpressionFault } {
  const compiled = compile(expression);
  if (!compiled.ok) return compiled;
  if (kind === 'condition' && compiled.type !== 'bool' && compiled.type !== 'dyn') {
    return { ok: false, fault: { message: `it gives ${compiled.type}, but a condition is true or false`, position: 0 } };
  }
  return { ok: true, needs: compiled.needs };
}

/** Gives what an expression looks at; called with the names of results that it needs, or undefined for all. */
export type InputFor = (names: string[] | undefined) => ExpressionInput;

export type Evaluated<T> = { ok: true; value: T } | { ok: false; message: string };

function run(expression: string, inputFor: InputFor): Evaluated<unknown> {
  const compiled = compile(expression);
  if (!compiled.ok) return { ok: false, message: compiled.fault.message };
  try {
    return { ok: true, value: compiled.run(inputFor(compiled.needs.all ? undefined : compiled.needs.names)) };
  } catch (error) {
    return { ok: false, message: faultOf(error).message };
  }
}

export function evaluateCondition(expression: string, inputFor: InputFor): Evaluated<boolean> {
  const outcome = run(expression, inputFor);
  if (!outcome.ok) return outcome;
  return typeof outcome.value === 'boolean' ? { ok: true, value: outcome.value } : { ok: false, message: 'it is neither true nor false' };
}

export function evaluateValue(expression: string, inputFor: InputFor): Evaluated<Json> {
  const outcome = run(expression, inputFor);
  if (!outcome.ok) return outcome;
  const value = asJson(outcome.value);
  return value === undefined ? { ok: false, message: 'it gives something that is not JSON' } : { ok: true, value };
}
