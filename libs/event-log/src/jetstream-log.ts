/** The log of one shard in its JetStream stream: appending, reading, snapshots and trimming put together. */
import { STREAMS, type Block } from '@cadre/contracts';
import type { AppendOutcome, LogSnapshot, ShardLog, StoredBlock } from '@cadre/engine';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { BlockAppender } from './block-appender.js';
import { BlockReader } from './block-reader.js';
import { ConnectionState } from './connection.js';
import { logUnavailable, snapshotCorrupt, trimUnsafe } from './errors.js';
import { SnapshotStore } from './snapshot-store.js';

export interface JetStreamLogOptions {
  /** How long to wait for an acknowledgement before asking the server what happened. Default 2 s. */
  ackTimeoutMs?: number;
  /** How long to go on asking before failing with `log-unavailable`. Default 30 s. */
  settleMs?: number;
}

const REQUEST_MS = 1500;

export class JetStreamLog implements ShardLog {
  readonly shard: number;
  readonly #jsm: JetStreamManager;
  readonly #connection: ConnectionState;
  readonly #appender: BlockAppender;
  readonly #reader: BlockReader;
  readonly #snapshots: SnapshotStore;

  private constructor(
    shard: number,
    jsm: JetStreamManager,
    connection: ConnectionState,
    parts: { appender: BlockAppender; reader: BlockReader; snapshots: SnapshotStore },
  ) {
    this.shard = shard;
    this.#jsm = jsm;
    this.#connection = connection;
    this.#appender = parts.appender;
    this.#reader = parts.reader;
    this.#snapshots = parts.snapshots;
  }

  /**
   * Opens the log of a shard; its stream must exist (see `ensureTopology`). The connection stays the caller's.
   * @throws CadreError `log-missing`, `log-unavailable` (retriable)
   */
  static async open(nats: NatsConnection, shard: number, options: JetStreamLogOptions = {}): Promise<JetStreamLog> {
    const { ackTimeoutMs = 2000, settleMs = 30_000 } = options;
    const jsm = await jetstreamManager(nats, { timeout: REQUEST_MS, checkAPI: false });
    const connection = new ConnectionState(nats);
    const reader = new BlockReader(nats, connection, jsm, shard, settleMs);
    try {
      await reader.lastSeq();
    } catch (error) {
      connection.close();
      throw error;
    }
    const appender = new BlockAppender(nats, connection, jsm.streams, shard, { ackTimeoutMs, settleMs });
    return new JetStreamLog(shard, jsm, connection, { appender, reader, snapshots: await SnapshotStore.open(nats, shard) });
  }

  lastSeq(): Promise<number> {
    return this.#reader.lastSeq();
  }

  /**
   * @throws CadreError `log-unavailable`: not known whether it is stored; the same block may be appended again. `log-refused`,
   * `block-too-large`.
   */
  append(block: Block, expectedSeq: number, json?: string): Promise<AppendOutcome> {
    return this.#appender.append(block, expectedSeq, json);
  }

  /** @throws CadreError `log-trimmed`, `log-corrupt`, `log-unavailable` (retriable) */
  read(afterSeq: number): AsyncIterable<StoredBlock> {
    return this.#reader.read(afterSeq);
  }

  /** @throws CadreError `log-trimmed`, `log-corrupt`, `log-missing`; `log-unavailable` only when the connection was closed for good */
  tail(afterSeq: number, signal: AbortSignal): AsyncIterable<StoredBlock> {
    return this.#reader.tail(afterSeq, signal);
  }

  /**
   * The newest whole snapshot; a damaged one counts as none as long as the log can still be folded without it. @throws CadreError
   * `snapshot-corrupt`
   */
  async loadSnapshot(): Promise<LogSnapshot | undefined> {
    const { snapshot, damaged } = await this.#snapshots.load();
    const from = (snapshot?.seq ?? 0) + 1;
    if (damaged !== undefined && (await this.#reader.firstSeq()) > from) throw snapshotCorrupt(this.shard, damaged);
    return snapshot;
  }

  saveSnapshot(snapshot: LogSnapshot): Promise<void> {
    return this.#snapshots.save(snapshot);
  }

  /**
   * Trimming up to the snapshot before the newest keeps that one of use as a reserve.
   * @throws CadreError `trim-unsafe` past the newest saved snapshot
   */
  async trim(uptoSeq: number): Promise<void> {
    const saved = await this.#snapshots.savedSeq();
    if (uptoSeq > saved) throw trimUnsafe(this.shard, uptoSeq, saved);
    if (uptoSeq < 1) return;
    try {
      await this.#jsm.streams.purge(STREAMS.log(this.shard), { seq: uptoSeq + 1 });
    } catch (cause) {
      throw logUnavailable(this.shard, cause);
    }
  }

  /** Ends its subscriptions. Appends under way fail with `log-unavailable`. */
  close(): void {
    this.#appender.close();
    this.#snapshots.close();
    this.#connection.close();
  }
}
