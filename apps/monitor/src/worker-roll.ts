/** Remembers which workers were heard of since the last writing. */
import { Heartbeat, SUBJECTS, type WorkerView } from '@cadre/contracts';
import type { HistoryStore } from '@cadre/history';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';

export class WorkerRoll {
  readonly #heard = new Map<string, WorkerView>();
  readonly #subscription: Subscription;

  constructor(nats: NatsConnection) {
    this.#subscription = nats.subscribe(SUBJECTS.heartbeats, {
      callback: (error, message) => {
        if (!error) this.#hear(message.data);
      },
    });
  }

  /** Writes the lives of workers heard of since last time. */
  async write(store: HistoryStore): Promise<void> {
    const views = [...this.#heard.values()];
    this.#heard.clear();
    await store.seeWorkers(views);
  }

  stop(): void {
    this.#subscription.unsubscribe();
  }

  /** What is not a heartbeat is dropped: anybody can publish there. */
  #hear(data: Uint8Array): void {
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder().decode(data));
    } catch {
      return;
    }
    const parsed = Heartbeat.safeParse(json);
    if (!parsed.success) return;
    const { seq: _seq, held, ...beat } = parsed.data;
    this.#heard.set(`${beat.workerId} ${beat.epoch}`, { ...beat, held: held.length, lastSeenAt: Date.now(), lost: false });
  }
}
