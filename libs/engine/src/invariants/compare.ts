/** Invariant 1 for what is kept beside the log: snapshots and the read model must be what the log folds to. */
import { isTerminal } from '@cadre/contracts';
import type { Commit, Json, RunView } from '@cadre/contracts';
import { foldCommit } from '../evolve.js';
import type { RunState, ShardState, TaskState } from '../state.js';
import type { Report } from './violation.js';

/** JSON with sorted keys and without undefined fields, so that equal values have equal texts. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((part) => (part === undefined ? 'null' : canonical(part))).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, part]) => part !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`).join(',')}}`;
}

/** All runs of a log, ended ones too, as the engine folds them. */
export class FoldedRuns {
  readonly runs = new Map<string, RunState>();
  readonly #broken = new Set<string>();

  /** A run whose log does not fold is reported once, and then left alone. */
  commit(commit: Commit, blockSeq: number, report: Report): void {
    const { runId } = commit;
    if (this.#broken.has(runId)) return;
    try {
      this.runs.set(runId, foldCommit(this.runs.get(runId), commit));
    } catch (error) {
      this.#broken.add(runId);
      this.runs.delete(runId);
      report({ invariant: 1, clause: 'does-not-fold', message: error instanceof Error ? error.message : String(error), runId, blockSeq });
    }
  }
}

/** Where two values differ as JSON: a field that is undefined is not there. */
function firstDifference(a: unknown, b: unknown, path = ''): string | undefined {
  if (a === b) return undefined;
  const composite = typeof a === 'object' && typeof b === 'object' && a !== null && b !== null;
  if (!composite || Array.isArray(a) !== Array.isArray(b)) return path || '(all)';
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key of Object.keys(left)) {
    const found = firstDifference(left[key], right[key], `${path}/${key}`);
    if (found !== undefined) return found;
  }
  for (const key of Object.keys(right)) if (right[key] !== undefined && left[key] === undefined) return `${path}/${key}`;
  return undefined;
}

/** @param runs the fold of the log up to the snapshot. Ended runs may be missing from a snapshot: they are forgotten after a time. */
export function compareSnapshot(runs: ReadonlyMap<string, RunState>, snapshot: { seq: number; state: Json }, report: Report): void {
  const state = snapshot.state as unknown as ShardState;
  const differ = (runId: string, where: string): void => {
    const message = `the snapshot at ${snapshot.seq} differs from the log for ${runId}: ${where}`;
    report({ invariant: 1, clause: 'snapshot-differs', message, runId, blockSeq: snapshot.seq });
  };
  for (const [runId, run] of runs) {
    if (isTerminal(run.status)) {
      const kept = state.ended?.[runId];
      if (kept && (kept.status !== run.status || kept.fingerprint !== run.fingerprint || kept.endedAt !== run.endedAt))
        differ(runId, 'ended');
      if (state.open?.[runId]) differ(runId, 'it has ended, but is open in the snapshot');
    } else {
      const difference = firstDifference(run, state.open?.[runId]);
      if (difference !== undefined) differ(runId, difference);
    }
  }
  for (const runId of [...Object.keys(state.open ?? {}), ...Object.keys(state.ended ?? {})]) {
    if (!runs.has(runId)) differ(runId, 'the log does not have it');
  }
}

function expectedTask(task: TaskState): Record<string, unknown> {
  return {
    taskId: task.spec.id,
    status: task.status,
    attempt: task.attempt,
    endedAt: task.endedAt,
    confidence: task.result?.confidence,
    answer: task.result?.answer,
    artifacts: task.result?.artifacts ?? [],
    usage: task.usage,
  };
}

/** The part of a view that the log determines beyond doubt. */
function expectedView(run: RunState): Record<string, unknown> {
  const tasks = Object.values(run.tasks);
  return {
    tenant: run.tenant,
    goal: run.goal,
    status: run.status,
    seq: run.seq,
    createdAt: run.createdAt,
    deadlineAt: run.deadlineAt,
    endedAt: run.endedAt,
    answer: run.answer,
    partial: run.partial,
    missing: run.missing,
    error: run.error,
    planSource: run.planSource,
    tasksTotal: tasks.length,
    tasksDone: tasks.filter((task) => task.endedAt !== undefined).length,
    artifacts: isTerminal(run.status) ? run.artifacts : undefined,
    usage: isTerminal(run.status) ? run.usage : undefined,
    tasks: tasks.map(expectedTask),
  };
}

function pick(view: object, shape: object): Record<string, unknown> {
  return Object.fromEntries(Object.keys(shape).map((key) => [key, (view as Record<string, unknown>)[key]]));
}

export function compareView(run: RunState | undefined, view: RunView, report: Report): void {
  const { runId } = view;
  if (!run) {
    report({ invariant: 1, clause: 'view-unknown', message: `the read model shows ${runId}, which the log does not have`, runId });
    return;
  }
  const expected = expectedView(run);
  for (const key of ['artifacts', 'usage']) if (expected[key] === undefined) delete expected[key];
  const [sample] = expected['tasks'] as object[];
  const shown = { ...pick(view, expected), tasks: view.tasks.map((task) => pick(task, sample ?? {})) };
  const difference = firstDifference(expected, shown);
  if (difference === undefined) return;
  report({ invariant: 1, clause: 'view-differs', message: `the read model differs from the log for ${runId}: ${difference}`, runId });
}
