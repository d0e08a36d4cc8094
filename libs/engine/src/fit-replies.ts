/** Keeps the answers to one request within one message. What is left unanswered is asked again, and answered the same. */
import { utf8Bytes } from '@cadre/contracts';
import type { Assignment, CallGrants, CommandReply, CompletionReply } from '@cadre/contracts';

const LIMIT_BYTES = 900 * 1024;
const FRAME_UNITS = 400;

/** Texts of an assignment, and a little for each thing beside them. */
export function unitsOfAssignment({ goal, instructions, input, results, inputs, previousError }: Assignment): number {
  let units = goal.length + instructions.length + (previousError?.length ?? 0) + 200 * inputs.length;
  if (input !== undefined) units += JSON.stringify(input).length;
  for (const { title, answer, error, artifacts } of results) {
    const text = answer === undefined ? '' : 'text' in answer ? answer.text : answer.preview;
    units += FRAME_UNITS + title.length + text.length + (error?.length ?? 0) + 300 * artifacts.length;
  }
  return units;
}

function unitsOfGrants({ grants }: CallGrants): number {
  let units = 0;
  for (const grant of grants) {
    units += FRAME_UNITS;
    if (grant.grant !== 'recorded') continue;
    units += 300 * (grant.files?.length ?? 0) + (grant.body && 'text' in grant.body ? grant.body.text.length : 0);
  }
  return units;
}

/** About how long the JSON of a reply is, without making it; only assignments and records are ever long. */
function unitsOf(reply: CommandReply): number {
  if (reply.outcome !== 'accepted' && reply.outcome !== 'duplicate') return FRAME_UNITS + reply.message.length;
  const result = reply.result as unknown as Partial<Assignment & CallGrants & CompletionReply> | undefined;
  if (typeof result !== 'object' || result === null) return FRAME_UNITS;
  if (result.next !== undefined) return result.next.reduce((units, next) => units + unitsOfAssignment(next), FRAME_UNITS);
  if (result.results !== undefined) return FRAME_UNITS + unitsOfAssignment(result as Assignment);
  return FRAME_UNITS + (result.grants === undefined ? 0 : unitsOfGrants(result as CallGrants));
}

/** @returns the first replies, as many as fit; all of them, as a rule */
export function fitReplies(replies: CommandReply[]): CommandReply[] {
  let units = 0;
  for (const reply of replies) units += unitsOf(reply);
  // Text takes up to three bytes for each of its units, and some of them are written with a backslash.
  if (replies.length < 2 || units * 3 <= LIMIT_BYTES) return replies;
  let bytes = 0;
  const next = replies.findIndex((reply) => (bytes += utf8Bytes(JSON.stringify(reply)) + 1) > LIMIT_BYTES);
  return next === -1 ? replies : replies.slice(0, Math.max(1, next));
}
