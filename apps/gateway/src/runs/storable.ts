/** What may not get into the log: JSON too deep to walk, and text that SQL databases cannot hold. */
import { InputProblem } from '@cadre/service-kit';

const MAX_DEPTH = 64;

/** @throws InputProblem `invalid-request` naming the place */
export function assertStorable(value: unknown): void {
  const open: { value: unknown; path: string; depth: number }[] = [{ value, path: '', depth: 0 }];
  for (let at = open.pop(); at; at = open.pop()) {
    if (at.depth > MAX_DEPTH) throw refusal(at.path.slice(0, 60), `nested more than ${MAX_DEPTH} deep`);
    if (typeof at.value === 'string') assertText(at.value, at.path);
    if (typeof at.value !== 'object' || at.value === null) continue;
    const list = Array.isArray(at.value);
    for (const [key, each] of Object.entries(at.value)) {
      if (!list) assertText(key, at.path);
      open.push({ value: each, path: list ? `${at.path}[${key}]` : at.path ? `${at.path}.${key}` : key, depth: at.depth + 1 });
    }
  }
}

function assertText(text: string, path: string): void {
  if (text.includes('\u0000')) throw refusal(path, 'holds a NUL character');
  if (!text.isWellFormed()) throw refusal(path, 'holds half of a surrogate pair, which is not valid Unicode');
}

function refusal(path: string, message: string): InputProblem {
  return new InputProblem('invalid-request', `The request is not valid: ${path}: ${message}`, { errors: [{ path, message }] });
}
