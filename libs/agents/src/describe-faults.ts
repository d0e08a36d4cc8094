import type { z } from 'zod';

/** One sentence for each of the first faults: where, and what is wrong. */
export function describeFaults(error: z.ZodError): string {
  return error.issues
    .slice(0, 10)
    .map((issue) => `${issue.path.length > 0 ? `At ${issue.path.join('.')}: ` : ''}${issue.message}.`)
    .join(' ');
}
