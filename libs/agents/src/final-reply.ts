/**
 * Reads an agent's last message. Generously as to its form: the object that was asked for wherever it stands in the text and however it is
 * written, or the answer as plain Markdown. Strictly as to what it is: what cannot be understood is not guessed.
 */
import type { AgentSummary, Assignment } from '@cadre/contracts';
import type { FinalReading, FinalReply, ReplyForm } from './final-reading.js';
import { isObject, objectsIn, unclosedObject, wholeObject } from './loose-json.js';
import type { FoundObject, JsonObject } from './loose-json.js';
import { namedMissing } from './named-missing.js';
import { claimsOf } from './part-claim.js';
import { readPlanReply } from './plan-reply.js';
import { readConfidence, withoutConfidenceLine } from './stated-confidence.js';

export interface ReadingTerms {
  kind: Assignment['kind'];
  form: ReplyForm;
  /** The text ends where the server stopped writing: nothing but what is whole counts. */
  cutOff?: boolean;
  /** For plans: the agents that may be counted on; without it skills and names are not checked. */
  catalogue?: AgentSummary[] | undefined;
}

const NOT_THAT = 'Your message was not one JSON object. Send only {"answer": "...", "confidence": 0.0}.';
const EMPTY = 'Your message was empty.';
const FIELDS: ReadonlySet<string> = new Set(['answer', 'confidence', 'thinking', 'missing', 'parts', 'note', 'reasoning', 'explanation']);

export function readFinal(text: string, { kind, form, cutOff = false, catalogue }: ReadingTerms): FinalReading {
  if (kind === 'plan') return readPlanReply(text, catalogue);
  if (text.trim() === '') return malformed(form === 'markdown' ? EMPTY : NOT_THAT);
  const found = replyObject(text, form);
  if (found) return { ok: true, reply: replyOf(found.value, found.answer) };
  if (cutOff) return malformed('It holds no whole answer.');
  const unclosed = unclosedObject(text);
  const answer = unclosed && answerIn(unclosed);
  if (unclosed && answer !== undefined) return { ok: true, reply: replyOf(unclosed, answer) };
  return form === 'json' ? malformed(whyNot(text)) : readWords(text, form);
}

function malformed(why: string): FinalReading {
  return { ok: false, fault: 'malformed', why };
}

function whyNot(text: string): string {
  for (const { value } of objectsIn(text)) {
    if (!('answer' in value) && !('confidence' in value)) continue;
    return `Your JSON object is not as asked for. At answer: it is ${'answer' in value ? 'empty' : 'missing'}.`;
  }
  return NOT_THAT;
}

interface Fitting extends FoundObject {
  answer: string;
}

/** The last object that holds an answer, be it within another. */
function replyObject(text: string, form: ReplyForm): Fitting | undefined {
  for (const found of objectsIn(text)) {
    for (const value of [found.value, ...Object.values(found.value).filter(isObject)]) {
      const answer = answerIn(value);
      if (answer === undefined) continue;
      const isReply = 'confidence' in value || Object.keys(value).every((field) => FIELDS.has(field));
      // In a text that may be the answer itself, an object without a confidence may be part of what it tells.
      if (isReply && (form === 'json' || 'confidence' in value || isAllOf(text, found))) return { ...found, value, answer };
    }
  }
  return undefined;
}

function isAllOf(text: string, { start, end }: FoundObject): boolean {
  return /^\s*(```[a-z]*\s*)?$/i.test(text.slice(0, start)) && /^\s*(```\s*)?$/.test(text.slice(end));
}

/** The answer as text: what is no text is JSON, which later tasks can read as data. */
function answerIn({ answer }: JsonObject): string | undefined {
  if (typeof answer === 'string') return answer.trim() === '' ? undefined : answer;
  if (answer === undefined || answer === null) return undefined;
  if (typeof answer !== 'object') return JSON.stringify(answer);
  return Object.keys(answer).length === 0 ? undefined : JSON.stringify(answer, null, 2);
}

function replyOf(found: JsonObject, answer: string): FinalReply {
  const { confidence: stated, missing: named } = found;
  const confidence = readConfidence(stated);
  const missing = namedMissing((Array.isArray(named) ? named : [named]).filter((each) => typeof each === 'string'));
  const claims = claimsOf(found);
  return { answer, ...(confidence !== undefined && { confidence }), ...(missing && { missing }), ...(claims.length > 0 && { claims }) };
}

/** The answer as it stands there, and what it ends with on confidence: a line, or a small object. */
function readWords(text: string, form: ReplyForm): FinalReading {
  if (isBrokenObject(text)) return malformed(whyNot(text));
  const { text: words, confidence } = withoutConfidence(text);
  const answer = withoutFence(words);
  if (answer === '') return malformed(EMPTY);
  const mark = form === 'any' ? { mark: 'unstructured' as const } : {};
  return { ok: true, reply: { answer, ...(confidence !== undefined && { confidence }), ...mark } };
}

/** What was meant as the object asked for, and has no answer that can be read. */
function isBrokenObject(text: string): boolean {
  const whole = wholeObject(text);
  if (whole) return 'answer' in whole || Object.keys(whole).every((field) => FIELDS.has(field));
  return /^\s*\[\s*\]\s*$/.test(text) || /^\s*(```[a-z]*\s*)?\{\s*["']?(answer|confidence|thinking)\b/i.test(text);
}

function withoutConfidence(text: string): { text: string; confidence?: number } {
  for (const { value, start, end } of objectsIn(text)) {
    const after = text.slice(end);
    if (!/^[\s`]*$/.test(after) || Object.keys(value).some((field) => field !== 'confidence' && field !== 'note')) break;
    if (!('confidence' in value)) break;
    const confidence = readConfidence(value['confidence']);
    const before = text.slice(0, start).replace(/\s*```[a-z]*\s*$/i, '');
    return { text: before.trim(), ...(confidence !== undefined && { confidence }) };
  }
  return withoutConfidenceLine(text);
}

/** Some put the whole of it into a fence. */
function withoutFence(text: string): string {
  const [, inner] = /^```(?:markdown|md|json|text)?[ \t]*\r?\n([\s\S]*?)\r?\n?```$/i.exec(text.trim()) ?? [];
  return inner === undefined || inner.includes('```') ? text : inner.trim();
}
