/**
 * How an attempt asks its model within the window: it makes the conversation fit before it asks, and once more when the server says that it
 * does not.
 */
import { CadreError } from '@cadre/contracts';
import type { ModelLine, QuestionForm } from '../model-line.js';
import type { Work } from '../performer.js';
import type { ModelMessage, ModelReply } from '../ports.js';
import type { ToolDesk, TurnAnswer } from '../tool-desk.js';
import { ConversationWindow } from './conversation-window.js';
import { WindowSummary } from './window-summary.js';

export interface AttemptWindowParts {
  work: Pick<Work, 'agent' | 'calls' | 'signal'>;
  desk: ToolDesk;
  line: ModelLine;
  /** Asks for summaries: which model they were given leaves the work itself as it is. */
  summaries: ModelLine;
}

export class AttemptWindow {
  private readonly results = new WeakMap<ModelMessage, number>();
  private window: ConversationWindow;

  constructor(private readonly parts: AttemptWindowParts) {
    this.window = this.windowFrom(0);
  }

  /** @param messages number of those that stay whatever happens */
  opened(messages: number): void {
    this.window = this.windowFrom(messages);
  }

  toolMessage(toolCallId: string, { text, result }: TurnAnswer): ModelMessage {
    const message: ModelMessage = { role: 'tool', toolCallId, text };
    if (result !== undefined) this.results.set(message, result);
    return message;
  }

  /** What the model is sent of the conversation. */
  view(messages: readonly ModelMessage[]): ModelMessage[] {
    return this.window.view(messages);
  }

  /** Errors: as `ModelLine.ask`. */
  async ask(form: QuestionForm, messages: readonly ModelMessage[], origin: string): Promise<ModelReply> {
    const { line, work } = this.parts;
    const path = work.calls.nextPath();
    await this.window.prepare(messages, line.inputRoom(form));
    for (;;) {
      try {
        const reply = await line.ask(form, origin, { path });
        this.window.counted(reply.estimated ? 0 : reply.inputTokens);
        return reply;
      } catch (error) {
        if (!isTooLong(error) || work.signal.aborted || !(await this.window.refused(messages))) throw error;
      }
    }
  }

  private windowFrom(opening: number): ConversationWindow {
    const { work, desk, summaries } = this.parts;
    const summary = new WindowSummary(work, summaries);
    return new ConversationWindow(opening, desk.schemas(), {
      shelf: desk.shelf,
      resultOf: (message) => this.results.get(message),
      summarize: (text, before) => summary.summarize(text, before),
    });
  }
}

function isTooLong(error: unknown): boolean {
  return error instanceof CadreError && error.code === 'model-context-exceeded';
}
