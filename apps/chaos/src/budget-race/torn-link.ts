/**
 * A worker's line to the broker that holds bytes up and breaks, so that commands and their answers come late, or are lost and asked for
 * again.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Share of what passes that is held up, and for how long at most. */
const HELD_UP = { share: 0.05, mostMs: 150 };
/** A connection breaks after a time between these. */
const BREAKS_AFTER_MS = { least: 1500, most: 6000 };

export class TornLink {
  breaks = 0;
  heldUp = 0;
  /** Nothing is torn until then, and nothing after. */
  tearing = false;
  readonly #open = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
    private readonly random: () => number,
  ) {}

  /** @param targetPort of the broker, which need not run yet */
  static async start(targetPort: number, random: () => number): Promise<TornLink> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const link = new TornLink(server, targetPort, random);
    server.on('connection', (socket) => link.#join(socket));
    return link;
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #join(near: Socket): void {
    const far = connect(this.targetPort, '127.0.0.1');
    const timer = setInterval(() => this.#break(near, far), this.#between(BREAKS_AFTER_MS.least, BREAKS_AFTER_MS.most));
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#open.add(from);
      from.setNoDelay(true);
      from.on('data', (chunk) => this.#pass(from, to, chunk));
      from.on('error', () => from.destroy());
      from.on('close', () => {
        clearInterval(timer);
        this.#open.delete(from);
        to.destroy();
      });
    }
  }

  #pass(from: Socket, to: Socket, chunk: Buffer): void {
    if (!this.tearing || this.random() >= HELD_UP.share) return void to.write(chunk);
    this.heldUp += 1;
    // What follows waits too: a connection keeps its order.
    from.pause();
    setTimeout(() => {
      to.write(chunk);
      from.resume();
    }, this.random() * HELD_UP.mostMs);
  }

  #break(near: Socket, far: Socket): void {
    if (!this.tearing) return;
    this.breaks += 1;
    near.destroy();
    far.destroy();
  }

  #between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }
}
