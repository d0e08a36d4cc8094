/** The fold of a shard's blocks. Like all folds it takes over the state that it is given. */
import { CadreError, isTerminal } from '@cadre/contracts';
import type { AccountCommit, Block, Commit } from '@cadre/contracts';
import { accountOf, newAccount } from './account/account-state.js';
import { foldAccountCommit } from './account/evolve-account.js';
import { NOTHING_SPENT } from './state.js';
import type { EndedRun, RunState, ShardState, Spent } from './state.js';
import { foldCommit } from './evolve.js';
import type { RunDraft } from './run-draft.js';

export function emptyShard(): ShardState {
  return { open: {}, ended: {}, accounts: {} };
}

/** What is kept of a run that has ended. @param at when, if the run does not say */
export function endedRun(run: RunState, at: number): EndedRun {
  const { fingerprint, tenant, status, endedAt = at } = run;
  const answers = Object.entries(run.questions).flatMap(([id, { answer }]) => (answer ? [[id, answer.choice] as const] : []));
  return { fingerprint, tenant, status, endedAt, ...(answers.length > 0 ? { answers: Object.fromEntries(answers) } : {}) };
}

/** One commit; a run that ends with it moves from `open` to `ended`. Changes the shard in place. */
export function foldShardCommit(shard: ShardState, commit: Commit): ShardState {
  if (Object.hasOwn(shard.ended, commit.runId)) {
    throw new CadreError('log-corrupt', `Run ${commit.runId} has a commit after its end.`, {
      remedy: 'The log was not written by this engine, or was changed; restore it from a copy.',
    });
  }
  const before = shard.open[commit.runId]?.spent ?? NOTHING_SPENT;
  return takeOver(shard, commit, foldCommit(shard.open[commit.runId], commit), before);
}

/** What a draft has come to, instead of folding its commit. Changes the shard in place. */
export function adoptDraft(shard: ShardState, commit: Commit, draft: RunDraft): ShardState {
  const before = shard.open[commit.runId]?.spent ?? NOTHING_SPENT;
  return takeOver(shard, commit, draft.adopt(commit.seq), before);
}

function takeOver(shard: ShardState, commit: Commit, run: RunState, before: Spent): ShardState {
  if (run.spent !== before) bookSpending(shard, run, before);
  if (isTerminal(run.status)) {
    delete shard.open[commit.runId];
    shard.ended[commit.runId] = endedRun(run, commit.at);
  } else {
    shard.open[commit.runId] = run;
  }
  return shard;
}

/** What a run's commit settles and reserves counts for its tenant in the same commit. */
function bookSpending(shard: ShardState, run: RunState, before: Spent): void {
  const account = accountOf(shard.accounts, run.tenant) ?? newAccount(run.tenant);
  const settledMicros = account.settledMicros + run.spent.settledMicros - before.settledMicros;
  const reservedMicros = account.reservedMicros + run.spent.reservedMicros - before.reservedMicros;
  shard.accounts[run.tenant] = { ...account, settledMicros, reservedMicros };
}

/** One commit of a tenant's account. Changes the shard in place. */
export function foldShardAccount(shard: ShardState, commit: AccountCommit): ShardState {
  shard.accounts[commit.tenant] = foldAccountCommit(accountOf(shard.accounts, commit.tenant), commit);
  return shard;
}

/**
 * All commits of a block, those of accounts first; a claim changes nothing. Changes the shard in place and returns it. Error `log-corrupt`.
 */
export function foldBlock(shard: ShardState, block: Block): ShardState {
  for (const commit of block.accounts ?? []) foldShardAccount(shard, commit);
  for (const commit of block.commits) foldShardCommit(shard, commit);
  return shard;
}

/** Forgets runs that ended more than `retentionMs` before `now`. Changes the shard in place and returns it. */
export function pruneEnded(shard: ShardState, now: number, retentionMs: number): ShardState {
  for (const [runId, run] of Object.entries(shard.ended)) {
    if (run.endedAt + retentionMs < now) delete shard.ended[runId];
  }
  return shard;
}
