/** @param length in characters, the mark of the cut included */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  const mark = ' …(shortened)';
  return text.slice(0, Math.max(0, length - mark.length)).toWellFormed() + mark;
}
