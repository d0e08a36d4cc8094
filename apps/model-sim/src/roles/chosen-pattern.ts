/**
 * Whether a goal says in words that several are to do a part of it together, and how. Things of the same names ("a data pipeline", "an
 * auction site") are none.
 */

/** As a planner writes it. */
export interface ChosenPattern {
  pattern: Record<string, unknown> & { kind: 'map-reduce' | 'pipeline' | 'vote' | 'auction' | 'swarm' };
  why: string;
}

/** The part's task, as it would be without a pattern. */
interface Part {
  text: string;
  instructions: string;
  skills: readonly string[];
  /** Names of the input files. */
  inputs: readonly string[];
  /** Agents who could do it. */
  able: readonly string[];
}

const VOTE =
  /\b(?:by (?:a |majority )?vote|(?:hold|take|put (?:it|this) to) a vote|vote on|(?:build|reach|find) (?:a )?consensus|by consensus|agents? vote)\b/i;
const AUCTION = /\b(?:by (?:an )?auction|(?:hold|run) an auction (?:for|on) (?:it|this)|agents? bid|bidding for (?:it|this))\b/i;
const SWARM = /\b(?:(?:as|with|by|in) a swarm|a swarm of agents|by swarm)\b/i;
const EACH = /\b(?:map[- ]?reduce|(?:for )?each (?:of the )?(?:input )?files?|every file separately|each file (?:by itself|separately))\b/i;
const STAGES = /\b(?:(?:as|in|with) a pipeline(?: of)?|pipeline of)\s*:?\s*(.+)$/i;
const CHOICES = /\b(?:between|among|whether|choices?:)\s+(.+)$/i;
const NUMBERS = ['two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** Whether several are to judge or explore one question. */
export const isForJudgement = (text: string): boolean => VOTE.test(text) || SWARM.test(text);

export function chosenPattern(part: Part): ChosenPattern | undefined {
  const { text, inputs, able } = part;
  const count = countIn(text);
  if (VOTE.test(text)) {
    const choices = listOf(CHOICES.exec(text)?.[1]);
    const among = choices.length > 1 ? { choices } : {};
    return { pattern: { kind: 'vote', count, ...among }, why: 'The goal asks for a vote, so that no single opinion decides.' };
  }
  if (AUCTION.test(text) && able.length > 1) {
    return { pattern: { kind: 'auction', agents: able }, why: 'The goal asks for bids, so that the agent that can do it best does it.' };
  }
  if (SWARM.test(text)) return { pattern: { kind: 'swarm', count }, why: 'The goal asks for a swarm, which shares what it finds.' };
  if (EACH.test(text) && inputs.length > 1) {
    const steps = [{ instructions: part.instructions, skills: [...part.skills] }];
    return {
      pattern: { kind: 'map-reduce', over: [...inputs], steps },
      why: `The goal asks for the same of each of ${inputs.length} files.`,
    };
  }
  const stages = listOf(STAGES.exec(text)?.[1]);
  if (stages.length < 2) return undefined;
  const steps = stages.map((stage) => ({ title: stage, instructions: `Do this stage of the goal: ${stage}`, skills: [...part.skills] }));
  return { pattern: { kind: 'pipeline', steps }, why: 'The goal names stages that follow each other.' };
}

function countIn(text: string): number {
  const said = new RegExp(`\\b([2-9]|${NUMBERS.join('|')}) (?:agents|voters|experts|analysts|reviewers)\\b`, 'i').exec(text)?.[1];
  if (said === undefined) return 3;
  return /\d/.test(said) ? Number(said) : NUMBERS.indexOf(said.toLowerCase()) + 2;
}

/** "draft, revise, then polish" as its items. */
function listOf(text: string | undefined): string[] {
  const items = (text ?? '').split(/\s*(?:,|;|→|->|\bthen\b|\band\b|\bor\b)\s*/i).map((item) => item.replace(/[.\s]+$/, '').trim());
  return [...new Set(items.filter((item) => item !== ''))].slice(0, 9);
}
