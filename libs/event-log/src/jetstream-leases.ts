/** Leases as entries of a KV bucket. */
import { randomUUID } from 'node:crypto';
import { KeptLeases, type Clock, type Lease, type Leases, type LeaseTiming } from '@cadre/engine';
import type { NatsConnection } from '@nats-io/transport-node';
import { KvLeaseStore } from './kv-lease-store.js';

/** A lease lives on durations, which setting the time of day must not change. */
const MONOTONIC: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  soon: (run) => void setImmediate(run),
};

export class JetStreamLeases implements Leases {
  readonly #store: KvLeaseStore;
  readonly #kept: KeptLeases;

  private constructor(store: KvLeaseStore, timing: Partial<LeaseTiming>) {
    this.#store = store;
    this.#kept = new KeptLeases({ store, clock: MONOTONIC, newId: randomUUID }, timing);
  }

  /** The bucket must exist: see `ensureTopology`. */
  static async open(nats: NatsConnection, timing: Partial<LeaseTiming> = {}): Promise<JetStreamLeases> {
    return new JetStreamLeases(await KvLeaseStore.open(nats), timing);
  }

  /** See `KeptLeases`. */
  acquire(name: string, holder: string, signal: AbortSignal): Promise<Lease> {
    return this.#kept.acquire(name, holder, signal);
  }

  /** Leases that are held are no longer renewed; release them first. */
  close(): void {
    this.#store.close();
  }
}
