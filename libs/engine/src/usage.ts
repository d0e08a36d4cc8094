/** Sums over usage. All fields are whole numbers. */
import { addUsage, NO_USAGE } from '@cadre/contracts';
import type { CallRecord, Usage } from '@cadre/contracts';

function combine(a: Usage, b: Usage, pick: (x: number, y: number) => number): Usage {
  return {
    modelCalls: pick(a.modelCalls, b.modelCalls),
    toolCalls: pick(a.toolCalls, b.toolCalls),
    inputTokens: pick(a.inputTokens, b.inputTokens),
    outputTokens: pick(a.outputTokens, b.outputTokens),
    costMicros: pick(a.costMicros, b.costMicros),
  };
}

export function subtractUsage(a: Usage, b: Usage): Usage {
  return combine(a, b, (x, y) => x - y);
}

/** The larger of each field: a worker's closing report never lowers what its recorded calls have shown. */
export function largerUsage(a: Usage, b: Usage): Usage {
  return combine(a, b, Math.max);
}

export function usageOfCalls(calls: CallRecord[]): Usage {
  let sum = NO_USAGE;
  for (const call of calls) {
    sum = addUsage(sum, {
      modelCalls: call.kind === 'model' ? 1 : 0,
      toolCalls: call.kind === 'tool' ? 1 : 0,
      inputTokens: call.inputTokens,
      outputTokens: call.outputTokens,
      costMicros: call.costMicros,
    });
  }
  return sum;
}
