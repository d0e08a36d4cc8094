/** Folds a batch of blocks in memory and remembers which rows it changed; nothing is written here. */
import type { Commit, RunEvent } from '@cadre/contracts';
import { foldCommit, type RunState, type StoredBlock } from '@cadre/engine';
import { callRow, commitRow, runRow, taskRow } from './run-rows.js';
import type { RowOf } from './write-rows.js';

/** A commit and its run as it was after it (or after a later commit of the same batch). */
export interface FoldedCommit {
  tenant: string;
  commit: Commit;
  run: RunState;
}

/** A commit that could not be folded: the log is damaged there. It is left out, and the rest goes on. */
export interface SkippedCommit {
  commit: Commit;
  reason: string;
}

export interface FoldedBatch {
  folded: FoldedCommit[];
  skipped: SkippedCommit[];
  /** States of all runs touched; undefined: not to be trusted, read it again. */
  runs: Map<string, RunState | undefined>;
  rows: { runs: RowOf<'runs'>[]; tasks: RowOf<'tasks'>[]; calls: RowOf<'calls'>[]; commits: RowOf<'commits'>[] };
}

interface Touched {
  /** undefined: a commit failed half-way through. */
  state: RunState | undefined;
  tasks: Set<string> | 'all';
}

/**
 * Takes over the known states, as folds do: whatever comes of the batch, they may not be used afterwards.
 * @param known states of runs that started before this batch; commits that they already hold are passed over
 */
export function foldBatch(blocks: readonly StoredBlock[], known: ReadonlyMap<string, RunState>): FoldedBatch {
  const touched = new Map<string, Touched>();
  const batch: FoldedBatch = { folded: [], skipped: [], runs: new Map(), rows: { runs: [], tasks: [], calls: [], commits: [] } };
  for (const { block } of blocks) {
    for (const commit of block.commits) {
      const entry = touched.get(commit.runId) ?? { state: known.get(commit.runId), tasks: new Set() };
      const reason = touched.has(commit.runId) && !entry.state ? 'an earlier commit failed' : undefined;
      if (reason !== undefined) batch.skipped.push({ commit, reason });
      else if (commit.seq > (entry.state?.seq ?? 0)) {
        touched.set(commit.runId, entry);
        foldOne(batch, entry, commit);
      }
    }
  }
  for (const [runId, { state, tasks }] of touched) {
    batch.runs.set(runId, state);
    if (state === undefined) continue;
    batch.rows.runs.push(runRow(state));
    Object.values(state.tasks).forEach((task, position) => {
      if (tasks === 'all' || tasks.has(task.spec.id)) batch.rows.tasks.push(taskRow(state, task, position));
    });
  }
  return batch;
}

function foldOne(batch: FoldedBatch, entry: Touched, commit: Commit): void {
  try {
    entry.state = foldCommit(entry.state, commit);
  } catch (error) {
    entry.state = undefined;
    batch.skipped.push({ commit, reason: error instanceof Error ? error.message : String(error) });
    return;
  }
  for (const event of commit.events) {
    markTasks(entry, event);
    if (event.type !== 'CallsRecorded') continue;
    for (const call of event.calls) batch.rows.calls.push(callRow(entry.state, event.taskId, event.attempt, call));
  }
  batch.rows.commits.push(commitRow(entry.state.tenant, commit));
  batch.folded.push({ tenant: entry.state.tenant, commit, run: entry.state });
}

function markTasks(changes: Touched, event: RunEvent): void {
  if (changes.tasks === 'all') return;
  if ('taskId' in event) changes.tasks.add(event.taskId);
  else if (event.type === 'TasksAdded') {
    // Tasks that were there before learn who depends on them.
    for (const { id, dependsOn, alternativeTo } of event.tasks)
      for (const each of [id, ...dependsOn, alternativeTo ?? id]) changes.tasks.add(each);
  }
  // The end of a run may close any of its tasks.
  else if (event.type === 'RunCompleted' || event.type === 'RunFailed' || event.type === 'RunCancelled') changes.tasks = 'all';
}
