/** A model server as a program of its own on loopback, in a folder that goes with it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServerProgramOptions {
  /** For people. */
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Where it runs; removed when it stops. */
  folder: string;
  port: number;
  /** Answers with 200 once it is ready. */
  readyPath: string;
  /** How long that may take, in milliseconds. */
  startMs: number;
}

const STOP_MS = 5000;
const KEPT_PIECES = 200;

export class ServerProgram {
  private readonly output: string[] = [];
  private readonly child: ChildProcess;

  private constructor(private readonly options: ServerProgramOptions) {
    const { command, args, env, folder } = options;
    this.child = spawn(command, args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.output.splice(0, Math.max(0, this.output.push(text) - KEPT_PIECES)));
  }

  /** @throws Error with its last words if it does not get ready */
  static async start(options: ServerProgramOptions): Promise<ServerProgram> {
    const program = new ServerProgram(options);
    try {
      await program.ready();
    } catch (error) {
      await program.stop();
      throw error;
    }
    return program;
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.port}`;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once('close', resolve));
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    }
    await rm(this.options.folder, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    const { name, readyPath, startMs } = this.options;
    for (const until = Date.now() + startMs; Date.now() < until && this.child.exitCode === null; await sleep(50)) {
      const isReady = await fetch(this.url + readyPath).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isReady) return;
    }
    throw new Error(`${name} did not get ready:\n${this.output.join('').slice(-2000)}`);
  }
}

/** Free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
