/**
 * Makes one call of several that are asked for together, where their requests say so. Each of them stays a call of its own in the log: its
 * attempt has reserved its upper bound before it comes here, and settles its share of what was used. So nothing of this is known to anyone
 * but the worker.
 */
import { CadreError } from '@cadre/contracts';
import type { Clock } from '@cadre/engine';
import { abortError } from '../abort.js';
import type { ModelPort, ModelQuote, ModelReply, ModelRequest } from '../ports.js';
import { Gathering } from './gathering.js';
import { groupOf, mergeRequests, ownText } from './merged-request.js';
import { partReply } from './shared-reply.js';

export interface BatchingModelParts {
  clock: Pick<Clock, 'after'>;
  /** So many calls can be at hand at once. */
  most: number;
  /** A digest of the text: at least 32 hex digits. */
  digest(text: string): string;
}

interface Member {
  request: ModelRequest;
  signal: AbortSignal;
}
type Outcome = PromiseSettledResult<ModelReply>;

/** Of the tasks of one call: with more it would soon be too long for a model. */
const MOST_CHARACTERS = 100_000;
/** What is wrong with the whole need not be wrong with each. */
const OF_THE_CONTENT: ReadonlySet<string> = new Set(['model-context-exceeded', 'model-rejected', 'model-refused']);

export class BatchingModel implements ModelPort {
  private readonly gathering: Gathering<Member, ModelReply>;

  constructor(
    private readonly inner: ModelPort,
    private readonly parts: BatchingModelParts,
  ) {
    const { clock, most } = parts;
    this.gathering = new Gathering({ clock, most, perform: (members) => this.perform(members) });
  }

  quote(request: ModelRequest): ModelQuote {
    return this.inner.quote(request);
  }

  /**
   * Errors: those of the port within; `model-batch-refused` when the server did not take a call for several tasks. An empty reply with
   * `tasks`: there is no answer.
   */
  complete(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const { batch } = request;
    if (!batch) return this.inner.complete(request, signal);
    request.onHeld?.(true);
    const wish = { group: groupOf(request), max: batch.maxTasks, waitMs: batch.waitMs };
    return this.gathering.join(wish, { request, signal }, signal);
  }

  /** Up to its first call nothing is waited for: until then who leaves has asked nothing. */
  private async perform(members: Member[]): Promise<Outcome[]> {
    for (const { request } of members) request.onHeld?.(false);
    return (await Promise.all(chunksOf(members).map((chunk) => this.askTogether(chunk)))).flat();
  }

  /** Never rejects. Who leaves while the call waits to be sent is not in it; who leaves later is, and its answer is for nobody. */
  private async askTogether(members: Member[]): Promise<Outcome[]> {
    for (;;) {
      const staying = members.filter(({ signal }) => !signal.aborted);
      const merged = this.merge(staying.map(({ request }) => request));
      const outcomes = merged ? await this.ask(merged, staying) : await this.askEach(staying);
      if (!outcomes) continue;
      return members.map((member): Outcome => {
        const left: Outcome = { status: 'rejected', reason: abortError(member.signal) };
        return outcomes[staying.indexOf(member)] ?? left;
      });
    }
  }

  private askEach(members: Member[]): Promise<Outcome[]> {
    return Promise.allSettled(members.map(({ request, signal }) => this.inner.complete(request, signal)));
  }

  /** Undefined where they have to be asked for one by one. */
  private merge(requests: ModelRequest[]): ModelRequest | undefined {
    const merged = requests.length > 1 ? mergeRequests(requests) : undefined;
    if (!merged) return undefined;
    // What was reserved for each is all that there is.
    const reserved = requests.reduce((sum, request) => sum + this.quote(request).maxCostMicros, 0);
    if (this.quote(merged).maxCostMicros > reserved) return undefined;
    const keys = requests.map(({ callKey = '' }) => callKey).join(' ');
    return { ...merged, callKey: this.parts.digest(keys).slice(0, 32) };
  }

  /** @returns undefined when one has left before the call was sent: then it is to be asked without it */
  private async ask(merged: ModelRequest, members: Member[]): Promise<Outcome[] | undefined> {
    const stop = new AbortController();
    let held = false;
    const allLeft = () => members.every(({ signal }) => signal.aborted);
    const onLeave = () => {
      if (held || allLeft()) stop.abort();
    };
    const onHeld = (now: boolean) => {
      held = now;
      for (const { request } of members) request.onHeld?.(now);
    };
    for (const { signal } of members) signal.addEventListener('abort', onLeave);
    try {
      const reply = await this.inner.complete({ ...merged, onHeld }, stop.signal);
      return this.part(reply, merged, members);
    } catch (error) {
      if (stop.signal.aborted && !allLeft()) return undefined;
      const reason = errorOfAll(error, members.length);
      return members.map(() => ({ status: 'rejected', reason }));
    } finally {
      for (const { signal } of members) signal.removeEventListener('abort', onLeave);
    }
  }

  private part(reply: ModelReply, merged: ModelRequest, members: Member[]): Outcome[] {
    const requests = members.map(({ request }) => request);
    const whole = this.quote(merged);
    const inputAlone = this.quote({ ...merged, maxOutputTokens: 0 });
    const weights = {
      input: inputAlone.maxCostMicros / Math.max(1, inputAlone.maxInputTokens),
      output: (whole.maxCostMicros - inputAlone.maxCostMicros) / Math.max(1, whole.maxOutputTokens),
    };
    const most = requests.map((request) => this.quote(request).maxCostMicros);
    return partReply(reply, requests, most, weights).map((value) => ({ status: 'fulfilled', value }));
  }
}

function chunksOf(members: Member[]): Member[][] {
  const chunks: Member[][] = [];
  let room = 0;
  for (const member of members) {
    const length = ownText(member.request).length;
    const last = chunks.at(-1);
    if (last && length <= room) last.push(member);
    else {
      chunks.push([member]);
      room = MOST_CHARACTERS;
    }
    room -= length;
  }
  return chunks;
}

function errorOfAll(error: unknown, tasks: number): unknown {
  if (!(error instanceof CadreError) || !OF_THE_CONTENT.has(error.code)) return error;
  const message = `One call for ${tasks} tasks was not taken, so each is asked for alone. ${error.message}`;
  return new CadreError('model-batch-refused', message, { retriable: true, billed: error.billed ?? 'unknown', cause: error });
}
