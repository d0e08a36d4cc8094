/** Starts a real llama-server with a scripted model on a free port of loopback. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, ServerProgram } from '../server-program.js';
import type { LlamaProgram } from './llama-package.js';
import type { Script } from './script.js';
import { scriptedModel } from './scripted-model.js';

export interface LlamaOptions {
  /** Requests that are worked on at once; each has a window of its own. Default 2. */
  parallel?: number;
  /** Longest conversation in tokens. Default: as the script says, at most 32,768. */
  window?: number;
  /** Default: any free one. */
  port?: number;
  /** Beside those of this class. */
  args?: readonly string[];
}

const START_MS = 30_000;
const WINDOW = 32_768;

export class LlamaServer {
  private constructor(
    readonly port: number,
    private readonly running: ServerProgram,
  ) {}

  /** @throws Error with the server's last words if it does not get ready */
  static async start(program: LlamaProgram, script: Script, options: LlamaOptions = {}): Promise<LlamaServer> {
    const folder = await mkdtemp(join(tmpdir(), 'cadre-llama-'));
    const model = join(folder, 'scripted.gguf');
    await writeFile(model, scriptedModel(script));
    const { parallel = 2, window = Math.min(script.window ?? WINDOW, WINDOW), args = [] } = options;
    const port = options.port ?? (await freePort());
    const own = ['-m', model, '--jinja', '--host', '127.0.0.1', '--port', `${port}`, '-c', `${window * parallel}`, '-np', `${parallel}`];
    const quiet = ['--no-ui', '--offline', '--metrics', '-t', '1', '--cache-ram', '0'];
    const running = await ServerProgram.start({
      ...{ name: 'llama-server', command: program.command, args: [...program.args, ...own, ...quiet, ...args] },
      ...{ env: { ...process.env, ...program.env }, folder, port, readyPath: '/health', startMs: START_MS },
    });
    return new LlamaServer(port, running);
  }

  get baseUrl(): string {
    return `${this.running.url}/v1`;
  }

  /** How many requests are being worked on at this moment, by the server's own word. */
  async busySlots(): Promise<number> {
    const response = await fetch(`${this.running.url}/slots`);
    const slots = (await response.json()) as { is_processing: boolean }[];
    return slots.filter((slot) => slot.is_processing).length;
  }

  /** In the text format of Prometheus. */
  async metrics(): Promise<string> {
    return (await fetch(`${this.running.url}/metrics`)).text();
  }

  stop(): Promise<void> {
    return this.running.stop();
  }
}
