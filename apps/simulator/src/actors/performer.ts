/**
 * What agents do: a few model and tool calls one after the other, then an answer. The same task and round make the same calls, as an agent
 * whose model is deterministic would; how it ends may differ from attempt to attempt.
 */
import { CadreError, PLAN_TASK } from '@cadre/contracts';
import { delegateWork } from '@cadre/agents';
import type { Performance, Performer, Work } from '@cadre/agents';
import { pause, type Blobs } from '@cadre/engine';
import type { Dice } from '../chance.js';
import type { Life } from '../life.js';
import type { Outside } from '../outside/outside.js';
import { diceOf, MODELS, TOOLS } from './calls.js';
import { drawDelegation } from './delegations.js';
import { modelAgent } from './model-agent.js';
import { drawPlan } from './plans.js';

const LONG_BODY = 'x'.repeat(1500);

/** One task in three is done by production's agent loop with a model, the others by code that makes calls of its own. */
export function simulatedPerformer(life: Life, outside: Outside, blobs: Blobs): Performer {
  const withModel = modelAgent(life, outside, blobs);
  return (work) => {
    const { runId, taskId } = work.assignment;
    return diceOf(`${runId}/${taskId}`).chance(0.34) ? withModel(work) : new Performing(life, outside, work).perform();
  };
}

/** What a server says that limits or loads, with a time or without. */
function serverTrouble(luck: Dice): CadreError {
  const named = luck.chance(0.5) ? { retryAfterMs: luck.pick([10, 900, 3000, 20_000]) } : {};
  return new CadreError(luck.pick(['model-loading', 'model-rate-limited']), 'not now', { retriable: true, billed: 'no', ...named });
}

class Performing {
  #model: string;
  #degradedTo: string | undefined;
  /** All that was answered so far; part of what the next call is asked. */
  #known = '';

  constructor(
    private readonly life: Life,
    private readonly outside: Outside,
    private readonly work: Work,
  ) {
    this.#model = work.assignment.degradedTo ?? work.assignment.model ?? 'dear';
  }

  async perform(): Promise<Performance> {
    const { assignment, signal } = this.work;
    const { runId, taskId, round, attempt } = assignment;
    const dice = diceOf(`${runId}/${taskId}/${round}`);
    const luck = diceOf(`${runId}/${taskId}/${attempt}`);
    const calls = dice.int(0, 4);
    if (luck.chance(0.12)) await pause(this.life.clock, luck.int(500, 3500), signal);
    for (let i = 0; i < calls; i += 1) {
      await this.#call(dice, i);
      if (luck.chance(0.3)) await pause(this.life.clock, luck.int(1, 200), signal);
      if (luck.chance(0.03)) throw new CadreError('tool-failed', 'it broke', { retriable: luck.chance(0.7) });
      if (luck.chance(0.04)) throw serverTrouble(luck);
    }
    const given = drawDelegation(dice, assignment);
    if (given) this.#known += JSON.stringify(await delegateWork(this.work.calls, given.name, given.args));
    if (luck.chance(0.04)) throw new CadreError('malformed-output', 'that is no answer', { retriable: true });
    const plan = taskId === PLAN_TASK && luck.chance(0.8) ? { plan: { plan: drawPlan(luck, false) } } : {};
    return {
      answer: `${this.#known.length}`,
      ...(luck.chance(0.9) && { confidence: luck.random() }),
      ...plan,
      ...(this.#degradedTo && { degradedTo: this.#degradedTo }),
    };
  }

  async #call(dice: Dice, index: number): Promise<void> {
    const granted = Object.keys(TOOLS).filter((name) => this.work.assignment.tools.includes(name)) as (keyof typeof TOOLS)[];
    const name = dice.pick(['model', 'model', ...granted] as const);
    if (name === 'model') this.#known += await this.#ask(dice.chance(0.2), this.work.calls.nextPath());
    else {
      const effect = TOOLS[name];
      const input = effect === 'none' ? [index, this.#known] : [dice.int(0, 2)];
      const answer = await this.work.calls.call<string>({
        ...{ name, effect, input, maxCostMicros: name === 'pay' ? 50 : 0, costOf: () => (name === 'pay' ? 20 : 0) },
        run: ({ key }) =>
          this.outside.call(this.life, {
            key,
            name,
            place: this.#place(`${name} ${index}`),
            effect: effect !== 'none',
            answer: () => `done ${name}`,
          }),
      });
      this.#known += answer;
    }
  }

  #place(at: string): string {
    const { runId, taskId, round } = this.work.assignment;
    return `${runId}/${taskId}/${round} ${at}`;
  }

  /** One model call, tried again as long as it fails without a bill. */
  async #ask(long: boolean, path: string): Promise<string> {
    for (let tries = 1; ; tries += 1) {
      const name = this.#model;
      const maxCostMicros = (MODELS[name as keyof typeof MODELS] as number | undefined) ?? 0;
      const request = {
        kind: 'model' as const,
        name,
        effect: 'none' as const,
        path,
        input: `${name} ${this.#known}`,
        maxCostMicros,
        // Half of the tasks make do with less, where there is no more.
        ...(diceOf(this.#place('less')).chance(0.5) && { minCostMicros: Math.ceil(maxCostMicros / 3) }),
        unpriced: !Object.hasOwn(MODELS, name),
      };
      const end = await this.work.calls.make(request, async (key, _signal, _hold, mostMicros = maxCostMicros) => {
        const text = await this.outside.call(this.life, {
          key,
          name,
          place: this.#place(`${name} ${path}`),
          effect: false,
          answer: () => (long ? LONG_BODY : `said ${path}`),
        });
        return { ok: true, text, note: 'a note', inputTokens: 10, outputTokens: 10, costMicros: Math.floor(mostMicros / 2) };
      });
      if (end.kind === 'answered') return end.text;
      if (end.kind === 'degrade') this.#model = this.#degradedTo = end.model;
      else if (tries > 2) throw end.error;
    }
  }
}
