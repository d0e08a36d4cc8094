import type { Claim } from '@cadre/engine';
import { z } from 'zod';

/** Where a part of the goal is done, as the answer says. Models write too little and too much: what is not of this form is no claim. */
export const PartClaim = z.object({ part: z.int(), done: z.boolean(), where: z.array(z.string()) });

/** The claims of a final message. */
export function claimsOf(found: object): Claim[] {
  const { parts } = found as { parts?: unknown };
  if (!Array.isArray(parts)) return [];
  return parts.flatMap((claim: unknown) => {
    const parsed = PartClaim.safeParse(claim);
    return parsed.success ? [parsed.data] : [];
  });
}
