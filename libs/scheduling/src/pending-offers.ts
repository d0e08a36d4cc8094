/** Offers that no log has seen begun yet, and who let one pass. */
import type { AgentName, WorkerId } from '@cadre/contracts';
import type { AgentDirectory } from './agent-directory.js';
import type { OpenWork } from './open-work.js';

export interface PendingOffer {
  workerId: WorkerId;
  agent: AgentName;
  epoch: string;
  offeredAt: number;
  takenAt?: number;
}

export interface OfferPatience {
  /** An offer that no heartbeat confirms within this time is made again. */
  confirmMs: number;
  /** A taken offer whose start does not reach the log within this time is made again, elsewhere too: only one start counts. */
  startMs: number;
}

export class PendingOffers {
  readonly #offers = new Map<string, PendingOffer>();
  readonly #atWorker = new Map<WorkerId, Set<string>>();
  readonly #shunned = new Map<string, WorkerId>();

  constructor(
    private readonly work: OpenWork,
    private readonly directory: AgentDirectory,
    private readonly patience: OfferPatience,
  ) {}

  get size(): number {
    return this.#offers.size;
  }

  has(key: string): boolean {
    return this.#offers.has(key);
  }

  /** By the attempt's key, the oldest first. */
  entries(): Iterable<[string, PendingOffer]> {
    return this.#offers;
  }

  /** Keys of the attempts that were offered to a worker. */
  at(workerId: WorkerId): ReadonlySet<string> {
    return this.#atWorker.get(workerId) ?? new Set();
  }

  /** Who let an offer of the attempt pass. */
  shunnedBy(key: string): WorkerId | undefined {
    return this.#shunned.get(key);
  }

  add(key: string, offer: PendingOffer): void {
    this.#offers.set(key, offer);
    const keys = this.#atWorker.get(offer.workerId) ?? new Set();
    this.#atWorker.set(offer.workerId, keys.add(key));
  }

  /** Drops offers that have served their purpose or were let pass. */
  settle(now: number): void {
    for (const [key, offer] of this.#offers) {
      if (!this.work.isReadyKey(key)) {
        this.#remove(key, offer);
        this.#shunned.delete(key);
      } else if (this.#isLetPass(key, offer, now)) {
        this.#remove(key, offer);
        this.#shunned.set(key, offer.workerId);
      }
    }
    for (const key of this.#shunned.keys()) if (!this.work.isReadyKey(key)) this.#shunned.delete(key);
  }

  #isLetPass(key: string, offer: PendingOffer, now: number): boolean {
    const worker = this.directory.get(offer.workerId);
    if (worker === undefined || worker.beat.epoch !== offer.epoch || !this.directory.isLive(worker, now)) return true;
    if (worker.held.has(key)) offer.takenAt ??= now;
    else if (offer.takenAt !== undefined) return true;
    const since = offer.takenAt ?? offer.offeredAt;
    return now - since > (offer.takenAt === undefined ? this.patience.confirmMs : this.patience.startMs);
  }

  #remove(key: string, { workerId }: PendingOffer): void {
    this.#offers.delete(key);
    const keys = this.#atWorker.get(workerId);
    keys?.delete(key);
    if (keys?.size === 0) this.#atWorker.delete(workerId);
  }
}
