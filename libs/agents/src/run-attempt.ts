/**
 * The agent loop: ask the model, answer its tool calls, ask again, until it gives its final message or a limit ends the attempt. All calls
 * go through the call desk, so the loop of a later attempt runs through what is on record and goes on where the record ends. For that it
 * must not depend on anything but the assignment and the answers.
 */
import { CadreError, MEMORY_TOOL } from '@cadre/contracts';
import { untilAborted } from './abort.js';
import { AnswerAccount } from './answer-account.js';
import { AttemptLimits } from './attempt-limits.js';
import type { AttemptMeans } from './attempt-means.js';
import { canonicalJson } from './canonical.js';
import { openConversation, repairMessage, systemText } from './conversation.js';
import { mostTokens } from './dense-text.js';
import { FinalDesk } from './final-desk.js';
import type { FinalReply } from './final-reading.js';
import { readFinal } from './final-reply.js';
import { Footing } from './footing.js';
import { ThinkingForms } from './lighter-agent.js';
import { AttemptMemory } from './memory/attempt-memory.js';
import { ModelLine } from './model-line.js';
import type { Question } from './model-line.js';
import { responseSchemaFor } from './model-schemas.js';
import { OutputRoom } from './output-room.js';
import type { Performance, Work } from './performer.js';
import type { ModelMessage, ModelReply } from './ports.js';
import { CallIds, soundTurn } from './sound-turn.js';
import { reviewMessage } from './thinking-text.js';
import { Thoughts } from './thoughts.js';
import { ToolDesk } from './tool-desk.js';
import { AttemptWindow } from './window/attempt-window.js';

/** An answer that is reviewed. */
interface Draft {
  reply: ModelReply;
  /** From 1. */
  round: number;
}

type Review = { ok: true; final: FinalReply; reply: ModelReply } | { ok: false; why: string };

/**
 * Works on one attempt to its end. Errors, beside those of the model port and of the record: `malformed-output`, `plan-invalid`,
 * `no-tool-called`, `tools-not-granted`, `model-refused`, `step-limit`, `token-limit`, `effect-unknown`, and the signal's. The loop has no
 * timer: deadlines come by the signal.
 */
export async function runAttempt(work: Work, means: AttemptMeans): Promise<Performance> {
  return new AttemptLoop(work, means).run();
}

class AttemptLoop {
  private readonly desk: ToolDesk;
  private readonly line: ModelLine;
  private readonly responseSchema: ReturnType<typeof responseSchemaFor>;
  private readonly thoughts: Thoughts | undefined;
  private readonly memory: AttemptMemory | undefined;
  private readonly forms: ThinkingForms;
  private readonly account: AnswerAccount | undefined;
  private readonly room: OutputRoom;
  private readonly ids = new CallIds();
  private readonly finals: FinalDesk;
  private messages: ModelMessage[] = [];
  /** Digest of all that was said so far; each message adds to it, so that a long conversation is not read again and again. */
  private origin = '';
  /** Where the conversation was before its model was asked to correct itself. */
  private sound: { messages: number; origin: string } | undefined;
  private readonly limits: AttemptLimits;
  private readonly window: AttemptWindow;

  constructor(
    private readonly work: Work,
    private readonly means: AttemptMeans,
  ) {
    const { assignment, agent, calls, signal } = work;
    const { model, tools, files, clock, chance, memories } = means;
    this.desk = new ToolDesk(assignment.tools, tools, calls, files);
    this.responseSchema = responseSchemaFor(assignment.kind, agent.thinking !== undefined, assignment.account !== undefined);
    this.account = assignment.kind === 'answer' ? new AnswerAccount(assignment, means) : undefined;
    this.thoughts = agent.thinking && new Thoughts(agent.thinking);
    this.forms = new ThinkingForms(agent);
    this.room = new OutputRoom(agent.limits);
    const line = () => new ModelLine({ model, calls, agent, assignment, clock, chance, signal });
    this.line = line();
    this.limits = new AttemptLimits(agent.limits, this.desk.schemas().length > 0);
    this.window = new AttemptWindow({ work, desk: this.desk, line: this.line, summaries: line() });
    const footing = Footing.of(agent, assignment, this.desk);
    this.finals = new FinalDesk({ work, footing, room: this.room, moveOn: () => this.line.moveOn() });
    // A task that says which tools may be used does without a memory unless it names it.
    if (agent.memory && memories && assignment.tools.includes(MEMORY_TOOL)) {
      this.memory = new AttemptMemory(work, agent.memory, { memories, clock, line: line() });
    }
  }

  async run(): Promise<Performance> {
    await this.open();
    for (;;) {
      const notice = this.limits.next();
      if (notice) this.say(notice);
      const reply = await this.askModel();
      if (this.cameToNothing(reply)) continue;
      refuseRefusal(reply);
      if (reply.toolCalls.length > 0) {
        await this.answerTools(reply);
        continue;
      }
      const final = this.conclude(reply);
      if (!final) continue;
      const concluded = this.thoughts ? await this.reviewed(final, reply, this.thoughts) : final;
      const untold = await this.account?.look(concluded);
      if (untold) {
        this.say(soundTurn({ ...reply, toolCalls: [] }), untold);
        continue;
      }
      const last = this.account?.settle(concluded) ?? concluded;
      // Before the result is told: the next task of this agent may begin as soon as it is.
      await this.memory?.add(last.answer);
      return this.performance(last);
    }
  }

  private async open(): Promise<void> {
    const { work, means } = this;
    const remembered = await this.memory?.open();
    this.limits.steps += remembered?.steps ?? 0;
    this.limits.tokens += remembered?.tokens ?? 0;
    const memory = remembered?.message;
    const opening = openConversation({ ...work, readContent: means.readContent, memory, now: means.clock.now() });
    this.messages = await untilAborted(opening, work.signal);
    this.window.opened(this.messages.length);
    this.origin = work.calls.digest(this.subject() + (memory?.text ?? ''));
  }

  /** It was asked together with others, and what came for it cannot be used: the same is asked again, alone. */
  private cameToNothing({ tasks, text }: ModelReply): boolean {
    return tasks !== undefined && !this.finals.isReadable(text);
  }

  private performance(final: FinalReply): Performance {
    const { degradedTo, reducedTo } = this.line;
    const less = { ...(degradedTo !== undefined && { degradedTo }), ...(reducedTo && { reducedTo }) };
    const mark = this.limits.wrappedUp ? { mark: 'limit-reached' as const } : {};
    return { ...mark, ...final, ...(this.thoughts && { thinking: this.thoughts.trace() }), ...less };
  }

  /**
   * What the conversation is about. The date, the catalogue of agents and the results of other tasks are told to the model but left out
   * here: they may be others when a later attempt begins, and its forerunner's calls are worth no less for it.
   */
  private subject(): string {
    const { assignment, agent } = this.work;
    const { goal, title, instructions, input, inputs, previousError, resultSchema, peers, shares } = assignment;
    const wishes = Object.values({ resultSchema, peers, shares }).filter((wish) => wish !== undefined);
    const files = inputs.map(({ name, sha256 }) => [name, sha256]);
    const asked = [systemText(agent, assignment), goal, title, instructions, input ?? null, files, previousError ?? null];
    return canonicalJson([...asked, ...wishes]);
  }

  private say(...messages: ModelMessage[]): void {
    this.messages.push(...messages);
    this.origin = this.work.calls.digest(`${this.origin}${JSON.stringify(messages)}`);
  }

  /** @param draft what is reviewed, and in which round */
  private async askModel(draft?: Draft): Promise<ModelReply> {
    const { limits } = this;
    limits.steps += 1;
    const reply = await this.window.ask((reduced) => this.question(reduced, draft), this.messages, this.origin);
    limits.took(reply);
    this.thoughts?.heard(limits.steps, reply);
    return { ...reply, toolCalls: this.ids.unique(reply.toolCalls, limits.steps) };
  }

  /** @returns undefined for a review that the agent, when it thinks less, does without */
  private question(reduced: boolean, draft: Draft | undefined): Question | undefined {
    const { forms, thoughts } = this;
    if (draft && draft.round > forms.reviews(reduced)) return undefined;
    const wanted = forms.effort(reduced);
    const effort = thoughts ? thoughts.affordable(wanted) : wanted;
    // Before the tools are told: what the view shortens is there to be read again.
    const messages = forms.told(this.window.view(this.messages), reduced);
    return {
      temperature: this.work.agent.temperature,
      ...(effort !== undefined && { effort }),
      maxOutputTokens: this.outputRoom(effort !== undefined, draft?.reply),
      messages,
      tools: this.limits.wrappedUp ? [] : this.desk.schemas(),
      responseSchema: this.responseSchema,
      ...this.togetherWith(),
    };
  }

  /**
   * The first call of a first attempt may be made with those of others: what is tried again is asked alone, so that what spoils a call for
   * several spoils it once.
   */
  private togetherWith(): Pick<Question, 'batch'> {
    const { agent, assignment } = this.work;
    const { tenant, runId, kind, attempt } = assignment;
    if (!agent.batch || this.limits.steps > 1 || attempt > 1 || kind !== 'work' || this.desk.schemas().length > 0) return {};
    return { batch: { group: JSON.stringify([tenant, runId, agent.name]), ...agent.batch } };
  }

  /**
   * What a server reasons by itself counts as output, so it comes on top of what the answer may take.
   * @param draft what is reviewed: the reply may take as much, and what is left for thoughts
   */
  private outputRoom(reasons: boolean, draft: ModelReply | undefined): number {
    const thinking = this.thoughts?.left ?? 0;
    const most = this.room.left + (reasons ? thinking : 0);
    const wanted = draft ? Math.max(draft.outputTokens, mostTokens(draft.text.length)) + thinking : most;
    return Math.max(1, Math.min(most, wanted, this.limits.left));
  }

  /** The reply after its reviews. What comes of a review counts only if it can be used; no review makes an attempt fail. */
  private async reviewed(first: FinalReply, reply: ModelReply, thoughts: Thoughts): Promise<FinalReply> {
    thoughts.concluded(reply.text, first.confidence);
    let [kept, draft] = [first, reply];
    for (let round = 1; round <= this.reviews; round += 1) {
      const over = this.whyNoReview(thoughts);
      const review = over === undefined ? await this.review({ reply: draft, round }) : { ok: false as const, why: over };
      if (!review.ok) {
        thoughts.ended(`Review ${round} of ${this.forms.reviews(false)} brought nothing. ${review.why}`);
        break;
      }
      [kept, draft] = [review.final, review.reply];
      thoughts.concluded(draft.text, kept.confidence);
    }
    return kept;
  }

  /** How often the answer is reviewed: seldomer when the server of the model has no room. */
  private get reviews(): number {
    return this.forms.reviews(this.line.reducedTo !== undefined);
  }

  private whyNoReview(thoughts: Thoughts): string | undefined {
    if (thoughts.left === 0) return 'The budget for thinking is spent.';
    return this.limits.reached ? "The agent's limit is reached." : undefined;
  }

  private async review(draft: Draft): Promise<Review> {
    this.say(soundTurn({ ...draft.reply, toolCalls: [] }), reviewMessage(draft.round, this.reviews));
    try {
      const reply = await this.askModel(draft);
      refuseRefusal(reply);
      if (reply.toolCalls.length > 0) return { ok: false, why: 'The model called tools instead.' };
      const { assignment, catalogue } = this.work;
      const cutOff = reply.finish === 'length';
      const reading = readFinal(reply.text, { kind: assignment.kind, form: 'json', cutOff, catalogue });
      return reading.ok ? { ok: true, final: reading.reply, reply } : reading;
    } catch (error) {
      const ofModel = error instanceof CadreError && error.code.startsWith('model-');
      if (!ofModel || this.work.signal.aborted) throw error;
      return { ok: false, why: error.message };
    }
  }

  private async answerTools(reply: ModelReply): Promise<void> {
    const cutOff = reply.finish === 'length';
    if (cutOff) this.room.raise();
    this.say(soundTurn(reply));
    const answers = await this.desk.answerTurn(reply.toolCalls, this.origin, cutOff);
    this.say(...answers.map((answer, place) => this.window.toolMessage(reply.toolCalls[place]!.id, answer)));
  }

  /** The final reply; undefined after a model was asked for it again. */
  private conclude(reply: ModelReply): FinalReply | undefined {
    const conclusion = this.finals.judge(reply);
    if (conclusion.kind === 'final') return conclusion.final;
    if (conclusion.kind === 'afresh') {
      const { messages, origin } = this.sound ?? { messages: this.messages.length, origin: this.origin };
      this.messages.splice(messages);
      this.origin = origin;
      this.sound = undefined;
      return undefined;
    }
    this.sound ??= { messages: this.messages.length, origin: this.origin };
    // Servers refuse empty turns.
    const turn = reply.text.trim() === '' ? [] : [soundTurn(reply)];
    this.say(...turn, repairMessage(conclusion.why));
    return undefined;
  }
}

function refuseRefusal({ finish, text, model }: ModelReply): void {
  if (finish !== 'refusal') return;
  throw new CadreError('model-refused', `The model ${model} refused the task: ${text.slice(0, 1000) || '(no reason given)'}`);
}
