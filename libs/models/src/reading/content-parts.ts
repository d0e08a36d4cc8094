/** Content of a message as servers write it: a text, a list of parts, an object, nothing. */
import { isObject } from './json-spans.js';

export interface ReadContent {
  text: string;
  thoughts: string;
}

/** Parts that say that they are thoughts are thoughts (Mistral's `thinking`, others' `reasoning`); parts that hold no text are left out. */
export function contentParts(content: unknown, depth = 0): ReadContent {
  if (typeof content === 'string') return { text: content, thoughts: '' };
  if (depth > 4 || typeof content !== 'object' || content === null) return { text: '', thoughts: '' };
  if (Array.isArray(content)) {
    const parts = content.map((part) => contentParts(part, depth + 1));
    return { text: parts.map(({ text }) => text).join(''), thoughts: parts.map(({ thoughts }) => thoughts).join('') };
  }
  return isObject(content) ? ofPart(content, depth) : { text: '', thoughts: '' };
}

function ofPart(part: Record<string, unknown>, depth: number): ReadContent {
  const type = typeof part['type'] === 'string' ? part['type'] : '';
  const isThought = /think|reason|thought/.test(type) || part['thought'] === true;
  const field = ['text', 'thinking', 'reasoning', 'summary', 'content', 'output_text'].find(
    (name) => part[name] !== undefined && part[name] !== null,
  );
  if (field === undefined) return { text: type === '' ? objectText(part) : '', thoughts: '' };
  const { text, thoughts } = contentParts(part[field], depth + 1);
  return isThought || field === 'thinking' || field === 'reasoning' ? { text: '', thoughts: thoughts + text } : { text, thoughts };
}

/** An answer that came as the object itself. */
function objectText(part: Record<string, unknown>): string {
  return Object.keys(part).length > 0 ? JSON.stringify(part) : '';
}
