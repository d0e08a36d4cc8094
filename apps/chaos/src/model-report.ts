/** What the model server says was asked of it: a witness that knows nothing of Cadre's own records. */
import { z } from 'zod';
import type { Stage } from './stage.js';

const Count = z.object({ done: z.number(), inputTokens: z.number(), outputTokens: z.number(), costMicros: z.number() });
const Report = z.object({ total: Count, unkeyed: Count, keys: z.record(z.string(), Count) });

export interface ModelReport {
  total: z.infer<typeof Count>;
  /** By call key, how often the model has worked for it. */
  byKey: Map<string, number>;
}

/** Since the model server was started. Error when it worked for a call without a key: nobody could then say whether it was repeated. */
export async function modelReport(stage: Stage): Promise<ModelReport> {
  const response = await fetch(`http://127.0.0.1:${stage.live.ports['model-sim']}/sim/calls`);
  const { total, unkeyed, keys } = Report.parse(await response.json());
  if (unkeyed.done > 0) throw new Error(`the model worked for ${unkeyed.done} calls without a key`);
  return { total, byKey: new Map(Object.entries(keys).flatMap(([key, { done }]) => (done > 0 ? [[key, done] as const] : []))) };
}
