/** What a batch of commits does to the rows of calls: new ones, ends of earlier ones, and records that a later attempt resumed from. */
import type { CallReservation, CallSettlement, RunEvent } from '@cadre/contracts';
import type { RunState } from '@cadre/engine';
import type { RowOf, SettledRow } from './write-rows.js';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** Keys of calls whose records were at hand when an attempt started. */
export interface KeptCalls {
  run_id: string;
  attempt: number;
  keys: string[];
}

export class CallBatch {
  readonly #made = new Map<string, RowOf<'calls'>>();
  readonly #settled = new Map<string, SettledRow>();
  readonly kept: KeptCalls[] = [];

  get made(): RowOf<'calls'>[] {
    return [...this.#made.values()];
  }

  /** Ends of calls that were reserved before this batch. */
  get settled(): SettledRow[] {
    return [...this.#settled.values()];
  }

  /** @param commit where the event is: number of the commit, its time, and the place in it */
  reserve(run: RunState, event: EventOf<'CallsReserved'>, commit: { seq: number; at: number; place: number }): void {
    event.calls.forEach((call, index) => {
      const at = { commit_seq: commit.seq, place: commit.place * 1000 + index, at: commit.at };
      this.#made.set(idOf(run.runId, call), openCallRow(run, event, call, at));
    });
  }

  settle(run: RunState, event: EventOf<'CallsSettled'>): void {
    for (const call of event.calls) {
      const id = idOf(run.runId, call);
      const row = settledRow(run.runId, call);
      const made = this.#made.get(id);
      if (made) this.#made.set(id, { ...made, ...merged(made, row) });
      else this.#settled.set(id, merged(this.#settled.get(id), row));
    }
  }

  /** An attempt after the first starts: what is recorded for its task need not be called again. */
  startAttempt(run: RunState, { taskId, attempt }: EventOf<'AttemptStarted'>): void {
    if (attempt === 1 || !Object.hasOwn(run.calls, taskId)) return;
    const calls = Object.entries(run.calls[taskId] ?? {});
    const keys = calls.filter(([, call]) => call.status === 'done').map(([key]) => key);
    if (keys.length > 0) this.kept.push({ run_id: run.runId, attempt, keys });
  }
}

const idOf = (runId: string, call: { key: string; try: number }): string => `${runId} ${call.key} ${call.try}`;

/** What a person says about a call later changes its outcome, not what was billed. */
function merged(before: { outcome?: unknown } | undefined, row: SettledRow): SettledRow {
  if (before?.outcome === undefined || before.outcome === 'open') return row;
  return { ...row, ...(before as SettledRow), outcome: row.outcome, ok: row.ok, note: row.note };
}

interface Place {
  commit_seq: number;
  place: number;
  at: number;
}

export function openCallRow(
  run: RunState,
  { taskId, attempt }: { taskId: string; attempt: number },
  call: CallReservation,
  place: Place,
): RowOf<'calls'> {
  return {
    run_id: run.runId,
    key: call.key,
    try: call.try,
    task_id: taskId,
    attempt,
    tenant: run.tenant,
    kind: call.kind,
    name: call.name,
    effect: call.effect ?? 'none',
    max_cost_micros: call.maxCostMicros,
    kept_for: null,
    outcome: 'open',
    ok: false,
    note: '',
    duration_ms: 0,
    input_tokens: 0,
    output_tokens: 0,
    cost_micros: 0,
    overrun_micros: null,
    unpriced: call.unpriced === true,
    ...place,
  };
}

function settledRow(runId: string, call: CallSettlement): SettledRow {
  return {
    run_id: runId,
    key: call.key,
    try: call.try,
    outcome: call.outcome,
    ok: call.ok,
    note: call.note,
    at: call.at,
    duration_ms: call.durationMs,
    input_tokens: call.inputTokens,
    output_tokens: call.outputTokens,
    cost_micros: call.costMicros,
    overrun_micros: call.overrunMicros ?? null,
    unpriced: call.unpriced === true,
  };
}
