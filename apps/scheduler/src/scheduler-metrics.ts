/** What the scheduler shows in figures. */
import { AGENT_STATES, PRIORITIES } from '@cadre/contracts';
import { priorityOf, type AgentBreakerView, type AgentDirectory, type OfferDesk, type OpenWork, type Unmatched } from '@cadre/scheduling';
import type { CounterMetric, GaugeMetric, Metrics } from '@cadre/service-kit';

export class SchedulerMetrics {
  readonly offers: CounterMetric;
  readonly offerMessages: CounterMetric;
  readonly lost: CounterMetric;
  readonly expired: CounterMetric;
  readonly cancels: CounterMetric;
  readonly #ready: GaugeMetric;
  readonly #oldest: GaugeMetric;
  readonly #running: GaugeMetric;
  readonly #pending: GaugeMetric;
  readonly #workers: GaugeMetric;
  readonly #free: GaugeMetric;
  readonly #unmatched: GaugeMetric;
  readonly #breakers: GaugeMetric;

  constructor(metrics: Metrics) {
    this.offers = metrics.counter('cadre_offers_total', 'Offers made');
    this.offerMessages = metrics.counter('cadre_offer_messages_total', 'Messages that carried offers');
    this.lost = metrics.counter('cadre_attempts_lost_total', 'Attempts whose worker was lost', ['cause']);
    this.expired = metrics.counter('cadre_expired_total', 'Attempts and runs whose time was up', ['what']);
    this.cancels = metrics.counter('cadre_cancelled_attempts_total', 'Attempts that workers were told to drop');
    this.#ready = metrics.gauge('cadre_ready_attempts', 'Attempts that wait for a worker, by priority', ['priority']);
    this.#oldest = metrics.gauge('cadre_ready_oldest_seconds', 'Age of the oldest attempt that waits for a worker');
    this.#running = metrics.gauge('cadre_running_attempts', 'Attempts started and not ended');
    this.#pending = metrics.gauge('cadre_pending_offers', 'Offers made and not started');
    this.#workers = metrics.gauge('cadre_workers', 'Workers, by state', ['state']);
    this.#free = metrics.gauge('cadre_free_slots', 'Slots that could take an offer');
    this.#unmatched = metrics.gauge('cadre_unmatched_attempts', 'Ready attempts that no live agent can do, for long');
    this.#breakers = metrics.gauge('cadre_agent_breakers', 'Agents that get no work, or a probe, because they fail', ['state']);
  }

  showWorkers(directory: AgentDirectory, now: number): void {
    const counts = new Map<string, number>([...AGENT_STATES, 'lost'].map((state) => [state, 0]));
    for (const view of directory.views(now)) {
      const state = view.lost ? 'lost' : view.state;
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    for (const [state, count] of counts) this.#workers.set(count, { state });
  }

  showWork(work: OpenWork, desk: OfferDesk, unmatched: readonly Unmatched[], now: number): void {
    const counts = new Map<string, number>(PRIORITIES.map((priority) => [priority, 0]));
    let oldest = now;
    for (const group of work.ready(now)) {
      const priority = priorityOf(group.rank);
      let count = 0;
      for (const { readyAt } of group.attempts) {
        count += 1;
        if (readyAt < oldest) oldest = readyAt;
      }
      counts.set(priority, (counts.get(priority) ?? 0) + count);
    }
    for (const [priority, count] of counts) this.#ready.set(count, { priority });
    this.#oldest.set((now - oldest) / 1000);
    this.#running.set(work.runningCount);
    this.#pending.set(desk.pendingCount);
    this.#free.set(desk.freeSlots(now));
    this.#unmatched.set(unmatched.reduce((sum, each) => sum + each.count, 0));
    this.#showBreakers(desk.breakers(now));
  }

  #showBreakers(list: readonly AgentBreakerView[]): void {
    for (const state of ['open', 'half-open']) this.#breakers.set(list.filter((each) => each.state === state).length, { state });
  }

  /** A standby has no work to show. */
  clearWork(): void {
    for (const priority of PRIORITIES) this.#ready.set(0, { priority });
    for (const gauge of [this.#oldest, this.#running, this.#pending, this.#free, this.#unmatched]) gauge.set(0);
    this.#showBreakers([]);
  }
}
