/**
 * Where an agent's last message is judged: whether it can be read, and whether it rests on what it has to rest on. What is wrong is told to
 * the model, a few times; then its next model is asked to finish, and without one the attempt fails for good, since the same words would
 * bring the same again.
 */
import { CadreError } from '@cadre/contracts';
import { replyFormOf } from './conversation.js';
import type { FinalReply, ReplyForm } from './final-reading.js';
import { readFinal } from './final-reply.js';
import type { ReadingTerms } from './final-reply.js';
import type { Footing } from './footing.js';
import type { OutputRoom } from './output-room.js';
import type { Work } from './performer.js';
import type { ModelReply } from './ports.js';
import { fitResult } from './result-schema.js';

const MAX_REPAIRS = 2;
const MAX_PLAN_REPAIRS = 1;
const MAX_FORM_REPAIRS = 1;

/**
 * `again`: the model is told why its message does not count. `afresh`: another model is to finish the work; it is not told what this one
 * wrote.
 */
export type Conclusion = { kind: 'final'; final: FinalReply } | { kind: 'again'; why: string } | { kind: 'afresh' };

export interface FinalDeskParts {
  work: Pick<Work, 'assignment' | 'agent' | 'catalogue'>;
  footing: Footing | undefined;
  room: OutputRoom;
  /** Goes on with another model. @returns whether there is one */
  moveOn(): boolean;
}

export class FinalDesk {
  private repairs = 0;
  private planRepairs = 0;
  private formRepairs = 0;

  constructor(private readonly parts: FinalDeskParts) {}

  /** Whether a text can be used as it is. */
  isReadable(text: string): boolean {
    return readFinal(text, this.terms('json')).ok;
  }

  /** Errors: `malformed-output`, `plan-invalid`, `result-invalid`, `no-tool-called`. */
  judge({ text, finish }: ModelReply): Conclusion {
    const cutOff = finish === 'length';
    const reading = readFinal(text, { ...this.terms(), cutOff });
    if (!reading.ok) {
      const why = cutOff ? `${this.cutOffText()} ${reading.why}` : reading.why;
      return reading.fault === 'invalid-plan' ? this.repairPlan(why) : this.repair(why);
    }
    const verdict = this.parts.footing?.judge(reading.reply) ?? { kind: 'firm' };
    if (verdict.kind === 'again') return this.repair(verdict.why);
    const misfit = verdict.kind === 'firm' ? this.misfitOf(reading.reply) : undefined;
    if (misfit !== undefined) return this.repairForm(misfit);
    return { kind: 'final', final: verdict.kind === 'firm' ? reading.reply : { ...reading.reply, mark: 'without-tools' } };
  }

  /** Who does not keep to the form when asked twice is taken at its word. */
  private terms(wanted?: ReplyForm): ReadingTerms {
    const { assignment, agent, catalogue } = this.parts.work;
    const form = wanted ?? replyFormOf(agent, assignment);
    return { kind: assignment.kind, form: form === 'json' && this.repairs > 0 ? 'any' : form, catalogue };
  }

  private cutOffText(): string {
    return this.parts.room.raise()
      ? 'Your message was cut off at the output limit. There is more room now: send it again, whole.'
      : 'Your message was cut off because it was too long. Send a shorter one.';
  }

  /** Why the answer is not the data that the task asks for. */
  private misfitOf({ answer }: FinalReply): string | undefined {
    const { resultSchema } = this.parts.work.assignment;
    const fitted = resultSchema && fitResult(answer, resultSchema);
    return fitted?.ok === false ? fitted.why : undefined;
  }

  private repairForm(why: string): Conclusion {
    if (this.formRepairs >= MAX_FORM_REPAIRS) throw new CadreError('result-invalid', why);
    this.formRepairs += 1;
    return { kind: 'again', why };
  }

  private repairPlan(why: string): Conclusion {
    if (this.planRepairs >= MAX_PLAN_REPAIRS) throw new CadreError('plan-invalid', `The model gave no valid plan. ${why}`);
    this.planRepairs += 1;
    return { kind: 'again', why };
  }

  private repair(why: string): Conclusion {
    if (this.repairs < MAX_REPAIRS) {
      this.repairs += 1;
      return { kind: 'again', why };
    }
    this.repairs = 0;
    if (this.parts.moveOn()) return { kind: 'afresh' };
    throw new CadreError('malformed-output', `The model's final message stayed malformed after ${MAX_REPAIRS} repairs. ${why}`);
  }
}
