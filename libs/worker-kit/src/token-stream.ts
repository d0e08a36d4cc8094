/**
 * What a model writes, while it writes it: a view of a call on its way, for whoever watches. Nothing is kept and nothing waits for it; what
 * counts is the recorded reply. Parts that come within a tenth of a second go out together.
 */
import type { ModelRequest } from '@cadre/agents';
import { SUBJECTS } from '@cadre/contracts';
import type { Assignment, TokenPart } from '@cadre/contracts';
import type { Clock } from '@cadre/engine';

const TOGETHER_MS = 100;
/** A part must fit into a message of any broker. */
const MOST_CHARACTERS = 16 * 1024;

type Delta = Parameters<NonNullable<ModelRequest['onDelta']>>[0];

/** Must not throw. */
export type TokenPublisher = (subject: string, part: TokenPart) => void;

/** Of one model call. */
export class TokenStream {
  private text = '';
  private reasoning = '';
  private part = 0;
  private prevent: (() => void) | undefined;

  constructor(
    private readonly of: Pick<Assignment, 'tenant' | 'runId' | 'taskId' | 'attempt'> & { call: string },
    private readonly clock: Clock,
    private readonly publish: TokenPublisher,
  ) {}

  hear({ text = '', reasoning = '' }: Delta): void {
    this.text += text;
    this.reasoning += reasoning;
    if (this.text.length + this.reasoning.length >= MOST_CHARACTERS) this.flush();
    else if (this.text + this.reasoning !== '') this.prevent ??= this.clock.after(TOGETHER_MS, () => this.flush());
  }

  /** Sends what has been heard; call it when the model call has ended. */
  flush(): void {
    this.prevent?.();
    this.prevent = undefined;
    const { tenant, ...of } = this.of;
    while (this.text !== '' || this.reasoning !== '') {
      const [text, reasoning] = [this.text.slice(0, MOST_CHARACTERS), this.reasoning.slice(0, MOST_CHARACTERS)];
      this.text = this.text.slice(text.length);
      this.reasoning = this.reasoning.slice(reasoning.length);
      this.part += 1;
      this.publish(SUBJECTS.tokens(tenant, of.runId, of.taskId), {
        ...{ ...of, part: this.part, at: this.clock.now() },
        ...(text !== '' && { text }),
        ...(reasoning !== '' && { reasoning }),
      });
    }
  }
}
