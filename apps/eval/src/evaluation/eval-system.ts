/** A Cadre of its own for an evaluation, with a model server behind a proxy that records what tools have answered. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, hasOwnModel, LocalSystem } from '@cadre/local-system';
import { CadreClient } from '@cadre/sdk';
import { RecordingProxy } from './recording-proxy.js';

export class EvalSystem {
  readonly client: CadreClient;

  private constructor(
    private readonly system: LocalSystem,
    readonly proxy: RecordingProxy,
    private readonly dataDir: string,
  ) {
    this.client = new CadreClient({ baseUrl: system.url });
  }

  /** @param env the model server's settings, as for `cadre dev`; without `OPENAI_BASE_URL` the deterministic model is evaluated */
  static async start(env: NodeJS.ProcessEnv): Promise<EvalSystem> {
    const dataDir = await mkdtemp(join(tmpdir(), 'cadre-eval-'));
    const ports = await freePorts();
    const upstream = hasOwnModel(env) ? env['OPENAI_BASE_URL']! : `http://127.0.0.1:${ports['model-sim']}/v1`;
    const proxy = await RecordingProxy.start(() => new URL(upstream));
    const envOf = (name: string): Record<string, string> => (name.startsWith('worker-') ? { OPENAI_BASE_URL: proxy.baseUrl } : {});
    const system = new LocalSystem({ dataDir, ports, env: { CADRE_PROFILE: 'fast', ...env }, envOf }, () => undefined);
    const started = new EvalSystem(system, proxy, dataDir);
    await system.start().catch(async (error: unknown) => {
      await started.stop();
      throw error;
    });
    return started;
  }

  async stop(): Promise<void> {
    await this.system.stop();
    await this.proxy.stop();
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}
