/** Who is at work: the last heartbeat of each worker. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HEARTBEAT, Heartbeat, SUBJECTS, type WorkerId, type WorkerView } from '@cadre/contracts';
import type { CounterMetric, Metrics } from '@cadre/service-kit';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Logger } from 'pino';

/** Two beats. */
const LISTEN_MS = 2 * HEARTBEAT.everyMs;
/** Lost workers stay in the list for a while, so that people see that they were there. */
const FORGET_AFTER_MS = 10 * 60_000;

export class WorkerRoster {
  private readonly workers = new Map<WorkerId, { beat: Heartbeat; seenAt: number }>();
  private readonly malformed: CounterMetric;
  private subscription: Subscription | undefined;
  private listened = Promise.resolve();

  constructor(
    private readonly nats: NatsConnection,
    private readonly log: Logger,
    metrics: Metrics,
  ) {
    this.malformed = metrics.counter('cadre_heartbeats_malformed_total', 'Heartbeats that could not be read');
    metrics.gauge('cadre_workers', 'Workers that beat', [], () => this.list(Date.now()).filter((worker) => !worker.lost).length);
  }

  start(): void {
    this.subscription = this.nats.subscribe(SUBJECTS.heartbeats, {
      callback: (error, message) => void (error === null && this.hear(message)),
    });
    this.listened = sleep(LISTEN_MS);
  }

  /** Resolves once each worker that beats has been heard, which is soon after the start. */
  heard(): Promise<void> {
    return this.listened;
  }

  stop(): void {
    this.subscription?.unsubscribe();
  }

  /** By specialty and id. @param now milliseconds since 1970 UTC */
  list(now: number): WorkerView[] {
    const views: WorkerView[] = [];
    for (const [id, { beat, seenAt }] of this.workers) {
      const silence = now - seenAt;
      if (silence > FORGET_AFTER_MS) this.workers.delete(id);
      else {
        const { seq: _seq, held, ...rest } = beat;
        views.push({ ...rest, held: held.length, lastSeenAt: seenAt, lost: silence > HEARTBEAT.lostAfterMs });
      }
    }
    return views.sort((a, b) => (`${a.specialty} ${a.workerId}` < `${b.specialty} ${b.workerId}` ? -1 : 1));
  }

  private hear(message: Msg): void {
    const beat = parse(message);
    if (!beat) {
      this.malformed.inc();
      this.log.debug({ subject: message.subject }, 'malformed heartbeat');
    } else if (beat.state === 'terminated') this.workers.delete(beat.workerId);
    else this.workers.set(beat.workerId, { beat, seenAt: Date.now() });
  }
}

function parse(message: Msg): Heartbeat | undefined {
  try {
    return Heartbeat.safeParse(message.json()).data;
  } catch {
    return undefined;
  }
}
