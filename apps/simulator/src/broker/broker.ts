/**
 * The broker: what in production is NATS with JetStream. It is one place in virtual time; what is between it and a process is the `Wire`.
 */
import type { Backlog, CancelBatch, Heartbeat, OfferBatch } from '@cadre/contracts';
import { LeaseTable } from './lease-table.js';
import { LogStream } from './log-stream.js';
import { Subjects, type CommandRequest } from './switchboard.js';

export class Broker {
  /** While it is down it answers nobody and passes nothing on. What it has stored stays. */
  isUp = true;
  readonly logs: LogStream[];
  readonly leases = new LeaseTable();
  readonly blobs = new Map<string, Uint8Array>();
  readonly commands = new Subjects<CommandRequest>();
  readonly offers = new Subjects<OfferBatch>();
  readonly cancels = new Subjects<CancelBatch>();
  readonly backlogs = new Subjects<Backlog>();
  readonly heartbeats = new Subjects<Heartbeat>();

  constructor(shards: number) {
    this.logs = Array.from({ length: shards }, (_, shard) => new LogStream(shard));
  }
}
