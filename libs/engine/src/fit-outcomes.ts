/** Keeps an assignment small enough for one message, whatever the tasks before it have answered. */
import { fitsBytes, utf8Bytes } from '@cadre/contracts';
import type { Content, Json, TaskOutcome } from '@cadre/contracts';
import { prefixOfBytes } from './run/compose-answer.js';

const LIMIT_BYTES = 400 * 1024;
/** Together with the task's own input. */
const WITH_INPUT_BYTES = 800 * 1024;
const SHORTENED = '\n\n… (shortened; the whole text is in the result of this task)';
const LEAST_BYTES = 200;
/** No character takes more bytes of JSON than this, as `\\u0000` does; names and marks of a field take less than this much. */
const BYTES_PER_UNIT = 6;
const FRAME_BYTES = 300;
const ARTIFACT_BYTES = 400;

function atMost({ title, answer, error, artifacts }: TaskOutcome): number {
  const text = answer === undefined ? '' : 'text' in answer ? answer.text : answer.preview;
  return (title.length + text.length + (error?.length ?? 0)) * BYTES_PER_UNIT + FRAME_BYTES + artifacts.length * ARTIFACT_BYTES;
}

function jsonBytes(outcome: TaskOutcome): number {
  return utf8Bytes(JSON.stringify(outcome)) + 1;
}

function shortened(answer: Content, bytes: number): Content {
  if (!('text' in answer) || fitsBytes(answer.text, bytes)) return answer;
  return { text: prefixOfBytes(answer.text, bytes) + SHORTENED };
}

function roomBeside(input: Json | undefined): number {
  return input === undefined ? LIMIT_BYTES : Math.min(LIMIT_BYTES, WITH_INPUT_BYTES - utf8Bytes(JSON.stringify(input)));
}

/**
 * @param input what else the message holds
 * @returns the outcomes; where they are too much for a message, with long answers shortened alike and, if need be, without the last ones
 */
export function fitOutcomes(outcomes: TaskOutcome[], input?: Json): TaskOutcome[] {
  if (outcomes.length === 0) return outcomes;
  const limit = roomBeside(input);
  if (outcomes.reduce((sum, outcome) => sum + atMost(outcome), 0) <= limit) return outcomes;
  let left = limit - outcomes.reduce((sum, outcome) => sum + jsonBytes(outcome), 0);
  if (left >= 0) return outcomes;
  const each = Math.max(LEAST_BYTES, Math.floor(limit / outcomes.length / 2));
  left = limit;
  const fitting: TaskOutcome[] = [];
  for (const outcome of outcomes) {
    const { answer, ...rest } = outcome;
    const fitted = answer === undefined ? rest : { ...rest, answer: shortened(answer, each) };
    left -= jsonBytes(fitted);
    if (left < 0) break;
    fitting.push(fitted);
  }
  return fitting;
}
