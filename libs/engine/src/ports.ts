/** What the core needs from outside. Adapters implement these; each has a memory form held to the same contract suite. */
import type { BlobRef, Block, CommandReply, Json, KeptResult, ShardCommand, TenantId } from '@cadre/contracts';

export interface StoredBlock {
  /** Sequence in the shard's stream, from 1, without gaps. */
  seq: number;
  block: Block;
}

/** `fenced`: somebody else wrote first; the caller has lost the shard and must drop its memory. */
export type AppendOutcome = { stored: true; seq: number } | { stored: false; reason: 'fenced' };

export interface LogSnapshot {
  /** The state is the fold of all blocks up to and with this sequence. */
  seq: number;
  state: Json;
}

/** The log of one shard. Errors: `CadreError` `log-unavailable` (retriable) when the store does not answer. */
export interface ShardLog {
  readonly shard: number;
  /** Sequence of the last stored block; 0 when empty. Trimming does not change it. */
  lastSeq(): Promise<number>;
  /**
   * Stores a block as number `expectedSeq + 1`, or says that it was fenced. A lost acknowledgement is settled before the answer:
   * the same block (by id) is never stored twice and never reported as fenced when it is there. May be called again before the last
   * call has settled (with the next number); at most `BLOCK_LIMITS.inFlight` at once.
   * @param json the block's JSON, if it has been made already
   */
  append(block: Block, expectedSeq: number, json?: string): Promise<AppendOutcome>;
  /** Stored blocks with `seq > afterSeq`, in order, up to the end as it was at the call. Error `log-trimmed` when some are gone. */
  read(afterSeq: number): AsyncIterable<StoredBlock>;
  /** Like `read`, then goes on with new blocks as they come, until the signal aborts. Survives reconnects; no gap, no repeat. */
  tail(afterSeq: number, signal: AbortSignal): AsyncIterable<StoredBlock>;
  loadSnapshot(): Promise<LogSnapshot | undefined>;
  saveSnapshot(snapshot: LogSnapshot): Promise<void>;
  /** Drops blocks with `seq <= uptoSeq`. Only after a snapshot at or past it is saved. */
  trim(uptoSeq: number): Promise<void>;
}

export interface Lease {
  readonly name: string;
  readonly holder: string;
  /** Grows with each change of holder. */
  readonly epoch: number;
  /** Aborts when the lease is lost or released. */
  readonly lost: AbortSignal;
  /** False as soon as the holder cannot be sure (counts from the last confirmed renewal). */
  isHeld(): boolean;
  release(): Promise<void>;
}

/** Named leases with a time to live. */
export interface Leases {
  /** Waits until the lease is free, takes it and keeps it renewed; rejects with `aborted` when the signal aborts first. */
  acquire(name: string, holder: string, signal: AbortSignal): Promise<Lease>;
}

/** Content-addressed bodies. Putting the same bytes twice stores them once. */
export interface Blobs {
  put(bytes: Uint8Array, mediaType: string): Promise<BlobRef>;
  /** Errors: `blob-missing`, `blob-corrupt` (digest differs). */
  get(ref: BlobRef): Promise<Uint8Array>;
  /** Whether `get` would find it; whether what is there is whole only `get` finds out. */
  has(ref: BlobRef): Promise<boolean>;
}

/**
 * Results that stand for later ones. Errors: `CadreError` `store-unavailable` (retriable). What was put may be gone at any time, and need
 * not be there at once for everybody.
 */
export interface ResultCache {
  /** @param key a digest, in hex digits. Undefined when there is none of this tenant, or its time (`until`) is over */
  get(tenant: TenantId, key: string): Promise<KeptResult | undefined>;
  /** What was there under the key is replaced. */
  put(tenant: TenantId, key: string, kept: KeptResult): Promise<void>;
}

/** What of an `AbortSignal` it takes to be told of an end. A whole one costs more than a small attempt does. */
export interface EndSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Sends commands to the owners of their shards, and keeps at it until each is answered. */
export interface CommandSender {
  /**
   * Replies in the order of the commands; never `unavailable`: that is asked again with backoff.
   * Error `commands-unanswered` (retriable) when the signal aborts first.
   */
  send(commands: ShardCommand[], signal?: EndSignal): Promise<CommandReply[]>;
}

/** Time, as a process sees it. Production gives the system's, the simulator a virtual one. */
export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number;
  /** Runs a function once, after at least so many milliseconds. @returns what prevents it */
  after(ms: number, run: () => void): () => void;
  /** Runs a function after what is going on now, and with it what arrived together, is done. */
  soon(run: () => void): void;
}

/** Chance, as a process sees it. */
export interface Chance {
  /** In [0, 1). */
  random(): number;
  /** A new id, never given before: 36 characters at most, letters, digits and `-`. */
  newId(): string;
}

/** A command on its way, with its JSON: a repetition is the same bytes. */
export interface SentCommand {
  command: ShardCommand;
  json: string;
}

/** The wire to the owners of shards. */
export interface CommandLine {
  /** Bytes of one command that fit into a message. */
  readonly maxCommandBytes: number;
  /**
   * Asks the owner of a shard once. Not every command need have a reply, and the order is not given. Rejects when there is no answer in
   * time, with `CadreError` `connection-closed` when there never will be.
   */
  request(shard: number, batch: readonly SentCommand[]): Promise<readonly CommandReply[]>;
}
