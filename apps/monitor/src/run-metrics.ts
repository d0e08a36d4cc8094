/** Counts what happens in runs, from the commits as they are folded. */
import type { RunEvent } from '@cadre/contracts';
import type { EndedCall, FoldedCommit } from '@cadre/history';
import type { CounterMetric, GaugeMetric, HistogramMetric, Metrics } from '@cadre/service-kit';

const TASK_ENDS = { TaskCompleted: 'completed', TaskFailed: 'failed', TaskSkipped: 'skipped', TaskCancelled: 'cancelled' } as const;
const RUN_ENDS = { RunCompleted: 'completed', RunFailed: 'failed', RunCancelled: 'cancelled' } as const;
const RUN_SECONDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200];

export class RunMetrics {
  readonly #started: CounterMetric;
  readonly #ended: CounterMetric;
  readonly #runSeconds: HistogramMetric;
  readonly #tasks: CounterMetric;
  readonly #taskSeconds: HistogramMetric;
  readonly #failedAttempts: CounterMetric;
  readonly #calls: CounterMetric;
  readonly #callSeconds: HistogramMetric;
  readonly #tokens: CounterMetric;
  readonly #cost: CounterMetric;
  readonly #overrun: CounterMetric;
  readonly #unpriced: CounterMetric;
  readonly #refused: CounterMetric;
  readonly #asked: CounterMetric;
  readonly #answered: CounterMetric;
  readonly #open: GaugeMetric;

  constructor(metrics: Metrics) {
    this.#started = metrics.counter('cadre_runs_started_total', 'Runs accepted');
    this.#ended = metrics.counter('cadre_runs_ended_total', 'Runs ended, by outcome', ['outcome']);
    this.#runSeconds = metrics.histogram('cadre_run_seconds', 'From acceptance to the end of a run', ['outcome'], RUN_SECONDS);
    this.#tasks = metrics.counter('cadre_tasks_ended_total', 'Tasks ended, by outcome', ['outcome']);
    this.#taskSeconds = metrics.histogram('cadre_task_seconds', 'Last attempt of a task, from its start', ['outcome'], RUN_SECONDS);
    this.#failedAttempts = metrics.counter('cadre_attempts_failed_total', 'Attempts that count against the retry policy of their task');
    this.#calls = metrics.counter('cadre_calls_total', 'Model and tool calls', ['kind', 'outcome', 'ok']);
    this.#callSeconds = metrics.histogram('cadre_call_seconds', 'Duration of model and tool calls', ['kind']);
    this.#tokens = metrics.counter('cadre_tokens_total', 'Tokens of model calls', ['direction']);
    this.#cost = metrics.counter('cadre_cost_micros_total', 'Cost of calls in millionths of a US dollar');
    this.#overrun = metrics.counter('cadre_model_overrun_micros_total', 'Of the cost: what servers charged beyond what was set aside');
    this.#unpriced = metrics.counter('cadre_unpriced_calls_total', 'Calls of models whose price is not known: their cost is in no figure');
    this.#refused = metrics.counter('cadre_calls_refused_total', 'Calls that did not fit under a cap', ['limit', 'then']);
    this.#asked = metrics.counter('cadre_questions_asked_total', 'Questions to people', ['kind']);
    this.#answered = metrics.counter('cadre_questions_answered_total', 'Questions answered, by a person or by the time limit', ['choice']);
    this.#open = metrics.gauge('cadre_runs_open', 'Open runs, by status', ['status']);
  }

  count(folded: readonly FoldedCommit[]): void {
    for (const each of folded) {
      for (const event of each.commit.events) this.#countEvent(each, event);
      for (const call of each.ended) this.#countCall(call);
    }
  }

  setOpen(byStatus: Record<string, number>): void {
    for (const status of ['planning', 'running', 'cancelling']) this.#open.set(byStatus[status] ?? 0, { status });
  }

  #countEvent({ commit, run }: FoldedCommit, event: RunEvent): void {
    if (event.type === 'RunStarted') this.#started.inc();
    else if (event.type === 'AttemptFailed' && event.counted) this.#failedAttempts.inc();
    else if (event.type === 'CallRefused') this.#refused.inc({ limit: event.limit, then: event.then });
    else if (event.type === 'QuestionAsked') this.#asked.inc({ kind: event.question.kind });
    else if (event.type === 'QuestionAnswered') this.#answered.inc({ choice: event.choice });
    else if (event.type in RUN_ENDS) {
      const outcome = RUN_ENDS[event.type as keyof typeof RUN_ENDS];
      this.#ended.inc({ outcome });
      this.#runSeconds.observe((commit.at - run.createdAt) / 1000, { outcome });
    } else if (event.type in TASK_ENDS && 'taskId' in event) {
      const outcome = TASK_ENDS[event.type as keyof typeof TASK_ENDS];
      const startedAt = run.tasks[event.taskId]?.startedAt;
      this.#tasks.inc({ outcome });
      if (startedAt !== undefined) this.#taskSeconds.observe((commit.at - startedAt) / 1000, { outcome });
    }
  }

  #countCall(call: EndedCall): void {
    this.#calls.inc({ kind: call.kind, outcome: call.outcome, ok: String(call.ok) });
    this.#callSeconds.observe(call.durationMs / 1000, { kind: call.kind });
    if (call.inputTokens > 0) this.#tokens.inc({ direction: 'input' }, call.inputTokens);
    if (call.outputTokens > 0) this.#tokens.inc({ direction: 'output' }, call.outputTokens);
    if (call.costMicros > 0) this.#cost.inc({}, call.costMicros);
    if (call.overrunMicros !== undefined) this.#overrun.inc({}, call.overrunMicros);
    if (call.unpriced) this.#unpriced.inc();
  }
}
