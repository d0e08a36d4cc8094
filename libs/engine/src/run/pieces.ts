/** What the items of a scope have brought, as it is combined. */
import type { ArtifactRef, Content, Failure, Scope } from '@cadre/contracts';
import type { TaskState } from '../state.js';
import type { Draft } from './draft.js';
import { resultTask } from './expression-input.js';
import { keptOut } from './gate.js';
import { standingConfidences } from './sureness.js';

/** What one item brought. */
export interface Piece {
  item: number;
  /** Its name for people: that of the branch, else its number. */
  name: string;
  title: string;
  agent?: string;
  content: Content;
  /** Left out: not known. */
  confidence?: number;
  /** What it counts as where results are weighed against each other: its confidence, or the median of those that are known. */
  weight: number;
  artifacts: ArtifactRef[];
  partial: boolean;
}

export type Outcome = { ok: true; answer: Content; confidence?: number | undefined } | { ok: false; error: Failure };
type Unweighed = Omit<Piece, 'weight'>;

export function piecesOf(draft: Draft, scope: TaskState): Piece[] {
  const pieces: Unweighed[] = [];
  const { branches, body } = scope.spec.scope as Scope;
  const out = keptOut(scope);
  for (let item = 0; item < (scope.scope?.opened ?? 0); item += 1) {
    const task = resultTask(draft, scope, item);
    if (!task?.result || out.has(item)) continue;
    const { answer, confidence, artifacts, partial = false } = task.result;
    const name = (branches ? body[item]?.id : undefined) ?? String(item);
    pieces.push({
      item,
      name,
      title: task.spec.title,
      ...(task.agent === undefined ? {} : { agent: task.agent }),
      content: answer,
      ...(confidence === undefined ? {} : { confidence }),
      artifacts,
      partial,
    });
  }
  const weights = standingConfidences(pieces);
  return pieces.map((piece, place) => ({ ...piece, weight: weights[place] as number }));
}

/** Whether a scope that ends well is not the whole of it. @param cutOff its time was up before all its items had ended */
export function isPartial(draft: Draft, scope: TaskState, cutOff: boolean, pieces = piecesOf(draft, scope)): boolean {
  return cutOff || (scope.scope?.failed.length ?? 0) > 0 || pieces.some(({ partial }) => partial);
}

export function failed(code: string, message: string): { ok: false; error: Failure } {
  return { ok: false, error: { code, message: message.slice(0, 4000), retriable: false } };
}

/** Of those that are known; undefined when there are pieces, but none says how sure it is. */
export function mean(pieces: readonly Piece[]): number | undefined {
  if (pieces.length === 0) return 1;
  const known = pieces.flatMap(({ confidence }) => (confidence === undefined ? [] : [confidence]));
  return known.length === 0 ? undefined : known.reduce((sum, confidence) => sum + confidence, 0) / known.length;
}

/** As results for people show it. */
export function shown({ confidence }: Piece): number | null {
  return confidence ?? null;
}
