/**
 * Finds a nats-server that is new enough, or fetches one: `CADRE_NATS_SERVER`, `PATH`, the cache, the official release archive, a
 * Debian package, in this order. What is named explicitly must do; every other place is passed over with a note when it does not.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { access, constants } from 'node:fs/promises';
import { cacheFolder, keep, newestCached } from './binary-cache.js';
import { fetchDebianPackage } from './debian-package.js';
import { MINIMUM_VERSION, notAServer, notFound, tooOld } from './errors.js';
import { fetchRelease, PINNED_RELEASE, type Release } from './release-archive.js';
import { askVersion, compareVersions } from './versions.js';

export interface FoundServer {
  path: string;
  /** Without a leading `v`. */
  version: string;
  from: 'environment' | 'path' | 'cache' | 'release' | 'debian';
}

export interface FindOptions {
  /** Told what is done and what was passed over, one sentence each. */
  log?: (line: string) => void;
  /** Default: this process's environment. */
  env?: NodeJS.ProcessEnv;
  /** Look, but fetch nothing. */
  offline?: boolean;
  /** Default: the pinned official release. */
  release?: Release;
  /** Default: /etc/apt */
  aptFolder?: string;
}

/** Notes why a place did not serve; what is merely absent is told only when all else fails too. */
type Note = (line: string, telling?: boolean) => void;

/**
 * Fetching takes some seconds and is safe in several processes at once.
 * @throws CadreError `nats-server-too-old` or `nats-server-unusable` (for CADRE_NATS_SERVER), `nats-server-missing`
 */
export async function findNatsServer(options: FindOptions = {}): Promise<FoundServer> {
  const env = options.env ?? process.env;
  const named = env['CADRE_NATS_SERVER'];
  if (named !== undefined && named !== '') return await checkNamed(named);
  const tried: string[] = [];
  const note: Note = (line, telling = true) => {
    tried.push(line);
    if (telling) options.log?.(line);
  };
  const local = (await searchPath(env, note)) ?? (await searchCache(env, note));
  if (local !== undefined) return local;
  if (options.offline === true) throw notFound([...tried, 'fetching is switched off']);
  const fetched = await fetchAny(options, env, note);
  if (fetched !== undefined) return fetched;
  throw notFound(tried);
}

async function checkNamed(path: string): Promise<FoundServer> {
  const asked = await askVersion(path);
  if ('reason' in asked) throw notAServer(path, asked.reason);
  if (compareVersions(asked.version, MINIMUM_VERSION) < 0) throw tooOld(path, asked.version);
  return { path, version: asked.version, from: 'environment' };
}

async function searchPath(env: NodeJS.ProcessEnv, note: Note): Promise<FoundServer | undefined> {
  const name = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';
  let seen = false;
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, name);
    if (
      !(await access(path, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      continue;
    seen = true;
    const asked = await askVersion(path);
    if ('reason' in asked) note(`PATH: ${path} is passed over: ${asked.reason}`);
    else if (compareVersions(asked.version, MINIMUM_VERSION) < 0) {
      note(`PATH: ${path} is version ${asked.version}, older than ${MINIMUM_VERSION}, and is passed over`);
    } else return { path, version: asked.version, from: 'path' };
  }
  if (!seen) note('PATH: no nats-server there', false);
  return undefined;
}

async function searchCache(env: NodeJS.ProcessEnv, note: Note): Promise<FoundServer | undefined> {
  const folder = cacheFolder(env);
  const cached = await newestCached(folder);
  if (cached !== undefined) return { ...cached, from: 'cache' };
  note(`cache: nothing new enough in ${folder}`, false);
  return undefined;
}

/** Both ways of fetching, each in a temporary folder; the first whose binary runs and is new enough goes into the cache. */
async function fetchAny(options: FindOptions, env: NodeJS.ProcessEnv, note: Note): Promise<FoundServer | undefined> {
  const release = options.release ?? PINNED_RELEASE;
  const ways: { from: FoundServer['from']; label: string; fetch: (work: string) => Promise<string> }[] = [
    {
      from: 'release',
      label: `release archive ${release.version}`,
      fetch: async (work) => {
        await fetchRelease(release, join(work, 'nats-server'));
        return join(work, 'nats-server');
      },
    },
    {
      from: 'debian',
      label: 'Debian package',
      fetch: (work) => fetchDebianPackage({ aptFolder: options.aptFolder ?? '/etc/apt', env }, work),
    },
  ];
  for (const way of ways) {
    const work = await mkdtemp(join(tmpdir(), 'cadre-nats-'));
    try {
      options.log?.(`fetching nats-server: ${way.label}`);
      const binary = await way.fetch(work);
      const asked = await askVersion(binary);
      if ('reason' in asked) throw new Error(asked.reason);
      if (compareVersions(asked.version, MINIMUM_VERSION) < 0)
        throw new Error(`it is version ${asked.version}, older than ${MINIMUM_VERSION}`);
      return { path: await keep(cacheFolder(env), binary, asked.version), version: asked.version, from: way.from };
    } catch (error) {
      note(`${way.label}: ${(error as Error).message}`);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return undefined;
}
