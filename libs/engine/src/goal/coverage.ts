/**
 * Whether what was made is what the goal asks for, part by part. The answer says where each part is done; here it is looked up: the place
 * must be there, hold more than the goal's own words, and be of the kind that the part asks for. What nobody speaks for counts as done only
 * where an output shows it.
 */
import { evidenceFor, saysMore, speaksOf } from './evidence.js';
import type { Output } from './evidence.js';
import type { GoalPart } from './goal-parts.js';

/** What the answer says of a part, by its number from 1. */
export interface Claim {
  part: number;
  done: boolean;
  /** Places of outputs. */
  where: readonly string[];
}

export interface Accounted {
  goal: string;
  parts: readonly GoalPart[];
  /** Names of the input files. */
  inputs: readonly string[];
  /** Of tasks that were completed; the answer last. */
  outputs: readonly Output[];
  claims: readonly Claim[];
}

/** A part that is not done, as far as can be seen. `admitted`: the answer says so itself. */
export interface OpenPart {
  part: number;
  text: string;
  why: string;
  admitted: boolean;
}

function isPlace({ place, title }: Output, named: string): boolean {
  const name = named
    .replace(/^`|`$/g, '')
    .replace(/^\.?\//, '')
    .toLowerCase();
  return place.toLowerCase() === name || title?.toLowerCase() === name || (name !== '' && place.toLowerCase().endsWith(`/${name}`));
}

function placesOf({ outputs }: Accounted, claim: Claim): Output[] {
  return outputs.filter((output) => claim.where.some((named) => isPlace(output, named)));
}

/**
 * Of what must not be there: what is looked for in vain is not; of the rest the answer has to speak. @param isKept as far as it can be
 * looked for
 */
function whyThere(isKept: boolean | undefined, claim: Claim | undefined): string | undefined {
  if (isKept === false) return 'an output has it all the same';
  return isKept === true || claim !== undefined ? undefined : 'nobody has said that it was kept to';
}

/** Why a part is not done; undefined when it is. */
function whyOpen(accounted: Accounted, part: GoalPart, claim: Claim | undefined): string | undefined {
  const { goal, inputs, outputs } = accounted;
  const places = claim ? placesOf(accounted, claim) : outputs;
  if (part.demand?.kind === 'without') return whyThere(evidenceFor(part, outputs, inputs), claim);
  if (part.demand?.kind === 'file' && evidenceFor(part, outputs, inputs)) return undefined;
  if (claim && places.length === 0) return 'none of the places that were named for it is an output of a task that was completed';
  // A goal may speak of a file that needs not be there: then the answer says where it does.
  if (part.demand?.kind === 'file') return claim ? undefined : 'nobody gave this file, and none was made';
  if (claim && !places.some((output) => saysMore(output, goal))) return 'what was named for it holds no more than the words of the goal';
  const evidence = evidenceFor(part, places, inputs) ?? (claim !== undefined || places.some((output) => speaksOf(output, part, goal)));
  return evidence ? undefined : 'no output shows it';
}

/** The parts that are not done. */
export function openParts(accounted: Accounted): OpenPart[] {
  return accounted.parts.flatMap((part, index) => {
    const claim = accounted.claims.find((each) => each.part === index + 1);
    const admitted = claim?.done === false;
    const why = admitted ? 'the answer says that it is not done' : whyOpen(accounted, part, claim);
    return why === undefined ? [] : [{ part: index + 1, text: part.text, why, admitted }];
  });
}
