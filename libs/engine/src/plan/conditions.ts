/**
 * Conditions of tasks: CEL over `results.<task>.{status, confidence, answer}` and `goal`.
 *
 * An expression comes from users and models, and is evaluated by the one owner of a shard, so its cost is bounded before it is accepted: its
 * size by limits on the syntax tree, its time by a list of allowed functions (no regular expressions, no clock, nothing that builds large
 * values) and by refusing a loop within a loop.
 */
import { Environment } from '@marcbachmann/cel-js';

export interface ConditionInput {
  goal: string;
  results: Record<string, { status: string; confidence: number; answer: string }>;
}

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

/** A fault with its place: characters from the start of the expression, from 0. */
export interface ConditionFault {
  message: string;
  position?: number;
}

/** What an expression looks at: `names` are written out; `all` when it also looks around by computed names. */
export interface ConditionNeeds {
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
function inspect(value: unknown, inLoop: boolean, needs: ConditionNeeds): ConditionFault | undefined {
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

function faultOf(error: unknown): ConditionFault {
  const { summary, range, message } = error as { summary?: string; range?: { start: number }; message?: string };
  return { message: summary ?? message ?? String(error), ...(range === undefined ? {} : { position: range.start }) };
}

type Compiled = { ok: true; needs: ConditionNeeds; run: (input: ConditionInput) => unknown } | { ok: false; fault: ConditionFault };

function compile(expression: string): Compiled {
  try {
    const parsed = environment.parse(expression);
    const needs: ConditionNeeds = { names: [], all: false };
    const forbidden = inspect(parsed.ast, false, needs);
    if (forbidden) return { ok: false, fault: forbidden };
    const check = parsed.check();
    if (!check.valid) return { ok: false, fault: faultOf(check.error) };
    if (check.type !== 'bool' && check.type !== 'dyn') {
      return { ok: false, fault: { message: `it gives ${String(check.type)}, but a condition is true or false`, position: 0 } };
    }
    // Results as a Map: the library takes a plain object with the key `constructor`, a legal task id, for an object of a foreign type.
    const run = ({ goal, results }: ConditionInput): unknown => parsed({ goal, results: new Map(Object.entries(results)) });
    return { ok: true, needs, run };
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  }
}

/** Syntax, types, functions and loops of an expression, without evaluating it. */
export function checkCondition(expression: string): { ok: true; needs: ConditionNeeds } | { ok: false; fault: ConditionFault } {
  const compiled = compile(expression);
  return compiled.ok ? { ok: true, needs: compiled.needs } : compiled;
}

/** @param inputFor gives what the expression looks at; called with the names it needs, or undefined for all */
export function evaluateCondition(
  expression: string,
  inputFor: (names: string[] | undefined) => ConditionInput,
): { ok: true; value: boolean } | { ok: false; message: string } {
  const compiled = compile(expression);
  if (!compiled.ok) return { ok: false, message: compiled.fault.message };
  try {
    const value = compiled.run(inputFor(compiled.needs.all ? undefined : compiled.needs.names));
    return typeof value === 'boolean' ? { ok: true, value } : { ok: false, message: 'it is neither true nor false' };
  } catch (error) {
    return { ok: false, message: faultOf(error).message };
  }
}
