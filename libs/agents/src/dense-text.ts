/** Room for text of which nobody knows yet how many tokens it takes. */

/** Of text that takes many. */
const CHARACTERS_PER_TOKEN = 3;

export function mostTokens(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}
