/**
 * The agent loop: ask the model, answer its tool calls, ask again, until it gives its final JSON object or a limit ends the attempt. All calls go
 * through the call desk, so the loop of a later attempt runs through what is on record and goes on where the record ends. For that it must not
 * depend on anything but the assignment and the answers.
 */
import { CadreError } from '@cadre/contracts';
import type { Content } from '@cadre/contracts';
import type { Chance, Clock } from '@cadre/engine';
import { untilAborted } from './abort.js';
import { canonicalJson } from './canonical.js';
import { openConversation, repairMessage, systemText } from './conversation.js';
import { readFinal, responseSchemaFor } from './final-reply.js';
import type { FinalReply } from './final-reply.js';
import { ModelLine } from './model-line.js';
import type { Performance, Work } from './performer.js';
import type { FileRecord, ModelMessage, ModelPort, ModelReply, Tool, ToolCall } from './ports.js';
import { ToolDesk } from './tool-desk.js';

const MAX_REPAIRS = 2;
const MAX_PLAN_REPAIRS = 1;
/** Output tokens of one model call. */
const MAX_OUTPUT_TOKENS = 8192;

/** What the loop works with. */
export interface AttemptMeans {
  model: ModelPort;
  /** All tools at hand; the assignment says which of them may be called. */
  tools: Tool[];
  /** Of the workspace that the tools write to. */
  files?: FileRecord;
  clock: Clock;
  chance: Pick<Chance, 'random'>;
  /** The whole text of an earlier answer. */
  readContent(content: Content): Promise<string>;
}

/**
 * Works on one attempt to its end. Errors, beside those of the model port and of the record: `malformed-output`, `plan-invalid`, `model-refused`,
 * `step-limit`, `token-limit`, `effect-unknown`, and the signal's. The loop has no timer: deadlines come by the signal.
 */
export async function runAttempt(work: Work, means: AttemptMeans): Promise<Performance> {
  return new AttemptLoop(work, means).run();
}

class AttemptLoop {
  private readonly desk: ToolDesk;
  private readonly line: ModelLine;
  private readonly responseSchema: ReturnType<typeof responseSchemaFor>;
  private messages: ModelMessage[] = [];
  /** Digest of all that was said so far; each message adds to it, so that a long conversation is not read again and again. */
  private origin = '';
  private repairs = 0;
  private planRepairs = 0;
  private steps = 0;
  /** Of recorded calls too: a limit ends each attempt of a round at the same place. */
  private tokens = 0;

  constructor(
    private readonly work: Work,
    private readonly means: AttemptMeans,
  ) {
    const { assignment, agent, calls, signal } = work;
    const { model, tools, files, clock, chance } = means;
    this.desk = new ToolDesk(assignment.tools, tools, calls, files);
    this.responseSchema = responseSchemaFor(assignment.kind);
    this.line = new ModelLine({ model, calls, agent, assignment, clock, chance, signal });
  }

  async run(): Promise<Performance> {
    const { signal } = this.work;
    this.messages = await untilAborted(openConversation({ ...this.work, readContent: this.means.readContent }), signal);
    this.origin = this.work.calls.digest(this.subject());
    for (;;) {
      this.checkLimits();
      const reply = await this.askModel();
      if (reply.finish === 'refusal') {
        const reason = reply.text.slice(0, 1000) || '(no reason given)';
        throw new CadreError('model-refused', `The model ${reply.model} refused the task: ${reason}`);
      }
      if (reply.toolCalls.length > 0) {
        await this.answerTools(reply);
        continue;
      }
      const final = this.readReply(reply);
      const { degradedTo } = this.line;
      if (final) return { ...final, ...(degradedTo !== undefined && { degradedTo }) };
    }
  }

  /**
   * What the conversation is about. The catalogue of agents and the results of other tasks are told to the model but left out here: more of them
   * may be there when a later attempt begins, and its forerunner's calls are worth no less for it.
   */
  private subject(): string {
    const { assignment, agent } = this.work;
    const { kind, goal, title, instructions, input, inputs, previousError } = assignment;
    const files = inputs.map(({ name, sha256 }) => [name, sha256]);
    return canonicalJson([systemText(agent, kind), goal, title, instructions, input ?? null, files, previousError ?? null]);
  }

  private say(...messages: ModelMessage[]): void {
    this.messages.push(...messages);
    this.origin = this.work.calls.digest(`${this.origin}${JSON.stringify(messages)}`);
  }

  private checkLimits(): void {
    const { maxSteps, maxTokens } = this.work.agent.limits;
    if (this.steps >= maxSteps) throw new CadreError('step-limit', `No final answer after ${maxSteps} model calls, the agent's limit.`);
    if (this.tokens >= maxTokens) throw new CadreError('token-limit', `No final answer within ${maxTokens} tokens, the agent's limit.`);
  }

  private async askModel(): Promise<ModelReply> {
    const { agent } = this.work;
    this.steps += 1;
    const question = {
      temperature: agent.temperature,
      maxOutputTokens: Math.max(1, Math.min(MAX_OUTPUT_TOKENS, agent.limits.maxTokens - this.tokens)),
      messages: this.messages,
      tools: this.desk.schemas(),
      responseSchema: this.responseSchema,
    };
    const reply = await this.line.ask(question, this.origin);
    this.tokens += reply.inputTokens + reply.outputTokens;
    return { ...reply, toolCalls: withUniqueIds(reply.toolCalls, this.steps) };
  }

  private async answerTools(reply: ModelReply): Promise<void> {
    this.say({ role: 'assistant', text: reply.text, toolCalls: reply.toolCalls.map(withSoundArguments) });
    for (const [position, call] of reply.toolCalls.entries()) {
      const text = await this.desk.answer(call, position, this.origin);
      this.say({ role: 'tool', toolCallId: call.id, text });
    }
  }

  /** The final reply, or undefined after the model was asked to repair it. */
  private readReply(reply: ModelReply): FinalReply | undefined {
    const reading = readFinal(reply.text, this.work.assignment.kind, this.work.catalogue);
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
    this.say({ role: 'assistant', text: reply.text, toolCalls: [] }, repairMessage(why));
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
