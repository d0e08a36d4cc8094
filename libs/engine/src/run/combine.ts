/** What the results of a scope's items come to together. Pure bookkeeping: what takes judgement is a task of its own. */
import { CadreError, INLINE_LIMIT_BYTES, fitsBytes, utf8Bytes } from '@cadre/contracts';
import type { Combine, Failure, Json, Scope, TaskResult } from '@cadre/contracts';
import { evaluateValue } from '../plan/expressions.js';
import type { TaskState } from '../state.js';
import { rankedBids } from './auction.js';
import { prefixOfBytes } from './compose-answer.js';
import type { Draft } from './draft.js';
import { dataOf, inputOf, resultTask, seenConfidence, textOf } from './expression-input.js';
import { failed, isPartial, mean, piecesOf, shown } from './pieces.js';
import type { Outcome, Piece } from './pieces.js';
import { voted } from './vote.js';

export type Combined = { ok: true; result: TaskResult } | { ok: false; error: Failure };

/** As JSON of at most what a message may hold inline; where the answers are longer, they are shortened alike. */
function inline(make: (textOfPiece: (piece: Piece) => Json) => Json, pieces: readonly Piece[]): string {
  const whole = JSON.stringify(make((piece) => dataOf(textOf(piece.content))));
  if (fitsBytes(whole, INLINE_LIMIT_BYTES)) return whole;
  for (let each = Math.floor(INLINE_LIMIT_BYTES / Math.max(1, pieces.length)); each > 8; each = Math.floor(each / 2)) {
    const shortened = JSON.stringify(make((piece) => prefixOfBytes(textOf(piece.content), each)));
    if (fitsBytes(shortened, INLINE_LIMIT_BYTES)) return shortened;
  }
  return JSON.stringify({ count: pieces.length, note: 'too many results for one text; look at the results of the items' });
}

function listed(pieces: readonly Piece[]): Outcome {
  return { ok: true, answer: { text: inline((text) => pieces.map(text), pieces) }, confidence: mean(pieces) };
}

function byName(pieces: readonly Piece[]): Outcome {
  const text = inline((each) => Object.fromEntries(pieces.map((piece) => [piece.name, each(piece)])), pieces);
  return { ok: true, answer: { text }, confidence: mean(pieces) };
}

function concatenated(pieces: readonly Piece[]): Outcome {
  const each = Math.floor((INLINE_LIMIT_BYTES - 200) / Math.max(1, pieces.length));
  const parts = pieces.map((piece) => {
    const heading = `## ${prefixOfBytes(piece.title, 120)}\n\n`;
    return heading + prefixOfBytes(textOf(piece.content), Math.max(20, each - utf8Bytes(heading) - 2));
  });
  return { ok: true, answer: { text: prefixOfBytes(parts.join('\n\n'), INLINE_LIMIT_BYTES) }, confidence: mean(pieces) };
}

function one(piece: Piece | undefined): Outcome {
  if (!piece) return failed('no-results', 'No item has a result.');
  return { ok: true, answer: piece.content, confidence: piece.confidence };
}

type Scored = { ok: true; pieces: { piece: Piece; score: number }[] } | { ok: false; error: Failure };

/** The highest score first; of equal ones the earlier item. */
function scored(draft: Draft, scope: TaskState, pieces: readonly Piece[], score: string | undefined): Scored {
  const found: { piece: Piece; score: number }[] = [];
  for (const piece of pieces) {
    if (score === undefined) {
      found.push({ piece, score: piece.weight });
      continue;
    }
    const answer = textOf(piece.content);
    const seen = { value: dataOf(answer), answer, confidence: seenConfidence(piece.confidence), index: piece.item };
    const outcome = evaluateValue(score, inputOf(draft.run, draft, scope, seen));
    if (!outcome.ok) return failed('expression-error', `The score of item ${piece.name} could not be evaluated: ${outcome.message}.`);
    if (typeof outcome.value !== 'number') return failed('expression-error', `The score of item ${piece.name} is no number.`);
    found.push({ piece, score: outcome.value });
  }
  return { ok: true, pieces: found.sort((a, b) => b.score - a.score || a.piece.item - b.piece.item) };
}

function ranked(draft: Draft, scope: TaskState, pieces: readonly Piece[], score: string | undefined): Outcome {
  const order = scored(draft, scope, pieces, score);
  if (!order.ok) return order;
  const text = inline(
    (each) =>
      order.pieces.map(({ piece, score: points }) => ({
        item: piece.item,
        score: points,
        confidence: shown(piece),
        ...(piece.agent === undefined ? {} : { agent: piece.agent }),
        value: each(piece),
      })),
    pieces,
  );
  return { ok: true, answer: { text }, confidence: mean(pieces) };
}

function auctioned(draft: Draft, scope: TaskState, pieces: readonly Piece[]): Outcome {
  const bids = pieces.map((piece) => ({ piece, confidence: piece.confidence, figures: resultTask(draft, scope, piece.item)?.figures }));
  const order = rankedBids(bids);
  const text = inline(
    (each) =>
      order.map(({ piece, score, figures }) => ({
        ...{ item: piece.item, score, confidence: shown(piece) },
        ...(figures && { figures: figures as { [key: string]: Json } }),
        ...(piece.agent === undefined ? {} : { agent: piece.agent }),
        value: each(piece),
      })),
    pieces,
  );
  return { ok: true, answer: { text }, confidence: mean(pieces) };
}

function best(draft: Draft, scope: TaskState, pieces: readonly Piece[], score: string | undefined): Outcome {
  const order = scored(draft, scope, pieces, score);
  return order.ok ? one(order.pieces[0]?.piece) : order;
}

interface Merged {
  value: Json;
  from: Piece;
}

interface Conflict {
  field: string;
  kept: string;
  values: { by: string; confidence: number | null; value: Json }[];
}

/** Fields that only some have, or that all agree on, are taken as they are. */
function merged(pieces: readonly Piece[], onConflict: Extract<Combine, { by: 'merge' }>['onConflict']): Outcome {
  const fields = new Map<string, Merged[]>();
  for (const piece of pieces) {
    const value = dataOf(textOf(piece.content));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return failed('not-mergeable', `The result of ${piece.agent ?? piece.title} is no JSON object, so it cannot be merged.`);
    }
    for (const [field, each] of Object.entries(value)) fields.set(field, [...(fields.get(field) ?? []), { value: each, from: piece }]);
  }
  const result: [string, Json][] = [];
  const conflicts: Conflict[] = [];
  for (const [field, values] of fields) {
    const distinct = new Set(values.map(({ value }) => JSON.stringify(value)));
    const kept = keptOf(values, onConflict);
    result.push([field, kept.value]);
    if (distinct.size === 1) continue;
    const source = (piece: Piece) => piece.agent ?? piece.name;
    conflicts.push({
      field,
      kept: source(kept.from),
      values: values.map(({ value, from }) => ({ by: source(from), confidence: shown(from), value })),
    });
  }
  if (onConflict === 'fail' && conflicts.length > 0) {
    return failed(
      'merge-conflict',
      `The results differ in ${conflicts
        .map(({ field }) => field)
        .slice(0, 10)
        .join(', ')}.`,
    );
  }
  const text = JSON.stringify({ result: Object.fromEntries(result), conflicts });
  if (!fitsBytes(text, INLINE_LIMIT_BYTES))
    return failed('too-large', `The merged result takes more than ${INLINE_LIMIT_BYTES} bytes; use an agent to reduce it.`);
  return { ok: true, answer: { text }, confidence: mean(pieces) };
}

function keptOf(values: readonly Merged[], onConflict: string): Merged {
  const [first] = values as [Merged];
  if (onConflict === 'last') return values.at(-1) as Merged;
  if (onConflict !== 'confidence') return first;
  return values.reduce((kept, each) => (each.from.weight > kept.from.weight ? each : kept), first);
}

function outcomeOf(draft: Draft, scope: TaskState, pieces: readonly Piece[]): Outcome {
  const rule = (scope.spec.scope as Scope).combine;
  switch (rule.by) {
    case 'list':
      return listed(pieces);
    case 'object':
      return byName(pieces);
    case 'concat':
      return concatenated(pieces);
    case 'first':
      return one(pieces[0]);
    case 'last':
      return one(pieces.at(-1));
    case 'best':
      return best(draft, scope, pieces, rule.score);
    case 'rank':
      return ranked(draft, scope, pieces, rule.score);
    case 'vote':
      return voted(scope, pieces, rule);
    case 'auction':
      return auctioned(draft, scope, pieces);
    case 'merge':
      return merged(pieces, rule.onConflict);
    case 'custom':
      throw new CadreError('engine-bug', `An agent combines the items of ${scope.spec.id}, not the engine.`);
  }
}

/** The result of a scope that has ended well, or why there is none. @param cutOff its time was up before all its items had ended */
export function combine(draft: Draft, scope: TaskState, cutOff: boolean): Combined {
  const pieces = piecesOf(draft, scope);
  const outcome = outcomeOf(draft, scope, pieces);
  if (!outcome.ok) return outcome;
  const artifacts = new Map(pieces.flatMap((piece) => piece.artifacts.map((artifact) => [artifact.name, artifact] as const)));
  const partial = isPartial(draft, scope, cutOff, pieces);
  const confidence = outcome.confidence === undefined ? {} : { confidence: Math.min(1, Math.max(0, outcome.confidence)) };
  return {
    ok: true,
    result: { answer: outcome.answer, ...confidence, artifacts: [...artifacts.values()].slice(0, 200), ...(partial ? { partial } : {}) },
  };
}
