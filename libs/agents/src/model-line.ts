/**
 * Asks models: the one that is wanted, the same again after a fault that passes, the agent's fallbacks after one that does not, and the cheaper
 * one when the budget says so. A resumed attempt follows its forerunner: where that one had moved on to another model, so does this one.
 */
import { CadreError } from '@cadre/contracts';
import type { AgentDefinition, Assignment } from '@cadre/contracts';
import { pause } from '@cadre/engine';
import type { Chance, Clock } from '@cadre/engine';
import { abortError } from './abort.js';
import type { AnsweredCall, CallDesk, CallEnd } from './call-desk.js';
import { callRetryDelayMs, nextModel } from './call-retry.js';
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

type Question = Omit<ModelRequest, 'model' | 'callKey'>;

/** Where a call belongs: its place, all that led to it, and whether the attempt can do without it. */
interface Place {
  path: string;
  origin: string;
  optional: boolean;
}

export class ModelLine {
  /** What is asked now: the name, or undefined for the port's default. */
  private current: string | undefined;
  private readonly chain: (string | undefined)[];
  private degraded: string | undefined;
  /** A model that the run asks for stays. */
  private readonly underLoad: AgentDefinition['underLoad'];

  constructor(private readonly parts: ModelLineParts) {
    const { assignment, agent } = parts;
    this.underLoad = assignment.model === undefined ? agent.underLoad : undefined;
    // What the run asks for goes before the definition: a run is replayed with another model by its option.
    this.current = assignment.model ?? agent.model;
    this.chain = [this.current, ...agent.fallbackModels.filter((model) => model !== this.current)];
    // A degraded task asks as it did before: what is on record is given, and for the rest the owner names the cheaper model again.
    this.degraded = assignment.degradedTo;
  }

  /** The model that the budget, or a server without room, has brought the task to. */
  get degradedTo(): string | undefined {
    return this.degraded;
  }

  /**
   * Rejects with the model's error once nothing is left to try.
   * @param origin digest of all that led to this request
   * @param need `optional`: if no budget is left for it, it rejects with `model-unaffordable`, and the attempt may go on
   */
  async ask(question: Question, origin: string, need: 'needed' | 'optional' = 'needed'): Promise<ModelReply> {
    const place: Place = { path: this.parts.calls.nextPath(), origin, optional: need === 'optional' };
    for (let failed: string[] = [], tries = 0; ;) {
      const asked = this.current;
      const end = await this.askOne(asked, question, place);
      if (end.kind === 'answered') return readReply(end.text);
      if (end.kind === 'degrade') {
        this.degrade(end.model);
        [failed, tries] = [[], 0];
        continue;
      }
      const error = asCadreError(end.error);
      if (error.code === 'model-busy' && this.underLoad) {
        this.degrade(this.underLoad.model);
        [failed, tries] = [[], 0];
        continue;
      }
      tries += 1;
      if (await this.waited(error, tries)) continue;
      failed.push(this.nameOf(asked, question));
      const names = this.chain.map((model) => this.nameOf(model, question));
      const next = nextModel(names, failed, error);
      if (next === undefined) throw error;
      [this.current, tries] = [next, 0];
    }
  }

  private askOne(model: string | undefined, question: Question, place: Place): Promise<CallEnd> {
    const request = this.requestOf(model, question, place);
    const { calls, model: port } = this.parts;
    return calls.make(
      request,
      async (callKey, signal, onHeld) => {
        const { tenant } = this.parts.assignment;
        const asked = { ...question, messages: [...question.messages], model: request.name, callKey, tenant, onHeld };
        const raw = await port.complete({ ...asked, ...this.patience() }, signal());
        const reply = soundReply(raw, this.parts.agent.thinking !== undefined);
        const { inputTokens, outputTokens, costMicros } = reply;
        return {
          ok: reply.finish !== 'refusal',
          text: writeReply(reply),
          note: describeReply(reply),
          inputTokens,
          outputTokens,
          costMicros,
        };
      },
      () => this.recallFrom(this.others(model), question, place),
    );
  }

  /** Once degraded there is nothing to hurry to. */
  private patience(): Pick<ModelRequest, 'patienceMs'> {
    return this.underLoad && this.degraded === undefined ? { patienceMs: this.underLoad.waitMs } : {};
  }

  /** What may have been asked instead. */
  private others(model: string | undefined): (string | undefined)[] {
    const all = this.underLoad && this.degraded === undefined ? [...this.chain, this.underLoad.model] : this.chain;
    return all.filter((other, place) => other !== model && all.indexOf(other) === place);
  }

  private async recallFrom(models: (string | undefined)[], question: Question, place: Place): Promise<AnsweredCall | undefined> {
    const found = await this.parts.calls.recall(models.map((model) => this.requestOf(model, question, place)));
    if (!found) return undefined;
    const model = models[found.index];
    if (model !== undefined && model === this.underLoad?.model) this.degrade(model);
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
    const { clock, chance, signal } = this.parts;
    const waitMs = callRetryDelayMs(error, tries, () => chance.random());
    if (waitMs === undefined) return false;
    await pause(clock, waitMs, signal);
    if (signal.aborted) throw abortError(signal);
    return true;
  }

  private requestOf(model: string | undefined, question: Question, { path, origin, optional }: Place): CallRequest {
    const quote = this.parts.model.quote(model === undefined ? question : { ...question, model });
    const effort = question.effort === undefined ? '' : ` ${question.effort}`;
    const input = `${quote.model} ${question.temperature}${effort} ${origin}`;
    const { maxCostMicros } = quote;
    const marks = { ...(!quote.priced && { unpriced: true }), ...(optional && { optional }) };
    return { kind: 'model', name: quote.model, effect: 'none', path, input, maxCostMicros, ...marks };
  }

  private nameOf(model: string | undefined, question: Question): string {
    return model ?? this.parts.model.quote(question).model;
  }
}

function asCadreError(error: unknown): CadreError {
  if (error instanceof CadreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CadreError('model-failed', message.slice(0, 1000), { retriable: true, cause: error });
}
