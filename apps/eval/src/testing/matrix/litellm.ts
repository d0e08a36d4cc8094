/** The real LiteLLM of PyPI, in the folder `.cache` of the repository, before any server that speaks OpenAI's chat completions. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const VERSION = '1.108.7';
const CACHE = new URL('../../../../../.cache', import.meta.url).pathname;
const INSTALL_MS = 600_000;
const START_MS = 120_000;
const STOP_MS = 5000;

/** Its Python, or why there is none here. The first call fetches some hundred megabytes and takes minutes. */
export async function findLiteLlm(): Promise<{ python: string } | { missing: string }> {
  const home = join(CACHE, `litellm-${VERSION}`);
  const [python, ready] = [join(home, 'bin/python'), join(home, 'installed')];
  try {
    if (!(await exists(ready))) await install(home, python, ready);
    return { python };
  } catch (error) {
    return { missing: (error as Error).message.slice(0, 500) };
  }
}

/** The mark is set last, so half an installation is never used. */
async function install(home: string, python: string, ready: string): Promise<void> {
  const run = promisify(execFile);
  await mkdir(CACHE, { recursive: true });
  await rm(home, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', home]);
  await run(python, ['-m', 'pip', 'install', '--quiet', `litellm[proxy]==${VERSION}`], {
    timeout: INSTALL_MS,
    maxBuffer: 16 * 1024 * 1024,
  });
  await writeFile(`${ready}.new`, VERSION);
  await rename(`${ready}.new`, ready);
}

export class LiteLlm {
  private constructor(
    private readonly port: number,
    /** Without one it does not start. */
    readonly key: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly output: string[],
  ) {}

  /** @param upstream base URL of the server behind it @throws Error with its last words if it does not get ready */
  static async start(python: string, model: string, upstream: { url: string; model: string }): Promise<LiteLlm> {
    const folder = await mkdtemp(join(tmpdir(), 'cadre-litellm-'));
    const key = `sk-${randomBytes(32).toString('hex')}`;
    const params = { model: `openai/${upstream.model}`, api_base: upstream.url, api_key: 'key' };
    const config = {
      model_list: [{ model_name: model, litellm_params: params }],
      litellm_settings: { num_retries: 0, telemetry: false },
      general_settings: { master_key: key },
      router_settings: { num_retries: 0, disable_cooldowns: true },
    };
    const path = join(folder, 'config.yaml');
    await writeFile(path, JSON.stringify(config));
    const port = await freePort();
    const args = [join(python, '../litellm'), '--config', path, '--host', '127.0.0.1', '--port', `${port}`, '--num_workers', '1'];
    // Its own table of prices, and none from the network.
    const env = { ...process.env, LITELLM_LOCAL_MODEL_COST_MAP: 'True', NO_PROXY: '127.0.0.1' };
    const child = spawn(python, args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => output.splice(0, Math.max(0, output.push(text) - 200)));
    }
    const proxy = new LiteLlm(port, key, child, folder, output);
    try {
      await proxy.ready();
    } catch (error) {
      await proxy.stop();
      throw error;
    }
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
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
    for (const until = Date.now() + START_MS; Date.now() < until; await sleep(200)) {
      if (this.child.exitCode !== null) break;
      const isReady = await fetch(`${this.url}/health/liveliness`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isReady) return;
    }
    throw new Error(`LiteLLM did not get ready:\n${this.output.join('').slice(-2000)}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
