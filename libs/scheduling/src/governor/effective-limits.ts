/** Of limits that differ the least holds; `Infinity` where there is none. */
import type { ModelLimits } from '@cadre/contracts';

export type EffectiveLimits = Record<keyof ModelLimits, number>;

export function effectiveLimits(all: readonly ModelLimits[]): EffectiveLimits {
  const least = (name: keyof ModelLimits) => Math.min(Infinity, ...all.map((limits) => limits[name] ?? Infinity));
  return { requestsPerMinute: least('requestsPerMinute'), tokensPerMinute: least('tokensPerMinute'), concurrent: least('concurrent') };
}
