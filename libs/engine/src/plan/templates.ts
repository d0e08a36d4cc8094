/** Texts and values with `${{ expression }}` in them. Only tasks that say so are filled in: what a model wrote is text. */
import type { Json } from '@cadre/contracts';
import type { Evaluated } from './expressions.js';

const HOLE = /\$\{\{([^]*?)\}\}/g;

/** The expressions in a text or a value. */
export function expressionsIn(value: Json | undefined): string[] {
  if (typeof value === 'string') return [...value.matchAll(HOLE)].map(([, expression = '']) => expression.trim());
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(expressionsIn);
}

type Evaluate = (expression: string) => Evaluated<Json>;

function asText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Fills in a text. A text that is one expression and nothing else gives the value itself. */
function fillText(text: string, evaluate: Evaluate): Evaluated<Json> {
  const whole = /^\s*\$\{\{((?:(?!\}\})[^])*)\}\}\s*$/.exec(text)?.[1];
  if (whole !== undefined) return evaluate(whole.trim());
  let fault: Evaluated<Json> | undefined;
  const filled = text.replace(HOLE, (_, expression: string) => {
    const outcome = evaluate(expression.trim());
    if (outcome.ok) return asText(outcome.value);
    fault ??= outcome;
    return '';
  });
  return fault ?? { ok: true, value: filled };
}

/** Fills in a value, keys left as they are. */
export function fillIn(value: Json, evaluate: Evaluate): Evaluated<Json> {
  if (typeof value === 'string') return fillText(value, evaluate);
  if (typeof value !== 'object' || value === null) return { ok: true, value };
  const keys = Object.keys(value);
  const filled: Json[] = [];
  for (const each of Object.values(value)) {
    const outcome = fillIn(each, evaluate);
    if (!outcome.ok) return outcome;
    filled.push(outcome.value);
  }
  if (Array.isArray(value)) return { ok: true, value: filled };
  return { ok: true, value: Object.fromEntries(keys.map((key, i) => [key, filled[i] as Json])) };
}

/** Fills in a text that stays one. */
export function fillInText(text: string, evaluate: Evaluate): Evaluated<string> {
  const outcome = fillIn(text, evaluate);
  return outcome.ok ? { ok: true, value: asText(outcome.value) } : outcome;
}
