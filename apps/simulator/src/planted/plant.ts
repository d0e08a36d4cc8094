/**
 * A planted fault: a thin layer around production code that makes it wrong in one way. If the simulator does not see it, it would not see
 * the same fault in production code either.
 */
import type { WorkSurroundings } from '@cadre/agents';
import type { CommandLine, CommandSender, DecideInShard, Lease, LogSnapshot, ServeCommands, ShardLog } from '@cadre/engine';
import type { LogStream } from '../broker/log-stream.js';
import type { Wire } from '../wire.js';

export interface Plant {
  /** How the owner of a shard decides. */
  decide?: DecideInShard;
  /** The log as the owner has it. */
  ownerLog?(log: ShardLog, wire: Wire): ShardLog;
  /** A snapshot on its way into the store. */
  snapshot?(snapshot: LogSnapshot): LogSnapshot;
  /** A lease as orchestrators have it. */
  lease?(lease: Lease): Lease;
  /** The stream in the broker. */
  stream?(stream: LogStream): void;
  serve?(serve: ServeCommands, wire: Wire): ServeCommands;
  /** The log as the scheduler follows it. */
  schedulerLog?(log: ShardLog): ShardLog;
  schedulerSender?(sender: CommandSender): CommandSender;
  clientSender?(sender: CommandSender, line: CommandLine): CommandSender;
  /** What a worker's state machines work with. */
  worker?(around: WorkSurroundings, wire: Wire): WorkSurroundings;
}

/** The same log with some of its methods replaced. */
export function logWith(log: ShardLog, changes: Partial<ShardLog>): ShardLog {
  return {
    shard: log.shard,
    lastSeq: () => log.lastSeq(),
    append: (block, expectedSeq, json) => log.append(block, expectedSeq, json),
    read: (afterSeq) => log.read(afterSeq),
    tail: (afterSeq, signal) => log.tail(afterSeq, signal),
    loadSnapshot: () => log.loadSnapshot(),
    saveSnapshot: (snapshot) => log.saveSnapshot(snapshot),
    trim: (uptoSeq) => log.trim(uptoSeq),
    ...changes,
  };
}
