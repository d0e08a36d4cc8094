/** Invariant 12: what earlier releases have stored folds, keeps the invariants and is decided as it was. See `histories/README.md`. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { StoredBlock } from './ports.js';
import { checkInvariants } from './invariants/check-invariants.js';
import { replayDecisions } from './invariants/replay-decisions.js';
import type { DecisionRecord } from './invariants/replay-decisions.js';

const DIRECTORY = join(import.meta.dirname, '../histories');

const files = readdirSync(DIRECTORY, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ndjson.gz'));

function read(name: string): { blocks: StoredBlock[]; decisions: DecisionRecord[] } {
  const text = gunzipSync(readFileSync(join(DIRECTORY, name))).toString();
  const lines = text.split('\n').map((line) => JSON.parse(line) as StoredBlock | DecisionRecord);
  return {
    blocks: lines.filter((line): line is StoredBlock => 'block' in line),
    decisions: lines.filter((line): line is DecisionRecord => 'decision' in line),
  };
}

test.each(['v1', 'v2'])('there are histories of %s', (version) => {
  expect(files.filter((name) => name.startsWith(version)).length).toBeGreaterThanOrEqual(4);
});

describe.each(files)('%s', (name) => {
  const { blocks, decisions } = read(name);
  const shards = new Set(blocks.map(({ block }) => block.shard));

  test('folds, and keeps the invariants to its end', () => {
    expect(blocks.length).toBeGreaterThan(20);
    for (const shard of shards) {
      const own = blocks.filter(({ block }) => block.shard === shard);
      expect(checkInvariants({ blocks: own, shards: shards.size, finished: true, graceMs: Infinity })).toEqual([]);
    }
  });

  test('is decided again as it was', () => {
    expect(decisions.length).toBeGreaterThan(10);
    expect(replayDecisions(decisions)).toEqual([]);
  });
});
