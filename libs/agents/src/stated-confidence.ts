/**
 * How sure a model says it is, in the ways that models say it. What cannot be understood is not known: a guess would pass gates that it
 * should not pass, or fail where it should not.
 *
 * | stated | read as |
 * | --- | --- |
 * | 0 to 1, as number or text, with `.` or `,` | that |
 * | `95%`, `95 percent`, 95 (more than 10, up to 100) | a hundredth of it |
 * | `8/10`, `4 of 5` | the fraction |
 * | certain, very high, high, medium, low, very low | 0.95, 0.95, 0.85, 0.6, 0.3, 0.1 |
 * | `{"value": …}`, `{"score": …}`, `{"level": …}` | what stands there |
 * | all else (1 to 10 may be of ten or of a hundred) | not known |
 */
import { isObject } from './loose-json.js';

const WORDS: readonly [RegExp, number][] = [
  [/^(absolutely|completely|fully|very|almost) (certain|sure|confident)|^certain/, 0.95],
  [/^(very|extremely) high/, 0.95],
  [/^(very|extremely) low/, 0.1],
  [/^(high|confident|sure)\b/, 0.85],
  [/^(medium|moderate|mid|fair)\b/, 0.6],
  [/^low\b/, 0.3],
];

/** @returns from 0 to 1; undefined: not known */
export function readConfidence(stated: unknown): number | undefined {
  if (typeof stated === 'number') return ofNumber(stated);
  if (typeof stated === 'string') return ofText(stated.trim().toLowerCase());
  if (isObject(stated)) return readConfidence(stated['value'] ?? stated['score'] ?? stated['level']);
  return undefined;
}

function ofNumber(value: number): number | undefined {
  if (value >= 0 && value <= 1) return value;
  return value > 10 && value <= 100 ? value / 100 : undefined;
}

function ofText(text: string): number | undefined {
  const [, first = '', sign = ''] = /^[~≈]?\s*(\d*[.,]?\d+)\s*(%|percent|\/|of|out of)?/.exec(text) ?? [];
  if (first === '') return WORDS.find(([pattern]) => pattern.test(text))?.[1];
  const value = Number(first.replace(',', '.'));
  if (sign === '') return ofNumber(value);
  if (sign === '%' || sign === 'percent') return value <= 100 ? value / 100 : undefined;
  const whole = Number(/(?:\/|of)\s*(\d+)/.exec(text)?.[1]);
  return whole > 0 && value <= whole ? value / whole : undefined;
}

const LINE = /^[\s*_>#-]*confidence(?: score| level)?[\s*_]*([:=]?)[\s*_]*(.*?)[\s*_.]*$/i;
const HEADING = /^#{1,6}\s*confidence\s*:?\s*$/i;

/** Parts a text from the line about confidence that it ends with, if it does. */
export function withoutConfidenceLine(text: string): { text: string; confidence?: number } {
  const lines = text.trimEnd().split('\n');
  const last = lines.at(-1) ?? '';
  const [, sign, stated = ''] = LINE.exec(last) ?? [];
  // Without a sign it may be a sentence of the answer.
  if (last.length <= 200 && stated !== '' && (sign !== '' || readConfidence(stated) !== undefined))
    return parted(lines.slice(0, -1), stated);
  const before = lines.findLastIndex((line, at) => at < lines.length - 1 && line.trim() !== '');
  if (HEADING.test(lines[before] ?? '') && readConfidence(last) !== undefined) return parted(lines.slice(0, before), last);
  return { text: text.trim() };
}

function parted(lines: readonly string[], stated: string): { text: string; confidence?: number } {
  const confidence = readConfidence(stated);
  return { text: lines.join('\n').trim(), ...(confidence !== undefined && { confidence }) };
}
