/** How sure a result is, where its agent may not have said: that is neither sure nor unsure. */
import type { UnknownConfidence } from '@cadre/contracts';

/** What is asked of a result. */
export interface Threshold {
  minConfidence?: number | undefined;
  unknownConfidence?: UnknownConfidence | undefined;
}

/** Why a result is not as sure as it has to be; undefined when it is, or when nothing is asked. */
export function whyUnsure(
  confidence: number | undefined,
  { minConfidence = 0, unknownConfidence = 'fail' }: Threshold,
): string | undefined {
  if (confidence !== undefined) return confidence < minConfidence ? `has a confidence of ${confidence}` : undefined;
  return minConfidence > 0 && unknownConfidence === 'fail' ? 'does not say how sure it is' : undefined;
}

/** What each counts as beside the others: one that is not known as the median of those that are; all the same when none is. */
export function standingConfidences(results: readonly { confidence?: number }[]): number[] {
  const known = results.flatMap(({ confidence }) => (confidence === undefined ? [] : [confidence]));
  const middle = known.length === 0 ? 1 : medianOf(known);
  return results.map(({ confidence = middle }) => confidence);
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1] as number, sorted[half] as number];
  return (low + high) / 2;
}
