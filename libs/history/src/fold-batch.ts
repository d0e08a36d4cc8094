/** Folds a batch of blocks in memory and remembers which rows it changed; nothing is written here. */
import type { CallKind, CallSettlement, Commit, RunEvent } from '@cadre/contracts';
import { foldCommit, type RunState, type StoredBlock } from '@cadre/engine';
import { AccountBatch } from './account-batch.js';
import { CallBatch } from './call-batch.js';
import { QuestionBatch } from './question-batch.js';
import { callStateRow, commitRow, runRow, taskRow } from './run-rows.js';
import type { RowOf } from './write-rows.js';

/** A commit and its run as it was after it (or after a later commit of the same batch). */
export interface FoldedCommit {
  tenant: string;
  commit: Commit;
  run: RunState;
  /** Calls that ended with it, each counted once. */
  ended: EndedCall[];
}

export interface EndedCall extends CallSettlement {
  kind: CallKind;
  name: string;
}

/** A commit that could not be folded: the log is damaged there. It is left out, and the rest goes on. */
export interface SkippedCommit {
  commit: Commit;
  reason: string;
}

/** A task whose calls the state has forgotten, but for those with these keys. */
export interface ForgottenCalls {
  run_id: string;
  task_id: string;
  keptKeys: string[];
}

export interface FoldedBatch {
  folded: FoldedCommit[];
  skipped: SkippedCommit[];
  /** States of all runs touched; undefined: not to be trusted, read it again. */
  runs: Map<string, RunState | undefined>;
  rows: {
    runs: RowOf<'runs'>[];
    tasks: RowOf<'tasks'>[];
    commits: RowOf<'commits'>[];
    callStates: RowOf<'call_states'>[];
  };
  calls: CallBatch;
  questions: QuestionBatch;
  accounts: AccountBatch;
  forgotten: ForgottenCalls[];
}

interface Touched {
  /** undefined: a commit failed half-way through. */
  state: RunState | undefined;
  tasks: Set<string> | 'all';
  /** Keys of calls by task. */
  calls: Map<string, Set<string>>;
  /** Tasks whose attempts have closed: calls of theirs may be forgotten. */
  closed: Set<string>;
}

/**
 * Takes over the known states, as folds do: whatever comes of the batch, they may not be used afterwards.
 * @param known states of runs that started before this batch; commits that they already hold are passed over
 */
export function foldBatch(blocks: readonly StoredBlock[], known: ReadonlyMap<string, RunState>): FoldedBatch {
  const touched = new Map<string, Touched>();
  const batch: FoldedBatch = {
    ...{ folded: [], skipped: [], runs: new Map(), rows: { runs: [], tasks: [], commits: [], callStates: [] } },
    ...{ calls: new CallBatch(), questions: new QuestionBatch(), accounts: new AccountBatch(), forgotten: [] },
  };
  for (const { block } of blocks) {
    for (const commit of block.accounts ?? []) batch.accounts.fold(commit);
    for (const commit of block.commits) {
      const entry = touched.get(commit.runId) ?? untouched(known.get(commit.runId));
      const reason = touched.has(commit.runId) && !entry.state ? 'an earlier commit failed' : undefined;
      if (reason !== undefined) batch.skipped.push({ commit, reason });
      else if (commit.seq > (entry.state?.seq ?? 0)) {
        touched.set(commit.runId, entry);
        foldOne(batch, entry, commit);
      }
    }
  }
  for (const [runId, entry] of touched) {
    batch.runs.set(runId, entry.state);
    if (entry.state !== undefined) addRows(batch, entry, entry.state);
  }
  return batch;
}

function untouched(state: RunState | undefined): Touched {
  return { state, tasks: new Set(), calls: new Map(), closed: new Set() };
}

function foldOne(batch: FoldedBatch, entry: Touched, commit: Commit): void {
  const questions = entry.state?.questions ?? {};
  const ended = endedCalls(entry.state, commit);
  const spent = entry.state?.spent;
  try {
    entry.state = foldCommit(entry.state, commit);
  } catch (error) {
    entry.state = undefined;
    batch.skipped.push({ commit, reason: error instanceof Error ? error.message : String(error) });
    return;
  }
  const run = entry.state;
  commit.events.forEach((event, place) => {
    markTasks(entry, event);
    noteCalls(batch, entry, run, event, { seq: commit.seq, at: commit.at, place });
  });
  batch.questions.note(questions, run, commit);
  batch.accounts.spend(spent, run);
  batch.rows.commits.push(commitRow(run.tenant, commit));
  batch.folded.push({ tenant: run.tenant, commit, run, ended });
}

/** What a person says later about a call whose outcome was unknown does not end it a second time. */
function endedCalls(before: RunState | undefined, commit: Commit): EndedCall[] {
  const open = new Map<string, { kind: CallKind; name: string }>();
  const ended: EndedCall[] = [];
  for (const event of commit.events) {
    if (event.type === 'CallsReserved') for (const call of event.calls) open.set(call.key, call);
    if (event.type !== 'CallsSettled') continue;
    for (const call of event.calls) {
      const known = before?.calls[event.taskId]?.[call.key];
      const made = open.get(call.key) ?? (known?.status === 'open' ? known : undefined);
      if (made) ended.push({ ...call, kind: made.kind, name: made.name });
      open.delete(call.key);
    }
  }
  return ended;
}

function noteCalls(
  batch: FoldedBatch,
  entry: Touched,
  run: RunState,
  event: RunEvent,
  commit: { seq: number; at: number; place: number },
): void {
  switch (event.type) {
    case 'CallsReserved':
      batch.calls.reserve(run, event, commit);
      return touchCalls(entry, event.taskId, event.calls);
    case 'CallsSettled':
      batch.calls.settle(run, event);
      return touchCalls(entry, event.taskId, event.calls);
    case 'QuestionAnswered': {
      const key = run.questions[event.questionId]?.key;
      return touchCalls(entry, event.taskId, key === undefined ? [] : [{ key }]);
    }
    case 'AttemptStarted':
      return batch.calls.startAttempt(run, event);
    case 'AttemptFailed':
    case 'TaskCompleted':
    case 'TaskFailed':
    case 'TaskSkipped':
    case 'TaskCancelled':
      entry.closed.add(event.taskId);
  }
}

function touchCalls({ calls }: Touched, taskId: string, touched: readonly { key: string }[]): void {
  const keys = calls.get(taskId) ?? new Set();
  for (const { key } of touched) keys.add(key);
  calls.set(taskId, keys);
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

function addRows(batch: FoldedBatch, { tasks, calls, closed }: Touched, run: RunState): void {
  batch.rows.runs.push(runRow(run));
  for (const taskId of tasks === 'all' ? Object.keys(run.tasks) : tasks) {
    const task = run.tasks[taskId];
    if (task !== undefined) batch.rows.tasks.push(taskRow(run, task));
  }
  for (const [taskId, keys] of calls) {
    for (const key of keys) {
      const call = run.calls[taskId]?.[key];
      if (call !== undefined) batch.rows.callStates.push(callStateRow(run.runId, taskId, key, call));
    }
  }
  for (const taskId of closed) {
    batch.forgotten.push({ run_id: run.runId, task_id: taskId, keptKeys: Object.keys(run.calls[taskId] ?? {}) });
  }
}
