import { RunStatus } from '@cadre/contracts';
import { z } from 'zod';

export const ListRunsQuery = z.strictObject({
  status: RunStatus.optional(),
  limit: z.coerce
    .number({ error: 'must be a whole number' })
    .int({ error: 'must be a whole number' })
    .min(1, { error: 'must be at least 1' })
    .max(200, { error: 'must be at most 200' })
    .default(50),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(200).optional(),
});
export type ListRunsQuery = z.infer<typeof ListRunsQuery>;
