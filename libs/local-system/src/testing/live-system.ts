/** A whole local system for end-to-end tests: the built services as processes, with the checks that every test ends with. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CadreError, isTerminal } from '@cadre/contracts';
import type { RunView } from '@cadre/contracts';
import { checkInvariants } from '@cadre/engine';
import type { CommandCounts } from '@cadre/engine';
import { JetStreamLog } from '@cadre/event-log';
import { connectNats } from '@cadre/messaging';
import { CadreClient } from '@cadre/sdk';
import { LocalSystem } from '../local-system.js';
import { freePorts } from '../ports.js';
import type { Ports } from '../ports.js';
import type { LocalSystemOptions } from '../local-services.js';
import type { ProcessChange } from '../supervisor.js';

/** How the system under test differs from a user's. */
export interface LiveOptions extends Pick<LocalSystemOptions, 'services' | 'envOf' | 'natsUrl' | 'longestBackoffMs'> {
  onChange?: (name: string, change: ProcessChange) => void;
  /** Where data are kept; default: a temporary folder that goes with the system. A folder given is kept. */
  dataDir?: string;
}

export class LiveSystem {
  readonly client: CadreClient;

  private constructor(
    readonly system: LocalSystem,
    readonly ports: Ports,
    readonly dataDir: string,
    readonly natsUrl: string,
    private readonly isTemporary: boolean,
  ) {
    this.client = new CadreClient({ baseUrl: system.url });
  }

  /** @param env settings of the services beside the defaults, for example the model server's latency */
  static async start(env: Record<string, string> = {}, options: LiveOptions = {}): Promise<LiveSystem> {
    const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'cadre-e2e-'));
    const ports = await freePorts();
    const { onChange = () => undefined, dataDir: _, ...special } = options;
    const system = new LocalSystem({ dataDir, ports, env: { ...process.env, ...env }, ...special }, onChange);
    await system.start().catch(async (error: unknown) => {
      await system.stop();
      throw error;
    });
    return new LiveSystem(
      system,
      ports,
      dataDir,
      options.natsUrl ?? `nats://127.0.0.1:${ports['nats-server']}`,
      options.dataDir === undefined,
    );
  }

  /** Waits until the run has ended and gives its view. */
  async ended(runId: string, withinMs = 150_000): Promise<RunView> {
    return this.until(
      `run ${runId} ends`,
      async () => {
        const run = await this.client.getRun(runId);
        return isTerminal(run.status) ? run : undefined;
      },
      withinMs,
    );
  }

  /** @param look asked again also when its error is one that may pass, such as a service that is just being started */
  async until<T>(what: string, look: () => Promise<T | undefined>, withinMs = 60_000): Promise<T> {
    const limit = Date.now() + withinMs;
    for (;;) {
      const seen = await look().catch((error: unknown) => {
        if (error instanceof CadreError && error.retriable) return error;
        throw error;
      });
      if (seen !== undefined && !(seen instanceof CadreError)) return seen;
      if (Date.now() > limit) throw new Error(`${what}: not within ${withinMs} ms`, { cause: seen });
      await sleep(50);
    }
  }

  async artifact(runId: string, name: string): Promise<string> {
    const { body } = await this.client.downloadArtifact(runId, name);
    return new Response(body).text();
  }

  /** Every run of the read model. */
  async runs(): Promise<RunView[]> {
    const views: RunView[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.client.listRuns({ limit: 100, ...(cursor === undefined ? {} : { cursor }) });
      for (const { runId } of page.runs) views.push(await this.client.getRun(runId));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return views;
  }

  /** The invariants over the whole log, the read model and the owner's counts. The system must be quiet, the log untrimmed. */
  async violations(submissions: { runId: string }[]): Promise<string[]> {
    const nats = await connectNats({ url: this.natsUrl, name: 'checker' });
    try {
      const log = await JetStreamLog.open(nats, 0);
      const blocks = [];
      for await (const stored of log.read(0)) blocks.push(stored);
      const evidence = {
        blocks,
        views: await this.runs(),
        viewsComplete: true,
        submissions,
        commands: await this.commandCounts(),
        finished: true,
        now: Date.now(),
      };
      return checkInvariants(evidence).map(({ invariant, clause, message }) => `${invariant} ${clause}: ${message}`);
    } finally {
      await nats.close();
    }
  }

  /** Counted by the owner since it took the shard. */
  private async commandCounts(): Promise<CommandCounts> {
    const response = await fetch(`http://127.0.0.1:${this.ports['orchestrator']}/metrics`);
    const text = await response.text();
    const read = (name: string) => Number(new RegExp(`^cadre_owner_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
    return {
      received: read('received'),
      accepted: read('accepted'),
      duplicate: read('duplicate'),
      rejected: read('rejected'),
      unavailable: read('unavailable'),
    };
  }

  async stop(): Promise<void> {
    await this.system.stop();
    if (this.isTemporary) rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}
