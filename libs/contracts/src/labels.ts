/** Labels of workers and agents, by which tasks and definitions say where work may be done: `gpu=true`, `region=eu`. */
import { z } from 'zod';

const LabelName = z.string().regex(/^[a-z][a-z0-9._/-]{0,62}$/, 'the name of a label is lower-case letters, digits, ., _, / and -');
/** `true` and `"true"` are the same. */
const LabelValue = z.union([
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/, 'a label is letters, digits, ., _, / and -'),
  z.boolean(),
]);

export const Labels = z.record(LabelName, LabelValue).refine((labels) => Object.keys(labels).length <= 16, { error: 'at most 16 labels' });
export type Labels = z.infer<typeof Labels>;

/** Whether all that is asked for is there. */
export function meetsLabels(has: Labels | undefined, asked: Labels | undefined): boolean {
  if (asked === undefined) return true;
  return Object.entries(asked).every(([name, value]) => Object.hasOwn(has ?? {}, name) && String(has?.[name]) === String(value));
}

/** `gpu=true, region=eu`, the same for the same labels. */
export function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${String(value)}`)
    .sort()
    .join(', ');
}

/**
 * In words, why nobody may do what asks for labels; undefined: somebody has them all. @param places the labels of each worker or agent that
 * is there
 */
export function whyNoLabels(asked: Labels | undefined, places: readonly (Labels | undefined)[]): string | undefined {
  if (asked === undefined || places.some((has) => meetsLabels(has, asked))) return undefined;
  const lacking = Object.entries(asked).filter(([name, value]) => !places.some((has) => meetsLabels(has, { [name]: value })));
  const wanted = lacking.length > 0 ? Object.fromEntries(lacking) : asked;
  const count = Object.keys(wanted).length;
  const nobody = lacking.length > 0 ? `no worker has ${count === 1 ? 'it' : 'them'}` : 'no worker has them together';
  return `waits for a worker with the ${count === 1 ? 'label' : 'labels'} ${labelText(wanted)}; ${nobody}`;
}
