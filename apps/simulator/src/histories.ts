/**
 * Histories for later releases: all blocks of a seed's shards, and decisions as they were made. A test of every release from now on folds
 * the blocks and decides again.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { decideInShard, recordDecision, type DecideInShard, type DecisionRecord } from '@cadre/engine';
import { drawOptions } from './options.js';
import { runWorld } from './run-seed.js';

/** Decisions carry the state that they were made on, so only some are kept, and none on a large state. */
const KEEP_ONE_IN = 3;
const MOST_BYTES = 12_000;

/** Writes `seed-<n>.ndjson.gz`: a line for each block, then one for each decision. @returns what was written */
export async function recordHistories(directory: string, seeds: number, steps: number): Promise<{ files: number; bytes: number }> {
  mkdirSync(directory, { recursive: true });
  let bytes = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const file = gzipSync(await historyOf(seed, steps), { level: 9 });
    bytes += file.length;
    writeFileSync(join(directory, `seed-${seed}.ndjson.gz`), file);
  }
  return { files: seeds, bytes };
}

async function historyOf(seed: number, steps: number): Promise<string> {
  const decisions: DecisionRecord[] = [];
  let count = 0;
  const decide: DecideInShard = (shard, command, context) => {
    const known = shard.open[command.runId];
    const before = known && structuredClone(known);
    const decision = decideInShard(shard, command, context);
    count += 1;
    if (count % KEEP_ONE_IN !== 0) return decision;
    const record = recordDecision({ ...shard, open: before ? { [command.runId]: before } : {} }, command, context, decision);
    if (JSON.stringify(record).length <= MOST_BYTES) decisions.push(record);
    return decision;
  };
  const blocks: { seq: number; block: unknown }[] = [];
  const result = await runWorld(drawOptions(seed, steps), { plant: { decide }, onBlock: (seq, block) => blocks.push({ seq, block }) });
  if (result.finding) throw new Error(`seed ${seed} is no history to keep: ${result.finding.message}`);
  return [...blocks, ...decisions].map((line) => JSON.stringify(line)).join('\n');
}
