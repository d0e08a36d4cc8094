/**
 * The agent loop: ask the model, answer its tool calls, ask again, until it gives its final JSON object or a limit ends the attempt.
 * It never throws: whatever the model, the tools or the outside do, the attempt ends as completed or failed, with what it used.
 */
import { CadreError } from '@cadre/contracts';
import type { AgentDefinition, AgentSummary, Assignment, CallRecord, Content, Failure, Usage } from '@cadre/contracts';
import { abortError, failureOf, untilAborted } from './abort.js';
import { CallLedger } from './call-ledger.js';
import { openConversation, repairMessage } from './conversation.js';
import { readFinal, responseSchemaFor } from './final-reply.js';
import type { FinalReply } from './final-reply.js';
import type { ModelMessage, ModelPort, ModelReply, ModelRequest, Tool, ToolCall } from './ports.js';
import { ToolDesk } from './tool-desk.js';

const MAX_REPAIRS = 2;
const MAX_PLAN_REPAIRS = 1;
/** Output tokens of one model call. */
const MAX_OUTPUT_TOKENS = 8192;

export interface AttemptInput {
  assignment: Assignment;
  agent: AgentDefinition;
  model: ModelPort;
  /** All tools at hand; the agent's grant decides which of them it may call. */
  tools: Tool[];
  /** Milliseconds since 1970. */
  clock: { now(): number };
  /** Told of each call as it finishes, in order. Must not throw. */
  onCall(record: CallRecord): void;
  /** The whole text of an earlier answer. */
  readContent(content: Content): Promise<string>;
  /** For planning: the agents at hand. */
  catalogue?: AgentSummary[];
  /** Stops the attempt. A `CadreError` as its reason becomes the failure. The loop has no timer: deadlines within a call come by this. */
  signal: AbortSignal;
}

export type AttemptOutcome =
  | ({ kind: 'completed'; usage: Usage } & FinalReply)
  /**
   * Codes beside those of the model port: `malformed-output`, `plan-invalid`, `model-refused`, `step-limit`, `token-limit`,
   * `time-limit`, `aborted`, `attempt-failed`.
   */
  | { kind: 'failed'; error: Failure; usage: Usage };

/** Works on one attempt to its end. Never rejects. */
export async function runAttempt(input: AttemptInput): Promise<AttemptOutcome> {
  const ledger = new CallLedger(input.clock, input.onCall);
  try {
    const reply = await new AttemptLoop(input, ledger).run();
    return { kind: 'completed', ...reply, usage: ledger.usage };
  } catch (error) {
    const cause = input.signal.aborted ? abortError(input.signal) : error;
    return { kind: 'failed', error: failureOf(cause, 'attempt-failed'), usage: ledger.usage };
  }
}

class AttemptLoop {
  private readonly desk: ToolDesk;
  private readonly startedAt: number;
  private messages: ModelMessage[] = [];
  private repairs = 0;
  private planRepairs = 0;
  private steps = 0;

  constructor(
    private readonly input: AttemptInput,
    private readonly ledger: CallLedger,
  ) {
    this.desk = new ToolDesk(input.agent, input.tools);
    this.startedAt = input.clock.now();
  }

  async run(): Promise<FinalReply> {
    this.messages = await untilAborted(openConversation(this.input), this.input.signal);
    for (;;) {
      this.checkLimits();
      const reply = await this.askModel();
      if (reply.finish === 'refusal') {
        throw new CadreError(
          'model-refused',
          `The model ${reply.model} refused the task: ${reply.text.slice(0, 1000) || '(no reason given)'}`,
        );
      }
      if (reply.toolCalls.length > 0) await this.answerTools(reply);
      else {
        const final = this.readReply(reply);
        if (final) return final;
      }
    }
  }

  private checkLimits(): void {
    const { signal, clock, agent } = this.input;
    const { maxSteps, maxTokens, maxMs } = agent.limits;
    if (signal.aborted) throw abortError(signal);
    if (this.steps >= maxSteps) throw new CadreError('step-limit', `No final answer within ${maxSteps} model calls, the agent's limit.`);
    if (this.ledger.tokens >= maxTokens) {
      throw new CadreError(
        'token-limit',
        `No final answer within ${maxTokens} tokens, the agent's limit; ${this.ledger.tokens} were used.`,
      );
    }
    if (clock.now() - this.startedAt >= maxMs) {
      throw new CadreError('time-limit', `No final answer within ${maxMs} ms, the agent's limit.`, { retriable: true });
    }
  }

  private async askModel(): Promise<ModelReply> {
    const { model, signal, clock } = this.input;
    const request = this.request();
    const startedAt = clock.now();
    this.steps += 1;
    try {
      const raw = await untilAborted(
        Promise.resolve().then(() => model.complete(request, signal)),
        signal,
      );
      const reply = { ...raw, toolCalls: withUniqueIds(raw.toolCalls, this.steps) };
      this.ledger.model({ name: raw.model, ok: raw.finish !== 'refusal', note: describeReply(reply), startedAt }, raw);
      return reply;
    } catch (error) {
      const { code, message } = failureOf(error, 'model-failed');
      this.ledger.model({ name: request.model ?? 'default', ok: false, note: `${code}: ${message}`, startedAt });
      throw error instanceof CadreError ? error : new CadreError('model-failed', message, { retriable: true, cause: error });
    }
  }

  private request(): ModelRequest {
    const { assignment, agent } = this.input;
    // What the run asks for goes before the definition: a run is replayed with another model by its option.
    const model = assignment.model ?? agent.model;
    return {
      ...(model !== undefined && { model }),
      temperature: agent.temperature,
      maxOutputTokens: Math.max(1, Math.min(MAX_OUTPUT_TOKENS, agent.limits.maxTokens - this.ledger.tokens)),
      messages: [...this.messages],
      tools: this.desk.schemas(),
      responseSchema: responseSchemaFor(assignment.kind),
    };
  }

  private async answerTools(reply: ModelReply): Promise<void> {
    const { assignment, signal, clock } = this.input;
    this.messages.push({ role: 'assistant', text: reply.text, toolCalls: reply.toolCalls.map(withSoundArguments) });
    for (const [position, call] of reply.toolCalls.entries()) {
      const startedAt = clock.now();
      const key = `${assignment.runId}/${assignment.taskId}/${assignment.attempt}/${this.ledger.calls + 1}`;
      const answer = await this.desk.answer(call, position, key, signal);
      this.ledger.tool({ name: call.name, ok: answer.ok, note: answer.note, startedAt });
      this.messages.push({ role: 'tool', toolCallId: call.id, text: answer.text });
    }
  }

  /** The final reply, or undefined after the model was asked to repair it. */
  private readReply(reply: ModelReply): FinalReply | undefined {
    const reading = readFinal(reply.text, this.input.assignment.kind, this.input.catalogue);
    if (reading.ok) return reading.reply;
    const why =
      reply.finish === 'length' ? `Your message was cut off because it was too long. Send a shorter one. ${reading.why}` : reading.why;
    if (reading.fault === 'invalid-plan') {
      if (this.planRepairs >= MAX_PLAN_REPAIRS) throw new CadreError('plan-invalid', `The model gave no valid plan. ${reading.why}`);
      this.planRepairs += 1;
    } else {
      if (this.repairs >= MAX_REPAIRS) {
        throw new CadreError('malformed-output', `The model's final message stayed malformed after ${MAX_REPAIRS} repairs. ${why}`, {
          retriable: true,
        });
      }
      this.repairs += 1;
    }
    this.messages.push({ role: 'assistant', text: reply.text, toolCalls: [] }, repairMessage(why));
    return undefined;
  }
}

/** Model servers refuse a conversation whose calls have no id of their own. */
function withUniqueIds(calls: ToolCall[], step: number): ToolCall[] {
  const seen = new Set<string>();
  return calls.map((call, position) => {
    const id = call.id !== '' && !seen.has(call.id) ? call.id : `call_${step}_${position + 1}`;
    seen.add(id);
    return { ...call, id };
  });
}

/** Some servers parse the arguments in the history and fail on broken ones; the tool's answer quotes what was sent. */
function withSoundArguments(call: ToolCall): ToolCall {
  try {
    JSON.parse(call.arguments);
    return call;
  } catch {
    return { ...call, arguments: '{}' };
  }
}

function describeReply(reply: ModelReply): string {
  return reply.estimated ? `${describeFinish(reply)} (tokens estimated)` : describeFinish(reply);
}

function describeFinish(reply: ModelReply): string {
  if (reply.finish === 'refusal') return 'refused';
  if (reply.toolCalls.length > 0) return `calls ${reply.toolCalls.map((call) => call.name).join(', ')}`;
  return reply.finish === 'length' ? 'cut off at the output limit' : 'final message';
}
