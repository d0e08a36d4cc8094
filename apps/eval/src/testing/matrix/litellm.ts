/** The real LiteLLM of PyPI, in the folder `.cache` of the repository, before any server that speaks OpenAI's chat completions. */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, ServerProgram } from '../../server-program.js';

const VERSION = '1.108.7';
const CACHE = new URL('../../../../../.cache', import.meta.url).pathname;
const INSTALL_MS = 600_000;
const START_MS = 120_000;

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
    /** Without one it does not start. */
    readonly key: string,
    private readonly running: ServerProgram,
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
    const running = await ServerProgram.start({
      ...{ name: 'LiteLLM', command: python, args, env, folder, port },
      ...{ readyPath: '/health/liveliness', startMs: START_MS },
    });
    return new LiteLlm(key, running);
  }

  get url(): string {
    return this.running.url;
  }

  stop(): Promise<void> {
    return this.running.stop();
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
