/** The part of the leading scheduler's duty that lets calls to model servers go; see ADR 24. */
import { CadreError, GovernorAsk, SUBJECTS } from '@cadre/contracts';
import { KvGovernorStore } from '@cadre/event-log';
import { steadyClock, type RequestEndpoint } from '@cadre/messaging';
import { ModelGovernor, type LineView } from '@cadre/scheduling';
import type { CounterMetric, GaugeMetric, ServiceContext } from '@cadre/service-kit';
import { z } from 'zod';

export class GovernorDuty {
  readonly #passes: CounterMetric;
  readonly #used: GaugeMetric;
  readonly #paused: GaugeMetric;
  #leading: { governor: ModelGovernor; endpoint: RequestEndpoint } | undefined;

  private constructor(
    private readonly context: Pick<ServiceContext, 'serve' | 'metrics'>,
    private readonly store: KvGovernorStore,
  ) {
    const labels = ['server', 'model'];
    const { metrics } = context;
    this.#passes = metrics.counter('cadre_model_passes_total', 'Calls to model servers with limits that were let go', labels);
    this.#used = metrics.gauge('cadre_model_allowance_used', 'Used of the allowance of the last minute', [...labels, 'of']);
    this.#paused = metrics.gauge('cadre_model_paused_seconds', 'For so long the model server wants no calls', labels);
  }

  static async open(context: Pick<ServiceContext, 'nats' | 'serve' | 'metrics'>): Promise<GovernorDuty> {
    return new GovernorDuty(context, await KvGovernorStore.open(context.nats));
  }

  /** Only the leader listens: what is asked while nobody leads is asked again. */
  lead(epoch: number): void {
    const governor = new ModelGovernor(
      { store: this.store, clock: steadyClock, term: epoch.toString(36) },
      { granted: ({ server, model }, passes) => this.#passes.inc({ server, model }, passes) },
    );
    const endpoint = this.context.serve(SUBJECTS.modelGovernor, {}, (request) => governor.ask(readAsk(request)));
    this.#leading = { governor, endpoint };
  }

  async rest(): Promise<void> {
    const leading = this.#leading;
    this.#leading = undefined;
    leading?.governor.stop();
    await leading?.endpoint.stop();
  }

  show(): void {
    for (const view of this.#leading?.governor.views() ?? []) this.#showLine(view);
  }

  async close(): Promise<void> {
    await this.rest();
    this.store.close();
  }

  #showLine({ server, model, requests, tokens, open, pausedMs }: LineView): void {
    for (const [of, value] of Object.entries({ requests, tokens, concurrent: open })) this.#used.set(value, { server, model, of });
    this.#paused.set(pausedMs / 1000, { server, model });
  }
}

function readAsk(request: unknown): GovernorAsk {
  const parsed = GovernorAsk.safeParse(request);
  if (parsed.success) return parsed.data;
  throw new CadreError('governor-ask-invalid', `This is not what a worker asks the governor: ${z.prettifyError(parsed.error)}`);
}
