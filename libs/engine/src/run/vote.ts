/** Combining by vote: what most of the items say. */
import { INLINE_LIMIT_BYTES, fitsBytes } from '@cadre/contracts';
import type { Combine } from '@cadre/contracts';
import type { TaskState } from '../state.js';
import { dataOf, textOf } from './expression-input.js';
import { failed, shown } from './pieces.js';
import type { Outcome, Piece } from './pieces.js';

interface Choice {
  choice: string;
  weight: number;
  voters: { by: string; confidence: number | null; reason?: string }[];
}

/** A vote is `{"choice": …, "reason"?: …}`, or a text that is the choice. The same words in other letters are the same choice. */
function voteOf(piece: Piece): { choice: string; reason?: string } {
  const value = dataOf(textOf(piece.content));
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && value['choice'] !== undefined) {
    const { choice, reason } = value;
    return {
      choice: typeof choice === 'string' ? choice.trim() : JSON.stringify(choice),
      ...(typeof reason === 'string' ? { reason } : {}),
    };
  }
  return { choice: (typeof value === 'string' ? value : JSON.stringify(value)).trim() };
}

function tally(pieces: readonly Piece[], weighted: boolean): Choice[] {
  const choices = new Map<string, Choice>();
  for (const piece of pieces) {
    const { choice, reason } = voteOf(piece);
    const key = choice.toLowerCase().replace(/\s+/g, ' ');
    const known = choices.get(key) ?? { choice: choice.slice(0, 500), weight: 0, voters: [] };
    known.weight += weighted ? piece.weight : 1;
    known.voters.push({
      by: piece.agent ?? piece.name,
      confidence: shown(piece),
      ...(reason === undefined ? {} : { reason: reason.slice(0, 300) }),
    });
    choices.set(key, known);
  }
  // Sorting keeps the order of those with equal weight: first named, first.
  return [...choices.values()].sort((a, b) => b.weight - a.weight);
}

export function voted(scope: TaskState, pieces: readonly Piece[], rule: Extract<Combine, { by: 'vote' }>): Outcome {
  const voters = scope.scope?.count ?? pieces.length;
  if (pieces.length === 0 || pieces.length < rule.quorum * voters - 1e-9) {
    return failed('no-quorum', `${pieces.length} of ${voters} have voted; the quorum is ${rule.quorum}.`);
  }
  const choices = tally(pieces, rule.weighted);
  const [winner, second] = choices as [Choice, Choice | undefined];
  const total = choices.reduce((sum, { weight }) => sum + weight, 0);
  const share = total === 0 ? 0 : winner.weight / total;
  if (rule.tie === 'fail' && second && second.weight === winner.weight) {
    return failed('no-decision', `"${winner.choice}" and "${second.choice}" have the same weight.`);
  }
  if (rule.threshold !== undefined && share < rule.threshold - 1e-9) {
    return failed(
      'no-decision',
      `"${winner.choice}" has ${(share * 100).toFixed(0)} % of the votes; ${rule.threshold * 100} % are needed.`,
    );
  }
  const dissent = choices.slice(1).map(({ choice, weight, voters: by }) => ({ choice, weight, voters: by }));
  const decision = { choice: winner.choice, share, votes: pieces.length, voters, for: winner.voters, dissent };
  const text = JSON.stringify(decision);
  const brief = fitsBytes(text, INLINE_LIMIT_BYTES)
    ? text
    : JSON.stringify({
        ...decision,
        for: winner.voters.length,
        dissent: dissent.map(({ choice, weight }) => ({ choice, weight })).slice(0, 20),
      });
  return { ok: true, answer: { text: brief }, confidence: share };
}
