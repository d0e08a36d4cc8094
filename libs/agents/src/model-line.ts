/**
 * Asks models: the one that is wanted, the same again after a fault that passes, the agent's fallbacks after one that does not, and the
 * cheaper one when the budget says so. When calls have to wait too long, the agent goes on with what it has given up for that: its model,
 * some of its thought, or both. A resumed attempt follows its forerunner: where that one had moved on, so does this one.
 */
import { CadreError } from '@cadre/contracts';
import type { AgentDefinition, Assignment, ReducedThinking } from '@cadre/contracts';
import { pause } from '@cadre/engine';
import type { Chance, Clock } from '@cadre/engine';
import { abortError } from './abort.js';
import type { AnsweredCall, CallDesk, CallEnd } from './call-desk.js';
import { attemptError, billedOf, callRetryDelayMs, nextModel } from './call-retry.js';
import { reductionOf } from './lighter-agent.js';
import type { ModelPort, ModelReply, ModelRequest } from './ports.js';
import { describeReply, readReply, soundReply, writeReply } from './recorded-reply.js';
import type { CallRequest } from './settlement.js';

export interface ModelLineParts {
  model: ModelPort;
  calls: CallDesk;
  agent: AgentDefinition;
  assignment: Assignment;
  clock: Clock;
  chance: Pick<Chance, 'random'>;
  signal: AbortSignal;
}

export type Question = Omit<ModelRequest, 'model' | 'callKey'>;
/** What is asked, by whether the agent thinks less; undefined: then nothing is asked. */
export type QuestionForm = (reduced: boolean) => Question | undefined;

/** What a window is kept free for: a part of it, however much the model may write. */
const OUTPUT_SHARE = 4;

export interface AskOptions {
  /** `optional`: if no budget is left for it, it rejects with `model-unaffordable`, and the attempt may go on. */
  need?: 'needed' | 'optional';
  /** Where the call stands in the work of the task; default: the next place. */
  path?: string;
}

/** One question, through all tries. */
interface Asking {
  form: QuestionForm;
  path: string;
  /** Digest of all that led to it. */
  origin: string;
  /** The attempt can do without it. */
  optional: boolean;
  /** Not together with others, whatever it says. */
  alone: boolean;
}

/** How a question may be asked. */
interface Way {
  /** Undefined for the port's default. */
  model: string | undefined;
  /** The agent thinks less. */
  reduced: boolean;
}

export class ModelLine {
  /** What is asked now: the name, or undefined for the port's default. */
  private current: string | undefined;
  private readonly chain: (string | undefined)[];
  private degraded: string | undefined;
  private reduced = false;

  constructor(private readonly parts: ModelLineParts) {
    const { assignment, agent } = parts;
    // What the run asks for goes before the definition: a run is replayed with another model by its option.
    this.current = assignment.model ?? agent.model;
    this.chain = [this.current, ...agent.fallbackModels.filter((model) => model !== this.current)];
    // A degraded task asks as it did before: what is on record is given, and for the rest the owner names the cheaper model again.
    this.degraded = assignment.degradedTo;
    this.beginWithLess();
  }

  /** The model that the budget, or a server without room, has brought the task to. */
  get degradedTo(): string | undefined {
    return this.degraded;
  }

  /** How much less the agent thinks, since a server without room has brought it to that. */
  get reducedTo(): ReducedThinking | undefined {
    return this.reduced ? reductionOf(this.parts.agent) : undefined;
  }

  /**
   * Rejects with the model's error once nothing is left to try.
   * @param origin digest of all that led to this request
   */
  async ask(
    form: QuestionForm,
    origin: string,
    { need = 'needed', path = this.parts.calls.nextPath() }: AskOptions = {},
  ): Promise<ModelReply> {
    const asking: Asking = { form, path, origin, optional: need === 'optional', alone: false };
    for (let failed = new Map<string, CadreError>(), tries = 0; ;) {
      const asked = this.current;
      const end = await this.askOne({ model: asked, reduced: this.reduced }, asking);
      if (end.kind === 'answered') return readReply(end.text);
      if (end.kind === 'degrade') {
        this.degrade(end.model);
        [failed, tries] = [new Map(), 0];
        continue;
      }
      const error = asCadreError(end.error);
      // What was surely not sent may be sent together again.
      asking.alone ||= error.code === 'model-batch-refused' || billedOf(error) !== 'no';
      if (error.code === 'model-batch-refused') continue;
      if (error.code === 'model-busy') {
        if (!this.giveUp(form)) throw error;
        [failed, tries] = [new Map(), 0];
        continue;
      }
      tries += 1;
      if (await this.waited(error, tries)) continue;
      failed.set(this.nameOf(asked, form), error);
      const names = this.chain.map((model) => this.nameOf(model, form));
      const next = nextModel(names, [...failed.keys()], error);
      if (next === undefined) throw attemptError([...failed.values()]) ?? error;
      [this.current, tries] = [next, 0];
    }
  }

  /** Tokens of input that the model which is asked now has room for; undefined: nobody knows. */
  inputRoom(form: QuestionForm): number | undefined {
    const question = form(this.reduced);
    if (!question) return undefined;
    const { model: port } = this.parts;
    const { contextTokens, maxOutputTokens } = port.quote(this.current === undefined ? question : { ...question, model: this.current });
    return contextTokens === undefined ? undefined : contextTokens - Math.min(maxOutputTokens, Math.ceil(contextTokens / OUTPUT_SHARE));
  }

  /** Goes on with the next model of the agent: what this one writes is of no use. @returns whether there is one */
  moveOn(): boolean {
    const next = this.chain[this.chain.indexOf(this.current) + 1];
    if (next === undefined) return false;
    this.current = next;
    return true;
  }

  private askOne(way: Way, asking: Asking): Promise<CallEnd> {
    const { batch, ...question } = formed(asking.form, way.reduced);
    const request = this.requestOf(way, question, asking);
    const { calls, model: port } = this.parts;
    return calls.make(
      request,
      async (callKey, signal, onHeld, mostMicros) => {
        const { tenant } = this.parts.assignment;
        const whole = { ...question, messages: [...question.messages], model: request.name, callKey, tenant, onHeld };
        const asked = mostMicros === undefined ? whole : { ...whole, maxOutputTokens: outputWithin(port, whole, mostMicros) };
        const together = batch && !asking.alone ? { batch } : {};
        const raw = await port.complete({ ...asked, ...this.patience(), ...together }, signal());
        const reply = soundReply(raw, this.parts.agent.thinking !== undefined);
        const { inputTokens, outputTokens, costMicros } = reply;
        return {
          ok: reply.finish !== 'refusal',
          text: writeReply(reply),
          note:
            mostMicros === undefined
              ? describeReply(reply)
              : `${describeReply(reply)} (the budget left ${asked.maxOutputTokens} tokens for it)`,
          inputTokens,
          outputTokens,
          costMicros,
        };
      },
      () => this.recallFrom(this.others(way), asking),
    );
  }

  /** The task has been without a slot for longer than the agent lets tasks wait as they are. */
  private beginWithLess(): void {
    const { assignment, agent } = this.parts;
    const { queuedMs } = assignment;
    const { spare } = this;
    if (!spare || queuedMs === undefined || queuedMs < (agent.underLoad?.queueMs ?? Infinity)) return;
    this.reduced = spare.reduced;
    if (spare.model !== undefined) this.degrade(spare.model);
  }

  /**
   * What the agent has left to give up for not having to wait; undefined: nothing. A model that the run asks for, or that the budget
   * leaves, stays.
   */
  private get spare(): Way | undefined {
    const { underLoad } = this.parts.agent;
    if (!underLoad || this.parts.assignment.underLoad === 'never') return undefined;
    const mayMove = this.parts.assignment.model === undefined && this.degraded === undefined;
    const model = mayMove ? underLoad.model : undefined;
    const thinksLess = !this.reduced && reductionOf(this.parts.agent) !== undefined;
    return model === undefined && !thinksLess ? undefined : { model, reduced: this.reduced || thinksLess };
  }

  /** @returns whether the same is to be asked again, in the way that is left */
  private giveUp(form: QuestionForm): boolean {
    const { spare } = this;
    if (!spare) return false;
    this.reduced = spare.reduced;
    if (form(this.reduced) === undefined) return false;
    if (spare.model !== undefined) this.degrade(spare.model);
    return true;
  }

  /** Where nothing is left to give up there is nothing to hurry to. */
  private patience(): Pick<ModelRequest, 'patienceMs'> {
    const patienceMs = this.parts.agent.underLoad?.waitMs;
    return patienceMs !== undefined && this.spare ? { patienceMs } : {};
  }

  /** How the same may have been asked instead. */
  private others(way: Way): Way[] {
    const { chain, reduced, spare } = this;
    const ways = chain.map((model) => ({ model, reduced }));
    if (spare) ways.push(...(spare.model === undefined ? chain : [spare.model]).map((model) => ({ model, reduced: spare.reduced })));
    const nameOf = (each: Way) => `${each.reduced} ${each.model}`;
    const names = ways.map(nameOf);
    return ways.filter((other, place) => nameOf(other) !== nameOf(way) && names.indexOf(nameOf(other)) === place);
  }

  private async recallFrom(ways: Way[], asking: Asking): Promise<AnsweredCall | undefined> {
    const asked = ways.flatMap((way) => {
      const question = asking.form(way.reduced);
      return question ? [{ way, request: this.requestOf(way, question, asking) }] : [];
    });
    const found = await this.parts.calls.recall(asked.map(({ request }) => request));
    if (!found) return undefined;
    const { model, reduced } = asked[found.index]!.way;
    const { spare } = this;
    this.reduced = reduced;
    if (model !== undefined && model === spare?.model && reduced === spare.reduced) this.degrade(model);
    else this.current = model;
    return found.end;
  }

  /** From here on nothing dearer is asked, whatever happens. */
  private degrade(model: string): void {
    this.degraded = model;
    this.current = model;
    this.chain.splice(0, this.chain.length, model);
  }

  private async waited(error: CadreError, tries: number): Promise<boolean> {
    const { clock, chance, signal, assignment } = this.parts;
    const waitMs = assignment.waited ? undefined : callRetryDelayMs(error, tries, () => chance.random());
    if (waitMs === undefined) return false;
    await pause(clock, waitMs, signal);
    if (signal.aborted) throw abortError(signal);
    return true;
  }

  private requestOf({ model, reduced }: Way, question: Question, { path, origin, optional }: Asking): CallRequest {
    const quote = this.parts.model.quote(model === undefined ? question : { ...question, model });
    const effort = question.effort === undefined ? '' : ` ${question.effort}`;
    // Less thought is another call also where the server is asked for the same: whoever resumes is to see it.
    const input = `${quote.model} ${question.temperature}${effort}${reduced ? ' reduced' : ''} ${origin}`;
    const { maxCostMicros, minCostMicros } = quote;
    const marks = {
      ...(!quote.priced && { unpriced: true }),
      ...(optional && { optional }),
      ...(minCostMicros !== undefined && { minCostMicros }),
    };
    return { kind: 'model', name: quote.model, effect: 'none', path, input, maxCostMicros, ...marks };
  }

  private nameOf(model: string | undefined, form: QuestionForm): string {
    return model ?? this.parts.model.quote(formed(form, this.reduced)).model;
  }
}

/** How many output tokens a request may ask for without costing more. */
function outputWithin(port: ModelPort, request: ModelRequest, mostMicros: number): number {
  let [fits, tooMany] = [1, request.maxOutputTokens];
  while (tooMany - fits > 1) {
    const maxOutputTokens = Math.floor((fits + tooMany) / 2);
    if (port.quote({ ...request, maxOutputTokens }).maxCostMicros <= mostMicros) fits = maxOutputTokens;
    else tooMany = maxOutputTokens;
  }
  return fits;
}

/** Whoever asks has looked before whether there is something to ask. */
function formed(form: QuestionForm, reduced: boolean): Question {
  const question = form(reduced);
  if (!question) throw new Error('a model was to be asked nothing');
  return question;
}

function asCadreError(error: unknown): CadreError {
  if (error instanceof CadreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CadreError('model-failed', message.slice(0, 1000), { retriable: true, cause: error });
}
