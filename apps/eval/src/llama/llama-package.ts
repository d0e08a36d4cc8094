/**
 * llama-server for tests: Debian's package of its testing suite with all that it needs, unpacked into the user's cache folder. It runs
 * through its own loader and C library, so the system under it may be older.
 */
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, unpackDebianPackages } from '@cadre/nats-server';

const PACKAGES = ['llama.cpp-tools', 'libllama0', 'libggml0', 'libc6', 'libgcc-s1', 'libstdc++6', 'libgomp1', 'libssl3t64'];
const BINARY = 'usr/bin/llama-server';

export interface LlamaProgram {
  command: string;
  /** Come before the server's own. */
  args: string[];
  env: Record<string, string>;
}

/**
 * @returns the program, or why there is none here. The first call fetches 12 MB and takes some seconds; safe in several processes at once.
 */
export async function findLlamaServer(env: NodeJS.ProcessEnv = process.env): Promise<LlamaProgram | { missing: string }> {
  if (process.platform !== 'linux') return { missing: 'it is taken from a Debian package, and this is no Linux' };
  const kept = join(cacheFolder(env), `llama-server-${process.arch}`);
  try {
    if (!(await exists(join(kept, BINARY)))) await fetchInto(kept, env);
    return await programIn(kept);
  } catch (error) {
    return { missing: (error as Error).message };
  }
}

async function fetchInto(kept: string, env: NodeJS.ProcessEnv): Promise<void> {
  await mkdir(cacheFolder(env), { recursive: true });
  const work = await mkdtemp(join(cacheFolder(env), '.llama-'));
  try {
    const root = await unpackDebianPackages({ aptFolder: '/etc/apt', env }, PACKAGES, work);
    // Another process may have been quicker, and its copy is as good.
    await rename(root, kept).catch(async (error: unknown) => {
      if (!(await exists(join(kept, BINARY)))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function programIn(root: string): Promise<LlamaProgram> {
  const libraries = await only(join(root, 'usr/lib'), /-linux-gnu$/);
  const loader = await only(libraries, /^ld-linux-/);
  const backend = await only(join(libraries, 'ggml/backends0'), /^libggml-cpu-(x64|armv8\.0_\d+)\.so$/);
  const path = ['', 'llama', 'llama.cpp', 'ggml'].map((folder) => join(libraries, folder)).join(':');
  return { command: loader, args: ['--library-path', path, join(root, BINARY)], env: { GGML_BACKEND_PATH: backend } };
}

async function only(folder: string, pattern: RegExp): Promise<string> {
  const found = (await readdir(folder)).find((name) => pattern.test(name));
  if (found === undefined) throw new Error(`the package of llama-server holds nothing like ${pattern.source} in ${folder}`);
  return join(folder, found);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
