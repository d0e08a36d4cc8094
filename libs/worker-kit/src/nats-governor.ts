/** Asks the leading scheduler which calls to model servers may be made. */
import type { Governor } from '@cadre/agents';
import { GovernorAnswer, SUBJECTS } from '@cadre/contracts';
import type { GovernorAsk } from '@cadre/contracts';
import { requestJson } from '@cadre/messaging';
import type { ServiceContext } from '@cadre/service-kit';

/** Longer than an ask is ever kept back. */
const ANSWER_MS = 1500;
/** Another scheduler takes over in less. */
const TELL_AFTER_MS = 10_000;

export class NatsGovernor implements Governor {
  private failingSince: number | undefined;
  private told = false;

  constructor(private readonly context: Pick<ServiceContext, 'nats' | 'log'>) {}

  async ask(ask: GovernorAsk): Promise<GovernorAnswer> {
    try {
      const answer = await requestJson(this.context.nats, SUBJECTS.modelGovernor, ask, { schema: GovernorAnswer, timeoutMs: ANSWER_MS });
      this.failingSince = undefined;
      this.told = false;
      return answer;
    } catch (error) {
      this.tell(error);
      throw error;
    }
  }

  private tell(error: unknown): void {
    const now = performance.now();
    this.failingSince ??= now;
    if (this.told || now - this.failingSince < TELL_AFTER_MS) return;
    this.told = true;
    this.context.log.warn({ err: error }, 'no scheduler lets calls to the model server go; they wait');
  }
}
