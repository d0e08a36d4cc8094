/** Parts the reply to a request for several tasks: to each its answer, and its share of what was used. */
import { z } from 'zod';
import { objectsIn } from '../loose-json.js';
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

/** What tokens cost, by its ratio. */
export interface TokenWeights {
  input: number;
  output: number;
}

/**
 * The answer to each of so many tasks, as the text that a model asked for it alone would have sent; undefined where there is none, or more
 * than one. Of a reply that was cut off the answers before the cut count.
 */
export function readAnswers(text: string, count: number): (string | undefined)[] {
  const found = new Map<number, string | undefined>();
  for (const item of itemsIn(text)) {
    const numbered = Numbered.safeParse(item);
    if (!numbered.success) continue;
    const { task, ...reply } = numbered.data;
    found.set(task, found.has(task) ? undefined : JSON.stringify(reply));
  }
  return Array.from({ length: count }, (_, place) => found.get(place + 1));
}

function itemsIn(text: string): unknown[] {
  const objects = objectsIn(text).map(({ value }) => value);
  const lists = objects.map(({ answers }) => answers).filter((answers) => Array.isArray(answers));
  return lists[0] ?? objects.reverse();
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
