import type { Json } from '@cadre/contracts';

/** JSON text that does not depend on the order in which fields were written. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(value, (_, field: Json) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
}
