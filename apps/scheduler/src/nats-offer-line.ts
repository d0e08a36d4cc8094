/** Puts offers and cancellations on the wire, batched for each worker. */
import {
  SUBJECTS,
  type AgentName,
  type Backlog,
  type CancelBatch,
  type Offer,
  type OfferBatch,
  type UnwantedAttempt,
  type WorkerId,
} from '@cadre/contracts';
import type { OfferLine, WorkerOffers } from '@cadre/scheduling';
import type { NatsConnection } from '@nats-io/transport-node';

const MAX_OFFERS = 250;
const MAX_CANCELS = 1000;
const BATCH_BYTES = 256 * 1024;

export class NatsOfferLine implements OfferLine {
  constructor(private readonly nats: NatsConnection) {}

  /** @returns the number of messages */
  offer({ workerId, epoch, offers }: WorkerOffers): number {
    const batches = inBatches(offers);
    for (const batch of batches) {
      const body: OfferBatch = { offers: batch };
      this.nats.publish(SUBJECTS.offers(workerId, epoch), JSON.stringify(body));
    }
    return batches.length;
  }

  cancel(workerId: WorkerId, attempts: UnwantedAttempt[]): void {
    for (let start = 0; start < attempts.length; start += MAX_CANCELS) {
      const body: CancelBatch = { attempts: attempts.slice(start, start + MAX_CANCELS) };
      this.nats.publish(SUBJECTS.cancels(workerId), JSON.stringify(body));
    }
  }

  backlog(agents: AgentName[]): void {
    const body: Backlog = { agents };
    this.nats.publish(SUBJECTS.backlog, JSON.stringify(body));
  }
}

/** Offers of planning tasks carry the catalogue, so that their number alone does not bound a message. */
function inBatches(offers: Offer[]): Offer[][] {
  const batches: Offer[][] = [];
  let bytes = 0;
  for (const offer of offers) {
    const size = offer.catalogue === undefined ? 200 : JSON.stringify(offer).length;
    let batch = batches.at(-1);
    if (!batch || batch.length >= MAX_OFFERS || bytes + size > BATCH_BYTES) {
      batches.push((batch = []));
      bytes = 0;
    }
    batch.push(offer);
    bytes += size;
  }
  return batches;
}
