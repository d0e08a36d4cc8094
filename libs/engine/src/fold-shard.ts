/** The fold of a shard's blocks. Like all folds it takes over the state that it is given. */
import { CadreError, isTerminal } from '@cadre/contracts';
import type { Block, Commit } from '@cadre/contracts';
import type { ShardState } from './state.js';
import { foldCommit } from './evolve.js';

export function emptyShard(): ShardState {
  return { open: {}, ended: {} };
}

/** One commit; a run that ends with it moves from `open` to `ended`. Changes the shard in place. */
export function foldShardCommit(shard: ShardState, commit: Commit): ShardState {
  if (Object.hasOwn(shard.ended, commit.runId)) {
    throw new CadreError('log-corrupt', `Run ${commit.runId} has a commit after its end.`, {
      remedy: 'The log was not written by this engine, or was changed; restore it from a copy.',
    });
  }
  const run = foldCommit(shard.open[commit.runId], commit);
  if (isTerminal(run.status)) {
    delete shard.open[commit.runId];
    shard.ended[commit.runId] = {
      fingerprint: run.fingerprint,
      tenant: run.tenant,
      status: run.status,
      endedAt: run.endedAt ?? commit.at,
    };
  } else {
    shard.open[commit.runId] = run;
  }
  return shard;
}

/** All commits of a block; a claim changes nothing. Changes the shard in place and returns it. Error `log-corrupt`. */
export function foldBlock(shard: ShardState, block: Block): ShardState {
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
