/** A whole system on this machine: processes started, supervised, and found to work together. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CadreError } from '@cadre/contracts';
import { CadreClient } from '@cadre/sdk';
import { localSystem, specialtyOf, type LocalSystemOptions } from './local-services.js';
import { LOCAL_SERVICES } from './service-list.js';
import { Supervisor, type ProcessChange } from './supervisor.js';

const JOIN_MS = 30_000;

export class LocalSystem {
  readonly url: string;
  private readonly supervisor: Supervisor;
  /** Of the workers that must be heard. */
  private readonly specialties: string[];

  constructor(
    private readonly options: LocalSystemOptions,
    onChange: (name: string, change: ProcessChange) => void,
  ) {
    this.url = `http://127.0.0.1:${options.ports['gateway']}`;
    const { services = LOCAL_SERVICES } = options;
    this.specialties = [...new Set(services.flatMap((service) => specialtyOf(service) ?? []))];
    this.supervisor = new Supervisor(localSystem(options), {
      onChange,
      ...(options.longestBackoffMs === undefined ? {} : { longestBackoffMs: options.longestBackoffMs }),
    });
  }

  /** Settles when every process is ready, the gateway says so, and all workers are heard. */
  async start(): Promise<void> {
    await this.supervisor.start();
    if (this.stopAsked) return;
    await this.waitUntilJoined();
  }

  private stopAsked = false;

  stop(): Promise<void> {
    this.stopAsked = true;
    return this.supervisor.stop();
  }

  kill(): void {
    this.stopAsked = true;
    this.supervisor.kill();
  }

  pids(): Record<string, number> {
    return this.supervisor.pids();
  }

  private async waitUntilJoined(): Promise<void> {
    const client = new CadreClient({ baseUrl: this.url });
    const until = Date.now() + JOIN_MS;
    let missing = 'the gateway';
    while (!this.stopAsked) {
      const [health, workers] = await Promise.all([client.health().catch(() => undefined), client.agents().catch(() => [])]);
      const heard = new Set(workers.filter(({ lost }) => !lost).map(({ specialty }) => specialty));
      const silent = this.specialties.filter((specialty) => !heard.has(specialty));
      if (health?.ready === true && silent.length === 0) return;
      missing = health?.ready === true ? `${silent.map((name) => `worker-${name}`).join(', ')}` : 'the gateway';
      if (Date.now() > until) {
        throw new CadreError('not-ready', `All processes run, but ${missing} did not get ready within ${JOIN_MS / 1000} s.`, {
          remedy: `Read the logs in ${this.options.dataDir}/logs.`,
        });
      }
      await sleep(50);
    }
  }
}
