/** Ids of runs: fresh ones, and ones that a repeated request arrives at again. */
import { createHash } from 'node:crypto';
import { makeRunId, type Json, type RunId, type RunRequest, type TenantId } from '@cadre/contracts';
import { v7 } from 'uuid';

/** @param shards number of shards of the installation */
export function freshRunId(shards: number): RunId {
  return makeRunId(Math.floor(Math.random() * shards), v7());
}

/** The run of an idempotency key. The same key gives the same run only while the number of shards stays. */
export function runIdOfKey(tenant: TenantId, key: string, shards: number): RunId {
  return digestId(['key', tenant, key], shards);
}

/** The run of an event from outside; CloudEvents are unique by source and id. */
export function runIdOfEvent(tenant: TenantId, source: string, id: string, shards: number): RunId {
  return digestId(['event', tenant, source, id], shards);
}

/** The run of a workflow that an event starts: each workflow has one of its own. */
export function runIdOfTrigger(tenant: TenantId, source: string, id: string, workflow: string, shards: number): RunId {
  return digestId(['trigger', tenant, source, id, workflow], shards);
}

/** Digest of what was asked for: requests that mean the same have the same one, however their JSON was written. */
export function fingerprintOf(request: RunRequest | Json): string {
  return createHash('sha256')
    .update(canonical(request as unknown as Json))
    .digest('hex');
}

function digestId(parts: string[], shards: number): RunId {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  const shard = digest.readUInt32BE(16) % shards;
  // A uuid of version 8: its bits are ours.
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex', 0, 16);
  return makeRunId(shard, [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-'));
}

/** JSON with sorted keys. */
function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`;
}
