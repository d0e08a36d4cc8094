/** Without the fields that are null: models write it for what they leave out. */
export function present(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
}
