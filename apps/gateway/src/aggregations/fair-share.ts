/**
 * The size up to which things stay inline, so that all those that do take at most so much together: what small ones leave is for the
 * others. What is longer leaves no more than its share behind (a beginning, and where the rest is).
 */
export function fairShare(sizes: readonly number[], total: number): number {
  let [left, share] = [total, total];
  const ascending = [...sizes].sort((a, b) => a - b);
  for (const [index, size] of ascending.entries()) {
    share = Math.floor(left / (ascending.length - index));
    if (size > share) return share;
    left -= size;
  }
  return Math.max(share, ascending.at(-1) ?? 0);
}
