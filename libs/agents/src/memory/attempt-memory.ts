/**
 * An attempt's part in its agent's memory: it reads it before the work begins, sums up what has become too much, and adds what it was asked
 * and answered. Reading and adding are recorded calls, and so is the summary: a later attempt begins with the very same memory, whatever
 * others have added meanwhile. No memory is worth a task: a store that does not answer, or a summary that fails, leaves the agent with less
 * to remember.
 */
import { CadreError, MEMORY_TOOL, MemoryRecord } from '@cadre/contracts';
import type { CallKey, MemorySettings } from '@cadre/contracts';
import { compacted, fitted, memoryTokens, olderMessages, summaryRoom } from '@cadre/engine';
import type { AgentMemories, Clock, Compaction, MemoryOwner } from '@cadre/engine';
import { failureOf } from '../abort.js';
import { mostTokens } from '../dense-text.js';
import { inTime } from '../in-time.js';
import type { ModelLine } from '../model-line.js';
import type { Work } from '../performer.js';
import type { ModelMessage } from '../ports.js';
import type { CallRequest } from '../settlement.js';
import { askedText, memoryMessage, summaryRequest } from './memory-text.js';

/** Longest time that the store may take, once for each of its calls. */
const STORE_MS = 5000;
/** Output tokens of a summary. */
const SUMMARY_TOKENS = { least: 400, most: 8192 };
/** Of the tokens that the agent's limit allows an attempt. */
const MOST_FOR_SUMMARY = 0.5;

export interface MemoryMeans {
  memories: AgentMemories;
  clock: Clock;
  /** For the summary alone: which model it was given leaves the work itself as it is. */
  line: ModelLine;
}

export interface OpenedMemory {
  /** Undefined: there is nothing to remember yet. */
  message?: ModelMessage;
  /** Model calls that were made for it, and their tokens. */
  steps: number;
  tokens: number;
}

interface Summary {
  text: string;
  tokens: number;
}

export class AttemptMemory {
  private readonly owner: MemoryOwner;

  constructor(
    private readonly work: Pick<Work, 'assignment' | 'agent' | 'calls' | 'signal'>,
    private readonly settings: MemorySettings,
    private readonly means: MemoryMeans,
  ) {
    const { assignment, agent } = work;
    const { scope, shareWith } = settings;
    this.owner = { agent: agent.name, ...(scope === 'run' && { runId: assignment.runId }), shareWith };
  }

  async open(): Promise<OpenedMemory> {
    const { tenant } = this.work.assignment;
    const request = this.request(this.work.calls.nextPath(), `read ${this.owner.agent}`);
    const text = await this.recorded(request, async () => JSON.stringify((await this.means.memories.open(tenant, this.owner)) ?? null));
    const read = MemoryRecord.safeParse(JSON.parse(text)).data;
    if (!read) return { steps: 0, tokens: 0 };
    const { memory, ...used } = await this.fit(read, this.work.calls.digest(text));
    return { ...used, ...((memory.messages.length > 0 || memory.summary !== undefined) && { message: memoryMessage(memory) }) };
  }

  /** Adds what the task asked and what the agent has answered; made once, however many attempts come to the same answer. */
  async add(answered: string): Promise<void> {
    const { assignment, calls } = this.work;
    const { runId, taskId, tenant } = assignment;
    const input = `add ${calls.digest(answered)}`;
    const request: CallRequest = { ...this.request(calls.effectPath(MEMORY_TOOL, input), input), effect: 'idempotent' };
    const of = { runId, taskId, asked: askedText(assignment, this.settings.scope === 'tenant'), answered };
    await this.recorded(request, async (key) => {
      await this.means.memories.add(tenant, this.owner, { ...of, key, at: this.means.clock.now() });
      return JSON.stringify({ added: taskId });
    });
  }

  /** @param origin digest of what was read */
  private async fit(read: MemoryRecord, origin: string): Promise<{ memory: MemoryRecord; steps: number; tokens: number }> {
    const { settings, owner } = this;
    const older = olderMessages(read, settings);
    if (memoryTokens(read) <= settings.maxTokens || older.length === 0) return { memory: fitted(read, settings), steps: 0, tokens: 0 };
    const summary = await this.summaryOf(read, older, origin);
    if (!summary) return { memory: fitted(read, settings), steps: 0, tokens: 0 };
    const { text, tokens } = summary;
    const compaction: Compaction = { taken: [...new Set(older.map(({ key }) => key))], before: read.summary, summary: text };
    await this.keep(compaction);
    const memory = compacted(read, compaction, settings);
    if (!memory) throw new Error(`the memory of ${owner.agent} does not hold what was summed up`);
    return { memory: fitted(memory, settings), steps: 1, tokens };
  }

  /** Undefined, for all attempts of the round: no model has given one. */
  private async summaryOf(read: MemoryRecord, older: MemoryRecord['messages'], origin: string): Promise<Summary | undefined> {
    const { calls, assignment, agent, signal } = this.work;
    // Too little would be left of the limits for the task itself.
    const { maxSteps, maxTokens } = agent.limits;
    if (maxSteps < 2 || memoryTokens(read) > MOST_FOR_SUMMARY * maxTokens) return undefined;
    // The model may answer the next time. What an attempt did without its successor does without, or their later calls would differ.
    const without = this.request(calls.nextPath(), `without ${origin}`);
    if (assignment.attempt > 1 && (await calls.recall([without]))) {
      // The place of the summary, which was asked for then.
      calls.nextPath();
      return undefined;
    }
    const room = summaryRoom(this.settings);
    const messages = summaryRequest(agent.name, read.summary, older, room);
    const { least, most } = SUMMARY_TOKENS;
    const maxOutputTokens = Math.min(most, Math.max(least, mostTokens(room)));
    let why = 'no text';
    try {
      const question = { temperature: agent.temperature, maxOutputTokens, messages, tools: [] };
      const reply = await this.means.line.ask(() => question, `summary ${origin}`, { need: 'optional' });
      const text = reply.text.trim();
      if (text !== '' && reply.finish !== 'refusal') return { text, tokens: reply.inputTokens + reply.outputTokens };
    } catch (error) {
      if (signal.aborted || !(error instanceof CadreError) || !error.code.startsWith('model-')) throw error;
      why = error.message;
    }
    await this.recorded(without, async () => JSON.stringify({ error: `Older messages could not be summed up: ${why}` }));
    return undefined;
  }

  /** Unlike the summary this need not succeed: the next attempt would sum up the same, and more. */
  private async keep(compaction: Compaction): Promise<void> {
    const { memories } = this.means;
    const { tenant } = this.work.assignment;
    await this.inTime(memories.compact(tenant, this.owner, compaction, this.settings)).catch(() => undefined);
  }

  private request(path: string, input: string): CallRequest {
    return { kind: 'tool', name: MEMORY_TOOL, effect: 'none', path, input, maxCostMicros: 0 };
  }

  /** The answer as JSON; `{error}` when the store has not answered in time. */
  private async recorded(request: CallRequest, run: (key: CallKey) => Promise<string>): Promise<string> {
    const end = await this.work.calls.make(request, async (key) => {
      const text = await this.inTime(run(key)).catch((error: unknown) => JSON.stringify({ error: failureOf(error, 'memory').message }));
      const { error } = (JSON.parse(text) ?? {}) as { error?: string };
      return { ok: error === undefined, text, note: error ?? request.input.split(' ', 1)[0]! };
    });
    if (end.kind === 'answered') return end.text;
    throw end.kind === 'failed' ? end.error : new CadreError('grants-invalid', 'A memory has no other model.');
  }

  private inTime<T>(work: Promise<T>): Promise<T> {
    return inTime(this.means.clock, STORE_MS, "The store of agents' memories", work);
  }
}
