/** One server of a cluster: can be stopped, killed, frozen and started again as the same peer. */
import type { ClusterSettings } from './server-config.js';
import { startNatsServer, type RunningNatsServer } from './start-nats-server.js';

export interface NodeSettings {
  /** `n1`, `n2`, … */
  name: string;
  port: number;
  dataDir: string;
  cluster: ClusterSettings;
}

export class ClusterNode {
  readonly name: string;
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly url: string;
  readonly dataDir: string;
  readonly #settings: NodeSettings & { syncAlways: boolean; timeoutMs: number; binary: string };
  #server: RunningNatsServer | undefined;

  constructor(settings: NodeSettings & { syncAlways: boolean; timeoutMs: number; binary: string }) {
    this.#settings = settings;
    this.name = settings.name;
    this.port = settings.port;
    this.dataDir = settings.dataDir;
    this.url = `nats://${this.host}:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#server !== undefined;
  }

  /** Of the process that runs now. */
  get pid(): number | undefined {
    return this.#server?.pid;
  }

  /** Settles when JetStream answers on this node, for which most nodes of the cluster must run. Errors: those of `startNatsServer`. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = await startNatsServer({ ...this.#settings, host: this.host });
    this.#server = server;
    void server.exited.then(() => this.#forget(server));
  }

  /** In good order: it hands over what it leads. Data stay. */
  async stop(): Promise<void> {
    this.resume();
    await this.#server?.stop();
    this.#server = undefined;
  }

  /** SIGKILL, as a crash would. Data stay. */
  async kill(): Promise<void> {
    await this.#server?.kill();
    this.#server = undefined;
  }

  /** SIGSTOP: the node is there but says nothing, as behind a broken network. */
  pause(): void {
    if (this.#server !== undefined) process.kill(this.#server.pid, 'SIGSTOP');
  }

  resume(): void {
    if (this.#server !== undefined) process.kill(this.#server.pid, 'SIGCONT');
  }

  #forget(server: RunningNatsServer): void {
    if (this.#server === server) this.#server = undefined;
  }
}
