/**
 * Takes packages from Debian's testing suite without touching the system: apt-get with a source list, state and cache of its own,
 * then they are unpacked, not installed. Needs no root. apt checks the signatures as always.
 */
import { access, chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianMirrors, type Mirror } from './apt-sources.js';
import { run } from './run.js';

export interface DebianPlace {
  /** Folder of apt's source lists, usually /etc/apt. */
  aptFolder: string;
  env: NodeJS.ProcessEnv;
}

const DEFAULT_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * @param names of packages; what they depend on is not followed
 * @param work an empty folder for this call alone
 * @returns the folder inside `work` that they were unpacked into, as if it were `/`
 * @throws Error with a short reason
 */
export async function unpackDebianPackages(place: DebianPlace, names: readonly string[], work: string): Promise<string> {
  const mirrors = await debianMirrors(place.aptFolder);
  if (mirrors.length === 0) throw new Error(`no Debian mirror is set up in ${place.aptFolder}`);
  let last: unknown;
  for (const [index, mirror] of mirrors.slice(0, 3).entries()) {
    try {
      return await unpackFrom(mirror, place, names, join(work, String(index)));
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** @returns path of the unpacked nats-server inside `work` */
export async function fetchDebianPackage(place: DebianPlace, work: string): Promise<string> {
  const binary = join(await unpackDebianPackages(place, ['nats-server'], work), 'usr/sbin/nats-server');
  await access(binary).catch(() => {
    throw new Error('the package holds no usr/sbin/nats-server');
  });
  return binary;
}

async function unpackFrom(mirror: Mirror, place: DebianPlace, names: readonly string[], work: string): Promise<string> {
  const options = await privateApt(mirror, work);
  // apt drops its rights to a user that must be able to look into these folders.
  await chmod(work, 0o755);
  const env = { ...place.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  const update = await run('apt-get', [...options, '-q', 'update'], { timeoutMs: 90_000, cwd: work, env });
  if (update.error !== undefined) throw new Error(`apt-get update: ${update.error}`);
  const download = await run('apt-get', [...options, '-q', 'download', ...names], { timeoutMs: 120_000, cwd: work, env });
  if (download.error !== undefined) throw new Error(`apt-get download: ${download.error}`);
  const archives = (await readdir(work)).filter((name) => name.endsWith('.deb'));
  if (archives.length < names.length) throw new Error(`apt-get download left ${archives.length} of ${names.length} packages`);
  for (const archive of archives) {
    const unpack = await run('dpkg', ['-x', join(work, archive), join(work, 'root')], { timeoutMs: 60_000, cwd: work, env });
    if (unpack.error !== undefined) throw new Error(`dpkg -x: ${unpack.error}`);
  }
  return join(work, 'root');
}

async function privateApt(mirror: Mirror, work: string): Promise<string[]> {
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) await mkdir(join(work, folder), { recursive: true });
  const keyring =
    mirror.signedBy ??
    (await access(DEFAULT_KEYRING).then(
      () => DEFAULT_KEYRING,
      () => undefined,
    ));
  const list = join(work, 'testing.list');
  await writeFile(list, `deb ${keyring === undefined ? '' : `[signed-by=${keyring}] `}${mirror.uri} testing main\n`);
  const settings = {
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State': join(work, 'state'),
    'Dir::Cache': join(work, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '15',
    'Acquire::https::Timeout': '15',
    'APT::Update::Error-Mode': 'any',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}
