/** Parts the reply to a request for several tasks: to each its answer, and its share of what was used. */
import { z } from 'zod';
import { finalObject } from '../final-reply.js';
import type { ModelReply, ModelRequest } from '../ports.js';
import { splitExactly } from './exact-split.js';
import { ownText } from './merged-request.js';

/** Models write numbers as text at times. */
const Numbered = z.looseObject({
  task: z.union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,3}$/)
      .transform(Number),
  ]),
});
const Answers = z.looseObject({ answers: z.array(z.unknown()) });

/** What tokens cost, by its ratio. */
export interface TokenWeights {
  input: number;
  output: number;
}

/**
 * The answer to each of so many tasks, as the text that a model asked for it alone would have sent; undefined where there is none, or more than one.
 * Of a reply that was cut off the answers before the cut count.
 */
export function readAnswers(text: string, count: number): (string | undefined)[] {
  const parsed = Answers.safeParse(finalObject(text));
  const found = new Map<number, string | undefined>();
  for (const item of parsed.success ? parsed.data.answers : wholeObjects(text)) {
    const numbered = Numbered.safeParse(item);
    if (!numbered.success) continue;
    const { task, ...reply } = numbered.data;
    found.set(task, found.has(task) ? undefined : JSON.stringify(reply));
  }
  return Array.from({ length: count }, (_, place) => found.get(place + 1));
}

/**
 * @param requests that were asked together
 * @param most what each of them may cost
 * @returns one reply for each, empty where there is no answer; their tokens and costs add up to those of the whole
 */
export function partReply(
  reply: ModelReply,
  requests: readonly ModelRequest[],
  most: readonly number[],
  weights: TokenWeights,
): ModelReply[] {
  const texts = readAnswers(reply.text, requests.length);
  const lengths = texts.map((text) => text?.length ?? 0);
  const inputs = splitExactly(
    reply.inputTokens,
    requests.map((request) => ownText(request).length),
  );
  const outputs = splitExactly(reply.outputTokens, lengths);
  const priced = inputs.map((input, place) => input * weights.input + outputs[place]! * weights.output);
  const costs = splitExactly(reply.costMicros, priced, most);
  const reasoning = reply.reasoningTokens === undefined ? undefined : splitExactly(reply.reasoningTokens, lengths);
  const { model, priced: hasPrice, estimated } = reply;
  return texts.map((text = '', place) => ({
    ...{ model, text, toolCalls: [], finish: 'stop', priced: hasPrice, tasks: requests.length },
    ...{ inputTokens: inputs[place]!, outputTokens: outputs[place]!, costMicros: costs[place]! },
    ...(reasoning && { reasoningTokens: reasoning[place]! }),
    ...(estimated && { estimated }),
  }));
}

/** The objects within the first list of a text, as far as they are whole. */
function wholeObjects(text: string): unknown[] {
  const list = text.indexOf('[');
  const found: unknown[] = [];
  let [depth, start, quoted] = [0, 0, false];
  for (let at = list + 1; list >= 0 && at < text.length; at += 1) {
    const sign = text[at];
    if (quoted) {
      if (sign === '\\') at += 1;
      else if (sign === '"') quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === '{' && (depth += 1) === 1) start = at;
    else if (sign === '}' && (depth -= 1) === 0) found.push(...parsedOf(text.slice(start, at + 1)));
    else if (sign === ']' && depth === 0) break;
  }
  return found;
}

function parsedOf(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}
