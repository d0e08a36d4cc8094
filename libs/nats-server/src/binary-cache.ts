/**
 * Fetched servers live in the user's cache folder, one file per version, so that a second start needs no network. A file is put there by
 * rename, so that processes which fetch at the same time never see half of one.
 */
import { chmod, copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MINIMUM_VERSION } from './errors.js';
import { askVersion, compareVersions } from './versions.js';

const platform = `${process.platform}-${process.arch}`;
const namePattern = new RegExp(`^nats-server-(\\d+\\.\\d+\\.\\d+(?:-[0-9A-Za-z.]+)?)-${platform}$`);

export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME'];
  return join(base === undefined || base === '' ? join(env['HOME'] ?? homedir(), '.cache') : base, 'cadre');
}

/** The newest cached server that is new enough and runs. Files that do not run are left; a later fetch replaces them. */
export async function newestCached(folder: string): Promise<{ path: string; version: string } | undefined> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const versions = names.flatMap((name) => namePattern.exec(name)?.[1] ?? []).sort((a, b) => compareVersions(b, a));
  for (const version of versions) {
    if (compareVersions(version, MINIMUM_VERSION) < 0) break;
    const path = join(folder, `nats-server-${version}-${platform}`);
    const asked = await askVersion(path);
    if ('version' in asked && asked.version === version) return { path, version };
  }
  return undefined;
}

/** @returns the path within the cache */
export async function keep(folder: string, source: string, version: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `nats-server-${version}-${platform}`);
  const partial = join(folder, `.partial-${process.pid}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`);
  try {
    await copyFile(source, partial);
    await chmod(partial, 0o755);
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
  return path;
}
