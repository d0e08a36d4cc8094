/**
 * Takes offers while slots are free, keeps the attempts at work, and hands them back at the end. The scheduler foresees when slots become
 * free, and offers ahead of it: such an offer waits, and is begun when the work of another attempt is done, together with the telling of
 * its result.
 */
import type { AgentDefinition, Backlog, CancelBatch, HeldAttempt, Offer, OfferBatch } from '@cadre/contracts';
import type { HostedDefinition } from './agent-roster.js';
import { AttemptWork } from './attempt-work.js';
import type { Given, WorkSurroundings } from './attempt-work.js';

/** How long handing back may take once the grace time is over. */
const HAND_BACK_MS = 2500;
/** And then what cannot be handed back any more may take to notice. */
const LEAVE_MS = 1000;
/** For how long a backlog counts that is not told again. */
const BACKLOG_MS = 1000;
/** Tasks to go on with, at most, from one result. */
const MAX_NEXT = 100;

export class AttemptDesk {
  private readonly works = new Map<string, AttemptWork>();
  /** How much of a tenant is at work, by the newest of its offers that wait. */
  private readonly atWork = new Map<string, number>();
  /** Taken, but not begun: at most as many as there are slots. */
  private readonly waiting = new Map<string, Offer>();
  private agents: Map<string, HostedDefinition>;
  /** Until when work of others is thought to wait for a slot of the agent. */
  private readonly backlog = new Map<string, number>();
  /** Attempts whose work is done and whose end is being told: they need no slot any more. */
  private ending = 0;
  /** Slots that results on their way have asked for. */
  private promised = 0;
  private onEmpty: (() => void) | undefined;
  private open = true;

  /** @param onChange called after an attempt was taken or has ended */
  constructor(
    agents: AgentDefinition[],
    private readonly slots: number,
    private readonly around: WorkSurroundings,
    private readonly onChange: () => void,
  ) {
    this.agents = new Map(agents.map((definition) => [definition.name, { definition }]));
  }

  /**
   * These are the agents from now on. What those have begun that are no longer among them is handed back at once, whoever does it next; an
   * attempt of one that is defined otherwise now goes on as it began.
   */
  host(agents: readonly HostedDefinition[]): void {
    this.agents = new Map(agents.map((agent) => [agent.definition.name, agent]));
    for (const [key, { agent }] of this.waiting) if (!this.agents.has(agent)) this.waiting.delete(key);
    for (const work of this.works.values()) if (!this.agents.has(work.agentName)) work.release('removed');
    this.onChange();
  }

  /** Slots as the scheduler should see them: none once the desk is closing. */
  get openSlots(): number {
    return this.open ? this.slots : 0;
  }

  get heldCount(): number {
    return this.works.size + this.waiting.size;
  }

  held(): HeldAttempt[] {
    const waiting = Array.from(this.waiting.values(), ({ runId, taskId, attempt }) => ({ runId, taskId, attempt }));
    return [...Array.from(this.works.values(), (work) => work.held), ...waiting];
  }

  /** Offers far beyond the free slots are left alone; the scheduler makes them again, here or elsewhere. */
  take(batch: OfferBatch): void {
    for (const offer of batch.offers) this.takeOne(offer);
  }

  /** Ready work waits for slots of these agents: what comes next is left to the scheduler, which knows what is most urgent. */
  hearBacklog({ agents }: Backlog): void {
    const until = this.around.clock.now() + BACKLOG_MS;
    for (const agent of agents) if (this.agents.has(agent)) this.backlog.set(agent, until);
  }

  /** Attempts whose work is no longer wanted: closed ones are dropped, those of a run that is being cancelled report their end. */
  cancel(batch: CancelBatch): void {
    for (const attempt of batch.attempts) {
      const work = this.works.get(keyOf(attempt));
      if (this.waiting.delete(keyOf(attempt))) this.onChange();
      if (attempt.runCancelled) work?.cancel();
      else work?.drop();
    }
  }

  /**
   * Takes no more, lets the work at hand finish within the grace time, then hands the rest back.
   * @returns when nothing is held any more, or nothing can be told any more
   */
  async close(graceMs: number): Promise<void> {
    this.open = false;
    this.waiting.clear(); // never begun, so there is nothing to hand back: the next beat no longer lists them
    await this.emptied(graceMs);
    for (const work of this.works.values()) work.release();
    await this.emptied(HAND_BACK_MS);
    for (const work of this.works.values()) work.giveUp();
    await this.emptied(LEAVE_MS);
  }

  private takeOne(offer: Offer): void {
    const key = keyOf(offer);
    const agent = this.agents.get(offer.agent);
    if (!this.open || !agent || this.works.has(key) || this.waiting.has(key)) return;
    // A tenant's agent works for that tenant, whatever it is offered.
    if (agent.tenant !== undefined && agent.tenant !== offer.turn.tenant) return;
    if (this.hasFree) this.begin(key, { offer }, agent.definition);
    else if (this.waiting.size < this.slots) this.wait(key, offer);
    else return;
    this.onChange();
  }

  private wait(key: string, offer: Offer): void {
    if (this.waiting.size === 0) this.atWork.clear();
    this.atWork.set(offer.turn.tenant, offer.turn.atWork);
    this.waiting.set(key, offer);
  }

  private begin(key: string, given: Given, agent: AgentDefinition): void {
    let [promised, ending] = [0, 0];
    const slot = {
      room: () => {
        const room = this.roomToGoOn(agent);
        this.promised += promised = Math.max(0, room - 1);
        return room;
      },
      free: () => {
        this.ending += ending = 1;
        this.beginNext();
      },
    };
    const work = new AttemptWork(given, agent, this.around, slot);
    this.works.set(key, work);
    this.around.at?.('worker-offer-taken');
    if (!this.open) work.release();
    else if (!this.agents.has(agent.name)) work.release('removed');
    void work.run().finally(() => {
      this.works.delete(key);
      this.promised -= promised;
      this.ending -= ending;
      for (const assignment of work.next) this.begin(keyOf(assignment), { assignment }, agent);
      this.beginNext();
      if (this.works.size === 0) this.onEmpty?.();
      this.onChange();
    });
  }

  /** One task for the slot that becomes free. More only until half of the slots are taken: a worker is not to be full while others idle. */
  private roomToGoOn(agent: AgentDefinition): number {
    const { name } = agent;
    if (!this.open || this.waiting.size > 0 || (this.backlog.get(name) ?? 0) > this.around.clock.now()) return 0;
    // It was removed or is another one now: what comes next is not for it.
    if (this.agents.get(name)?.definition !== agent) return 0;
    const spare = Math.floor(this.slots / 2) - this.works.size - this.promised;
    return 1 + Math.min(MAX_NEXT - 1, Math.max(0, spare));
  }

  private get hasFree(): boolean {
    return this.works.size - this.ending < this.slots;
  }

  /** The one of those that wait whose turn it is, if a slot is free; see `Offer`. */
  private beginNext(): void {
    if (!this.hasFree || this.waiting.size === 0) return;
    let [first] = this.waiting;
    for (const entry of this.waiting) if (first && this.goesBefore(entry[1], first[1])) first = entry;
    const agent = first && this.agents.get(first[1].agent);
    if (!first || !agent) return;
    const [key, offer] = first;
    this.waiting.delete(key);
    this.begin(key, { offer }, agent.definition);
  }

  private goesBefore({ turn: a }: Offer, { turn: b }: Offer): boolean {
    const more = (this.atWork.get(a.tenant) ?? 0) - (this.atWork.get(b.tenant) ?? 0);
    return more === 0 ? a.urgency < b.urgency : more < 0;
  }

  /** Waits until nothing is held, but not longer. */
  private emptied(ms: number): Promise<void> {
    if (this.works.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.around.clock.after(ms, resolve);
      this.onEmpty = () => {
        cancel();
        resolve();
      };
    });
  }
}

function keyOf({ runId, taskId, attempt }: HeldAttempt): string {
  return `${runId}/${taskId}/${attempt}`;
}
