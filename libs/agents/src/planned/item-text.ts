/** Texts of a model in tasks whose expressions are filled in: what a model wrote stays text. */

/** A `${{` of the model's own, which would otherwise be looked at as an expression. */
export function literal(text: string): string {
  return text.replaceAll('${{', '$ {{');
}

/** The text, and the item that it is about. */
export function withItem(text: string): string {
  return `${text}\n\nYour item: \${{ item }}`;
}
