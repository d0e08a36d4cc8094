/**
 * An agent with a model: production's agent loop with a model that decides by the key of each call, so that every attempt of a round hears
 * the same.
 */
import {
  delegatingTools,
  runAttempt,
  type ModelPort,
  type ModelQuote,
  type ModelReply,
  type ModelRequest,
  type Performer,
  type Tool,
  type Work,
} from '@cadre/agents';
import { CadreError, PLAN_TASK } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';
import { readText } from '@cadre/agents';
import { z } from 'zod';
import type { Life } from '../life.js';
import type { Outside } from '../outside/outside.js';
import { diceOf, effectOf, MODELS, TOOLS } from './calls.js';
import { drawDelegation } from './delegations.js';
import { drawPlan } from './plans.js';

const TIMEOUT_MS = 3000;
/** Where an agent's definition says nothing. */
const USUAL_TOKENS = 8192;
/** How often a call costs more than was set aside. */
const OVERCHARGED = 0.03;
const MODEL_FAULTS = { refused: 'model-rate-limited', broke: 'model-unavailable' };
const Args = z.object({ n: z.number() });

export function modelAgent(life: Life, outside: Outside, blobs: Blobs): Performer {
  const { clock, chance } = life;
  return (work) =>
    runAttempt(work, {
      model: new SimModel(life, outside, work),
      tools: [...Object.keys(TOOLS).map((name) => toolOf(name, life, outside)), ...delegatingTools(work.calls)],
      clock,
      chance,
      readContent: (content) => readText(content, blobs),
    });
}

function toolOf(name: string, life: Life, outside: Outside): Tool<z.infer<typeof Args>> {
  const effect = effectOf(name);
  return {
    ...{ name, effect, description: name, parameters: Args },
    run: (_args, { key }) => outside.call(life, { key, name, place: key, effect: effect !== 'none', answer: () => `done ${name}` }),
  };
}

/** Of an answer of at most so many tokens; the price of a model is that of an answer of the usual length. */
function priceOf(model: string, maxOutputTokens: number): number | undefined {
  const price = MODELS[model as keyof typeof MODELS] as number | undefined;
  return price === undefined ? undefined : Math.ceil((price * maxOutputTokens) / USUAL_TOKENS);
}

class SimModel implements ModelPort {
  constructor(
    private readonly life: Life,
    private readonly outside: Outside,
    private readonly work: Work,
  ) {}

  quote({ model = 'dear', maxOutputTokens }: ModelRequest): ModelQuote {
    const price = priceOf(model, maxOutputTokens);
    // Half of the tasks make do with a shorter answer, where there is no money for a whole one.
    const { runId, taskId } = this.work.assignment;
    const least = diceOf(`${runId}/${taskId} less`).chance(0.5) ? { minCostMicros: priceOf(model, maxOutputTokens / 4) ?? 0 } : {};
    return { model, maxInputTokens: 1000, maxOutputTokens, maxCostMicros: price ?? 0, ...least, priced: price !== undefined };
  }

  complete(request: ModelRequest): Promise<ModelReply> {
    const { model = 'dear', callKey: key = '', messages } = request;
    const { runId, taskId, round } = this.work.assignment;
    const turn = messages.filter((message) => message.role === 'assistant').length;
    const place = `${runId}/${taskId}/${round} ${model} turn ${turn} of ${messages.length}`;
    const answered = this.outside.call(this.life, {
      ...{ key, name: model, place, effect: false, faults: MODEL_FAULTS },
      answer: () => this.#reply(request, model, key, turn),
    });
    return new Promise((resolve, reject) => {
      const late = new CadreError('model-timeout', 'the model does not answer', { retriable: true });
      const cancel = this.life.clock.after(TIMEOUT_MS, () => reject(late));
      answered.then(resolve, reject).finally(cancel);
    });
  }

  #reply({ tools, maxOutputTokens }: ModelRequest, model: string, key: string, turn: number): ModelReply {
    const dice = diceOf(key);
    const price = priceOf(model, maxOutputTokens);
    // Now and then a server bills more than was set aside. From dice of its own: what the model says must not depend on it.
    const billed = diceOf(`${key} bill`).chance(OVERCHARGED) ? 3 : 0.5;
    const counts = { inputTokens: 100, outputTokens: 20, costMicros: Math.floor((price ?? 0) * billed), priced: price !== undefined };
    const reply = { model, text: '', toolCalls: [], finish: 'stop' as const, ...counts };
    if (dice.chance(0.02)) return { ...reply, text: 'no', finish: 'refusal' };
    if (dice.chance(0.05)) return { ...reply, text: 'this is not what was asked for' };
    const given = turn < 4 ? drawDelegation(dice, this.work.assignment) : undefined;
    if (given) {
      const call = { id: 'c0', name: given.name, arguments: JSON.stringify(given.args) };
      return { ...reply, toolCalls: [call], finish: 'tool-calls' };
    }
    const own = tools.filter(({ name }) => Object.hasOwn(TOOLS, name));
    if (turn < 4 && own.length > 0 && dice.chance(0.6)) {
      const toolCalls = Array.from({ length: dice.int(1, 2) }, (_, position) => {
        return { id: `c${position}`, name: dice.pick(own).name, arguments: JSON.stringify({ n: dice.int(0, 2) }) };
      });
      return { ...reply, toolCalls, finish: 'tool-calls' };
    }
    const final =
      this.work.assignment.taskId === PLAN_TASK
        ? { plan: drawPlan(dice, false) }
        : { answer: 'x'.repeat(dice.int(1, 2500)), confidence: dice.random() };
    return { ...reply, text: JSON.stringify(final) };
  }
}
