/** The worker's metrics. */
import type { CacheLook, MadeCall, WorkEnding } from '@cadre/agents';
import type { CallKind } from '@cadre/contracts';
import type { CounterMetric, HistogramMetric, Metrics } from '@cadre/service-kit';

const MINUTES = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

export class WorkMeter {
  private readonly attempts: CounterMetric;
  private readonly underLoad: CounterMetric;
  private readonly attemptSeconds: HistogramMetric;
  private readonly modelCalls: CounterMetric;
  private readonly toolCalls: CounterMetric;
  private readonly recordedCalls: CounterMetric;
  private readonly cacheLooks: CounterMetric;
  private readonly callSeconds: HistogramMetric;
  private readonly tokens: CounterMetric;
  private readonly cost: CounterMetric;

  constructor(metrics: Metrics) {
    this.attempts = metrics.counter('cadre_attempts_total', 'Attempts that ended on this worker', ['agent', 'outcome']);
    this.underLoad = metrics.counter(
      'cadre_attempts_under_load_total',
      'Attempts begun by another agent, or with less, for want of a slot',
      ['agent'],
    );
    this.attemptSeconds = metrics.histogram('cadre_attempt_duration_seconds', 'Time from offer to end', ['agent', 'outcome'], MINUTES);
    this.modelCalls = metrics.counter('cadre_model_calls_total', 'Calls to the model server', ['model', 'outcome']);
    this.toolCalls = metrics.counter('cadre_tool_calls_total', 'Tool calls that were made', ['tool', 'outcome']);
    this.recordedCalls = metrics.counter('cadre_recorded_calls_total', 'Calls that an earlier attempt had made', ['kind']);
    this.cacheLooks = metrics.counter('cadre_result_cache_looks_total', 'Attempts that looked for an earlier result', ['agent', 'outcome']);
    this.callSeconds = metrics.histogram('cadre_call_duration_seconds', 'Time of model and tool calls', ['kind'], MINUTES);
    this.tokens = metrics.counter('cadre_tokens_total', 'Tokens', ['model', 'direction']);
    this.cost = metrics.counter('cadre_cost_usd_total', 'Cost of model calls in US dollars', ['model']);
  }

  /** @param queuedMs of the assignment */
  begun(agent: string, queuedMs: number | undefined): void {
    if (queuedMs !== undefined) this.underLoad.inc({ agent });
  }

  ended(agent: string, outcome: WorkEnding, ms: number): void {
    this.attempts.inc({ agent, outcome });
    this.attemptSeconds.observe(ms / 1000, { agent, outcome });
  }

  made({ kind, name, ok, outcome, durationMs, inputTokens, outputTokens, costMicros }: MadeCall): void {
    const label = outcome === 'unknown' ? 'unknown' : ok ? 'ok' : 'failed';
    this.callSeconds.observe(durationMs / 1000, { kind });
    if (kind === 'tool') return this.toolCalls.inc({ tool: name, outcome: label });
    this.modelCalls.inc({ model: name, outcome: label });
    this.tokens.inc({ model: name, direction: 'input' }, inputTokens);
    this.tokens.inc({ model: name, direction: 'output' }, outputTokens);
    this.cost.inc({ model: name }, costMicros / 1_000_000);
  }

  looked(agent: string, outcome: CacheLook): void {
    this.cacheLooks.inc({ agent, outcome });
  }

  recorded(kind: CallKind): void {
    this.recordedCalls.inc({ kind });
  }
}
