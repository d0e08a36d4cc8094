/** Tells text and thoughts of a stream apart while they come, for whoever watches. What counts is read from the whole answer. */
import type { Told } from '../wire-api.js';

const OPENING = /^\s*(?:<(think|thinking|thought|reasoning)>|\[(THINK)\]|◁(think)▷)/i;
const LONGEST_SIGN = 14;

export class ThoughtFilter {
  private state: 'start' | 'thought' | 'behind' | 'text' = 'start';
  private held = '';
  private close = '';

  constructor(private readonly told: Told) {}

  add({ text, reasoning }: { text: string; reasoning: string }): void {
    if (reasoning !== '') this.told({ reasoning });
    if (text === '') return;
    if (this.state === 'text') return this.told({ text });
    if (this.state === 'behind') return this.begin(text.trimStart());
    this.held += text;
    if (this.state === 'start' && !this.begun()) return;
    if (this.state === 'thought') this.goOn();
  }

  /** @returns whether it is known what the answer begins with */
  private begun(): boolean {
    const opening = OPENING.exec(this.held);
    if (opening) {
      const tag = opening[0].trim();
      this.close = `${tag[0]}/${tag.slice(1)}`.toLowerCase();
      this.held = this.held.slice(opening[0].length);
      this.state = 'thought';
      return true;
    }
    const begin = this.held.trimStart();
    if (begin.length < LONGEST_SIGN && /^[<[◁]?[a-z]*$/i.test(begin) && /^([<[◁]|$)/.test(begin)) return false;
    this.state = 'text';
    this.told({ text: this.held });
    return true;
  }

  private goOn(): void {
    const at = this.held.toLowerCase().indexOf(this.close);
    // The end of what is held may be the beginning of the closing tag.
    const until = at < 0 ? Math.max(0, this.held.length - this.close.length + 1) : at;
    if (until > 0) this.told({ reasoning: this.held.slice(0, until) });
    if (at < 0) {
      this.held = this.held.slice(until);
      return;
    }
    this.state = 'behind';
    this.begin(this.held.slice(at + this.close.length).trimStart());
  }

  private begin(text: string): void {
    if (text === '') return;
    this.state = 'text';
    this.told({ text });
  }
}
