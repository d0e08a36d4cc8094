/** The worker's metrics. */
import { TOOL_NAMES } from '@cadre/contracts';
import type { CallRecord } from '@cadre/contracts';
import type { CounterMetric, HistogramMetric, Metrics } from '@cadre/service-kit';

/** How an attempt ended, as seen from the worker. `dropped`: it was closed from outside. `refused`: it was never ours. */
export type WorkEnding = 'completed' | 'failed' | 'released' | 'dropped' | 'refused';

const MINUTES = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

export class WorkMeter {
  private readonly attempts: CounterMetric;
  private readonly attemptSeconds: HistogramMetric;
  private readonly modelCalls: CounterMetric;
  private readonly toolCalls: CounterMetric;
  private readonly callSeconds: HistogramMetric;
  private readonly tokens: CounterMetric;
  private readonly cost: CounterMetric;

  constructor(metrics: Metrics) {
    this.attempts = metrics.counter('cadre_attempts_total', 'Attempts that ended on this worker', ['agent', 'outcome']);
    this.attemptSeconds = metrics.histogram('cadre_attempt_duration_seconds', 'Time from offer to end', ['agent', 'outcome'], MINUTES);
    this.modelCalls = metrics.counter('cadre_model_calls_total', 'Calls to the model server', ['model', 'outcome']);
    this.toolCalls = metrics.counter('cadre_tool_calls_total', 'Tool calls that models asked for', ['tool', 'outcome']);
    this.callSeconds = metrics.histogram('cadre_call_duration_seconds', 'Time of model and tool calls', ['kind'], MINUTES);
    this.tokens = metrics.counter('cadre_tokens_total', 'Tokens', ['model', 'direction']);
    this.cost = metrics.counter('cadre_cost_usd_total', 'Cost of model calls in US dollars', ['model']);
  }

  ended(agent: string, outcome: WorkEnding, ms: number): void {
    this.attempts.inc({ agent, outcome });
    this.attemptSeconds.observe(ms / 1000, { agent, outcome });
  }

  call(record: CallRecord): void {
    const outcome = record.ok ? 'ok' : 'failed';
    this.callSeconds.observe(record.durationMs / 1000, { kind: record.kind });
    if (record.kind === 'tool') {
      // A model may ask for tools by any name; labels must stay few.
      const tool = (TOOL_NAMES as string[]).includes(record.name) || record.ok ? record.name : 'other';
      this.toolCalls.inc({ tool, outcome });
      return;
    }
    const model = record.name;
    this.modelCalls.inc({ model, outcome });
    this.tokens.inc({ model, direction: 'input' }, record.inputTokens);
    this.tokens.inc({ model, direction: 'output' }, record.outputTokens);
    this.cost.inc({ model }, record.costMicros / 1_000_000);
  }
}
