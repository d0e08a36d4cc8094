/** Listens to heartbeats, leader or not, so that a standby that takes over knows the workers already. */
import { Heartbeat, SUBJECTS } from '@cadre/contracts';
import type { StoredAgent } from '@cadre/engine';
import { AgentDirectory, type HeartbeatEar } from '@cadre/scheduling';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';

const DECODER = new TextDecoder();

export class NatsHeartbeatEar implements HeartbeatEar {
  readonly directory: AgentDirectory;
  onChange: () => void = () => undefined;
  /** Beats that were none. */
  malformed = 0;
  #connected = true;
  readonly #subscription: Subscription;

  constructor(private readonly nats: NatsConnection) {
    this.directory = new AgentDirectory(Date.now());
    this.#subscription = nats.subscribe(SUBJECTS.heartbeats, {
      callback: (error, message) => {
        if (!error) this.#hear(message.data);
      },
    });
    void this.#watchConnection();
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** False: the server does not answer. */
  async heardAll(timeoutMs: number): Promise<boolean> {
    if (!this.#connected) return false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), timeoutMs)));
    const answered = this.nats.flush().then(
      () => true,
      () => false,
    );
    const result = await Promise.race([answered, late]);
    clearTimeout(timer);
    return result;
  }

  stop(): void {
    this.#subscription.unsubscribe();
  }

  /** Anybody can publish there: what is no heartbeat is dropped. */
  #hear(data: Uint8Array): void {
    let json: unknown;
    try {
      json = JSON.parse(DECODER.decode(data));
    } catch {
      json = undefined;
    }
    const parsed = Heartbeat.safeParse(json);
    if (!parsed.success) this.malformed += 1;
    else if (this.directory.hear(parsed.data, Date.now())) this.onChange();
  }

  /** An agent was defined at run time, changed or removed. */
  learn(stored: StoredAgent): void {
    if (this.directory.learn(stored)) this.onChange();
  }

  /** What was said while the connection was down is gone. */
  async #watchConnection(): Promise<void> {
    for await (const { type } of this.nats.status()) {
      if (type === 'disconnect') this.#connected = false;
      if (type !== 'reconnect') continue;
      this.#connected = true;
      this.directory.listenAnew(Date.now());
    }
  }
}
