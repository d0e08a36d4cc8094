/**
 * JSON as models write it: with words around it, raw line breaks, trailing commas, single quotes, Python's words, escapes that JSON does
 * not know. Only whole objects are read: a text that was cut off is never completed to something that its author did not say.
 */
import { jsonrepair } from 'jsonrepair';

export type JsonObject = Record<string, unknown>;

/** So many brackets may be forgotten at the end. */
const MOST_CLOSERS = 3;
/** Objects of one text that are tried, from the last. */
const MOST_PIECES = 100;

export interface FoundObject {
  value: JsonObject;
  /** Where it stands in the text. */
  start: number;
  end: number;
}

/**
 * The whole objects of a text that are in no other one, the last first. They are looked for with an eye on what is quoted, and then
 * without, where nothing was found: a quotation mark or an apostrophe that is not what it looks like hides no object.
 */
export function objectsIn(text: string): FoundObject[] {
  const found = objectsAt(text, outermost(balanced(text, true)));
  const others = outermost(balanced(text, false)).filter(([start, end]) =>
    found.every((known) => end <= known.start || start >= known.end),
  );
  found.push(...objectsAt(text, others));
  if (found.length === 0) found.push(...objectsAt(text, [[text.indexOf('{'), text.lastIndexOf('}') + 1]]));
  return found.sort((one, other) => other.start - one.start);
}

function objectsAt(text: string, pieces: readonly Piece[]): FoundObject[] {
  return pieces.slice(-MOST_PIECES).flatMap(([start, end]) => {
    const value = start >= 0 && end > start ? looseObject(text.slice(start, end)) : undefined;
    return value ? [{ value, start, end }] : [];
  });
}

/** The object that a text is, without anything around it; undefined: it is none, or not all of one. */
export function wholeObject(text: string): JsonObject | undefined {
  const trimmed = text.trim();
  const whole = balanced(trimmed, true).some(([start, end]) => start === 0 && end === trimmed.length);
  return whole ? looseObject(trimmed) : undefined;
}

/** An object whose author forgot its last brackets, and said that it was complete: all else of it is there, the last string is closed. */
export function unclosedObject(text: string): JsonObject | undefined {
  const trimmed = text.trim().replace(/^```[a-z]*\s*|\s*```$/gi, '');
  if (!trimmed.startsWith('{')) return undefined;
  const closers = missingClosers(trimmed);
  return closers === undefined || closers === '' || closers.length > MOST_CLOSERS ? undefined : looseObject(trimmed + closers);
}

/** @returns undefined: the text ends within a string, or closes what is not open */
function missingClosers(text: string): string | undefined {
  const open: string[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] as string;
    if (sign === '"') {
      at = endOfString(text, at);
      if (at >= text.length) return undefined;
    } else if (sign === '{') open.push('}');
    else if (sign === '[') open.push(']');
    else if ((sign === '}' || sign === ']') && open.pop() !== sign) return undefined;
  }
  return open.reverse().join('');
}

function endOfString(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === '\\') end += 1;
    else if (text[end] === '"') return end;
  }
  return text.length;
}

/** @param text balanced */
function looseObject(text: string): JsonObject | undefined {
  for (const read of [() => text, () => jsonrepair(withSoundEscapes(text))]) {
    try {
      const value: unknown = JSON.parse(read());
      if (isObject(value)) return value;
    } catch {
      // The next way may read it.
    }
  }
  return undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A backslash that begins no escape of JSON is meant as it is: of a Windows path, a pattern, a formula. */
function withSoundEscapes(text: string): string {
  return text.replace(/\\(?:["'\\/bfnrt]|u[0-9a-fA-F]{4})|\\/g, (found) => (found === '\\' ? '\\\\' : found));
}

type Piece = [start: number, end: number];

/** Pieces in order, none within another. */
function outermost(pieces: Piece[]): Piece[] {
  const sorted = pieces.sort(([a, aEnd], [b, bEnd]) => a - b || bEnd - aEnd);
  const kept: Piece[] = [];
  for (const piece of sorted) if (piece[1] > (kept.at(-1)?.[1] ?? 0)) kept.push(piece);
  return kept;
}

/** Each pair of braces that belong together. */
function balanced(text: string, heedQuotes: boolean): Piece[] {
  const pieces: Piece[] = [];
  const open: number[] = [];
  let quote: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] as string;
    if (quote !== undefined) {
      if (sign === '\\') at += 1;
      else if (sign === quote && (quote === '"' || closesSingle(text, at))) quote = undefined;
    } else if (heedQuotes && open.length > 0 && (sign === '"' || (sign === "'" && opensSingle(text, at)))) quote = sign;
    else if (sign === '{') open.push(at);
    else if (sign === '}') {
      const start = open.pop();
      if (start !== undefined) pieces.push([start, at + 1]);
    }
  }
  return pieces;
}

/** An apostrophe within words is no quotation mark. */
function opensSingle(text: string, at: number): boolean {
  return /[{[,:(]\s*$/.test(text.slice(Math.max(0, at - 20), at));
}

function closesSingle(text: string, at: number): boolean {
  return /^\s*[}\]),:]/.test(text.slice(at + 1, at + 20));
}
