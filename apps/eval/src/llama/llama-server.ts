/** Starts a real llama-server with a scripted model on a free port of loopback. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LlamaProgram } from './llama-package.js';
import { scriptedModel, type Script } from './scripted-model.js';

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
const STOP_MS = 5000;
const WINDOW = 32_768;

export class LlamaServer {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly output: string[],
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
    const child = spawn(program.command, [...program.args, ...own, ...quiet, ...args], {
      env: { ...process.env, ...program.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => output.splice(0, Math.max(0, output.push(text) - 200)));
    }
    const server = new LlamaServer(port, child, folder, output);
    try {
      await server.ready();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  /** How many requests are being worked on at this moment, by the server's own word. */
  async busySlots(): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.port}/slots`);
    const slots = (await response.json()) as { is_processing: boolean }[];
    return slots.filter((slot) => slot.is_processing).length;
  }

  /** In the text format of Prometheus. */
  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
  }

  /** Its last words. */
  log(): string {
    return this.output.join('');
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once('close', resolve));
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    for (const until = Date.now() + START_MS; Date.now() < until; await sleep(50)) {
      if (this.child.exitCode !== null) break;
      const ok = await fetch(`http://127.0.0.1:${this.port}/health`).then(
        (response) => response.ok,
        () => false,
      );
      if (ok) return;
    }
    throw new Error(`llama-server did not get ready:\n${this.log().slice(-2000)}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
