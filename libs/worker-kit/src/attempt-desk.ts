/** Takes offers while slots are free, keeps the attempts at work, and hands them back at the end. */
import type { AgentDefinition, CancelBatch, HeldAttempt, Offer, OfferBatch } from '@cadre/contracts';
import { AttemptWork } from './attempt-work.js';
import type { WorkBench } from './work-bench.js';

/** How long handing back may take once the grace time is over. */
const HAND_BACK_MS = 2500;

export class AttemptDesk {
  private readonly works = new Map<string, { work: AttemptWork; done: Promise<unknown> }>();
  private readonly agents: Map<string, AgentDefinition>;
  private readonly giveUp = new AbortController();
  private open = true;

  /** @param onChange called after an attempt was taken or has ended */
  constructor(
    agents: AgentDefinition[],
    private readonly slots: number,
    private readonly bench: WorkBench,
    private readonly onChange: () => void,
  ) {
    this.agents = new Map(agents.map((agent) => [agent.name, agent]));
  }

  /** Slots as the scheduler should see them: none once the desk is closing. */
  get openSlots(): number {
    return this.open ? this.slots : 0;
  }

  held(): HeldAttempt[] {
    return [...this.works.values()].map(({ work }) => work.held);
  }

  /** Offers beyond the free slots are left alone; the scheduler makes them again, here or elsewhere. */
  take(batch: OfferBatch): void {
    for (const offer of batch.offers) this.takeOne(offer);
  }

  drop(batch: CancelBatch): void {
    for (const attempt of batch.attempts) this.works.get(keyOf(attempt))?.work.drop();
  }

  /**
   * Takes no more, lets the work at hand finish within the grace time, then hands the rest back.
   * @returns when nothing is held any more
   */
  async close(graceMs: number): Promise<void> {
    this.open = false;
    await this.settled(graceMs);
    for (const { work } of this.works.values()) work.release();
    await this.settled(HAND_BACK_MS);
    this.giveUp.abort();
    await this.settled(1000);
  }

  private takeOne(offer: Offer): void {
    const key = keyOf(offer);
    const agent = this.agents.get(offer.agent);
    if (!this.open || !agent || this.works.has(key) || this.works.size >= this.slots) return;
    const work = new AttemptWork(offer, agent, this.bench, this.giveUp.signal);
    const done = work.run().finally(() => {
      this.works.delete(key);
      this.onChange();
    });
    this.works.set(key, { work, done });
    this.onChange();
  }

  /** Waits for all work at hand, but not longer. */
  private async settled(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([Promise.all([...this.works.values()].map(({ done }) => done)), late]);
    clearTimeout(timer);
  }
}

function keyOf({ runId, taskId, attempt }: HeldAttempt): string {
  return `${runId}/${taskId}/${attempt}`;
}
