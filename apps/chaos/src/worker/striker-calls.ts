/** The calls of a striker's task, in their order. */
import type { ToolEffect } from '@cadre/contracts';

export interface StrikerCall {
  name: string;
  effect: ToolEffect;
  maxCostMicros: number;
  costMicros: number;
}

export const strikerCalls: readonly StrikerCall[] = [
  { name: 'weigh', effect: 'none', maxCostMicros: 900, costMicros: 400 },
  { name: 'mark', effect: 'idempotent', maxCostMicros: 0, costMicros: 0 },
  { name: 'strike', effect: 'once', maxCostMicros: 0, costMicros: 0 },
  { name: 'weigh_again', effect: 'none', maxCostMicros: 900, costMicros: 400 },
];
