/** Keeps what came in and could not be used, with the reason, for people to look at. */
import { CadreError, STREAMS, SUBJECTS } from '@cadre/contracts';
import {
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  jetstream,
  jetstreamManager,
  type JetStreamClient,
  type JsMsg,
} from '@nats-io/jetstream';
import { headers, nanos, type NatsConnection } from '@nats-io/transport-node';

const MAX_AGE_MS = 30 * 86_400_000;
const MAX_BYTES = 256 * 1024 * 1024;
/** Room for the headers that are added. */
const MARGIN_BYTES = 16 * 1024;

export const DEAD_HEADERS = {
  code: 'Cadre-Dead-Code',
  reason: 'Cadre-Dead-Reason',
  subject: 'Cadre-Dead-Subject',
  sequence: 'Cadre-Dead-Sequence',
  /** Set when only the first part of the message fitted. */
  cut: 'Cadre-Dead-Cut',
} as const;

export class DeadLetters {
  private readonly js: JetStreamClient;

  constructor(private readonly nats: NatsConnection) {
    this.js = jetstream(nats);
  }

  /** Creates the stream; safe to call again and from several processes. */
  async prepare(replicas: number): Promise<void> {
    const manager = await jetstreamManager(this.nats);
    const config = {
      name: STREAMS.dead,
      description: 'Cadre: what came in and could not be used',
      subjects: [SUBJECTS.deadAll],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      max_age: nanos(MAX_AGE_MS),
      max_bytes: MAX_BYTES,
      num_replicas: replicas,
    };
    try {
      await manager.streams.add(config);
    } catch (cause) {
      const fault = (cause as Error).message;
      await manager.streams.update(STREAMS.dead, config).catch(() => {
        throw new CadreError('topology-failed', `the stream ${STREAMS.dead} cannot be made: ${fault}`, { retriable: true, cause });
      });
    }
  }

  /** Stored once, however often it is called for the same message. */
  async keep(origin: string, message: JsMsg, code: string, reason: string): Promise<void> {
    const out = headers();
    for (const name of message.headers?.keys() ?? []) {
      if (!name.startsWith('Nats-')) for (const value of message.headers?.values(name) ?? []) out.append(name, value);
    }
    out.set(DEAD_HEADERS.code, code);
    out.set(DEAD_HEADERS.reason, reason.replace(/\s+/g, ' ').slice(0, 1000));
    out.set(DEAD_HEADERS.subject, message.subject);
    out.set(DEAD_HEADERS.sequence, String(message.seq));
    const room = (this.nats.info?.max_payload ?? 1024 * 1024) - MARGIN_BYTES - headerBytes(message);
    if (message.data.length > room) out.set(DEAD_HEADERS.cut, String(message.data.length));
    await this.js.publish(SUBJECTS.dead(origin), message.data.subarray(0, Math.max(0, room)), {
      headers: out,
      msgID: `${origin}-${message.seq}`,
    });
  }
}

function headerBytes(message: JsMsg): number {
  let bytes = 0;
  for (const name of message.headers?.keys() ?? [])
    for (const value of message.headers?.values(name) ?? []) bytes += name.length + 4 * value.length + 4;
  return bytes;
}
