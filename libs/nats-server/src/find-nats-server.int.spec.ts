import { createHash } from 'node:crypto';
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { findNatsServer, type FindOptions } from './find-nats-server.js';
import type { Release } from './release-archive.js';

const fake = (version: string): string => `#!/bin/sh\necho "nats-server: v${version}"\n`;
const arch: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };
const platform = `${process.platform}-${arch[process.arch] ?? process.arch}`;

let home: string;
let notes: string[];
let server: Server | undefined;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'find-spec-'));
  notes = [];
  await mkdir(join(home, 'bin'));
  await mkdir(join(home, 'apt'));
});

afterEach(async () => {
  await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  server = undefined;
  await rm(home, { recursive: true, force: true });
});

async function script(name: string, text: string): Promise<string> {
  const path = join(home, name);
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

/** An environment in which nothing of this machine is seen: own PATH, own cache, no mirrors, a release host that refuses. */
function options(extra: { env?: NodeJS.ProcessEnv; release?: Release } = {}): FindOptions {
  return {
    env: { PATH: `${join(home, 'bin')}:/nowhere`, XDG_CACHE_HOME: join(home, 'cache'), ...extra.env },
    release: extra.release ?? { version: '2.15.0', baseUrl: 'http://127.0.0.1:1', sha256: { [platform]: 'x' } },
    aptFolder: join(home, 'apt'),
    log: (line) => notes.push(line),
  };
}

describe('CADRE_NATS_SERVER', () => {
  test('is used before all else', async () => {
    const path = await script('mine', fake('2.14.4'));
    await script('bin/nats-server', fake('2.15.0'));
    expect(await findNatsServer(options({ env: { CADRE_NATS_SERVER: path } }))).toEqual({ path, version: '2.14.4', from: 'environment' });
  });

  test('an old one is refused, with the version needed', async () => {
    const path = await script('mine', fake('2.14.3'));
    await expect(findNatsServer(options({ env: { CADRE_NATS_SERVER: path } }))).rejects.toMatchObject({
      code: 'nats-server-too-old',
      message: `${path} is nats-server 2.14.3; Cadre needs 2.14.4 or newer.`,
    });
  });

  test('what is no server is refused', async () => {
    const path = await script('mine', '#!/bin/sh\necho hello\n');
    await expect(findNatsServer(options({ env: { CADRE_NATS_SERVER: path } }))).rejects.toMatchObject({ code: 'nats-server-unusable' });
    await expect(findNatsServer(options({ env: { CADRE_NATS_SERVER: join(home, 'none') } }))).rejects.toMatchObject({
      message: expect.stringContaining('no such command'),
    });
  });
});

describe('PATH and cache', () => {
  test('a new enough server on the PATH is used', async () => {
    const path = await script('bin/nats-server', fake('2.15.1'));
    expect(await findNatsServer(options())).toEqual({ path, version: '2.15.1', from: 'path' });
  });

  test('an old one on the PATH is passed over with a note, and the newest cached one is used', async () => {
    await script('bin/nats-server', fake('2.10.0'));
    const name = (version: string): string => `cache/cadre/nats-server-${version}-${process.platform}-${process.arch}`;
    await mkdir(join(home, 'cache/cadre'), { recursive: true });
    await script(name('2.14.9'), fake('2.14.9'));
    const newest = await script(name('2.15.2'), fake('2.15.2'));
    await script(name('2.16.0'), 'broken');
    await script(name('2.9.9'), fake('2.9.9'));
    expect(await findNatsServer(options())).toEqual({ path: newest, version: '2.15.2', from: 'cache' });
    expect(notes).toEqual([expect.stringContaining('version 2.10.0, older than 2.14.4')]);
  });
});

/** A tar archive with one file. */
function tarOf(path: string, content: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0);
  header.write('0000755\0', 100);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('0', 156);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content);
  return Buffer.concat([header, body, Buffer.alloc(1024)]);
}

async function releaseHost(archive: Buffer, sha256: string): Promise<Release> {
  server = createServer((request, response) => {
    const known = request.url === `/nats-server-v2.15.0-${platform}.tar.gz`;
    response.writeHead(known ? 200 : 404).end(known ? archive : '');
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return { version: '2.15.0', baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sha256: { [platform]: sha256 } };
}

describe('release archive', () => {
  const archive = gzipSync(tarOf(`nats-server-v2.15.0-${platform}/nats-server`, fake('2.15.0')));
  const digest = createHash('sha256').update(archive).digest('hex');

  test('is fetched, checked, and kept in the cache, by several at once too', async () => {
    const release = await releaseHost(archive, digest);
    const found = await Promise.all([1, 2, 3].map(() => findNatsServer(options({ release }))));
    expect(new Set(found.map(({ from }) => from))).toEqual(new Set(['release']));
    expect(await readdir(join(home, 'cache/cadre'))).toEqual([`nats-server-2.15.0-${process.platform}-${process.arch}`]);
    expect(await findNatsServer(options({ release }))).toMatchObject({ version: '2.15.0', from: 'cache' });
  });

  test('with another checksum is thrown away', async () => {
    const release = await releaseHost(archive, 'f'.repeat(64));
    await expect(findNatsServer(options({ release }))).rejects.toMatchObject({
      code: 'nats-server-missing',
      message: expect.stringContaining(`SHA-256 is ${digest}`),
    });
    await expect(access(join(home, 'cache/cadre'))).rejects.toThrow();
  });
});

describe('Debian package', () => {
  /** Stand-ins for apt-get and dpkg that note their arguments and leave what the real ones would. */
  async function tools(version: string, update = 'exit 0'): Promise<void> {
    const log = join(home, 'calls');
    await script(
      'bin/apt-get',
      `#!/bin/sh\necho "$@" >> ${log}\ncase "$*" in *update*) ${update};; esac\ncp "$(pwd)/testing.list" ${join(home, 'list')}\n: > nats-server_1.deb\n`,
    );
    await script(
      'bin/dpkg',
      `#!/bin/sh\nmkdir -p "$3/usr/sbin"\nprintf '%s\\n' '#!/bin/sh' 'echo nats-server: v${version}' > "$3/usr/sbin/nats-server"\nchmod 755 "$3/usr/sbin/nats-server"\n`,
    );
    await mkdir(join(home, 'apt/sources.list.d'));
    await writeFile(join(home, 'apt/sources.list'), 'deb [signed-by=/keys/a.gpg] http://mirror.example/debian bookworm main\n');
  }
  const env = (): NodeJS.ProcessEnv => ({ PATH: `${join(home, 'bin')}:/usr/bin:/bin` });

  test("comes from this machine's mirror, suite testing, without root's folders", async () => {
    await tools('2.15.1');
    const found = await findNatsServer(options({ env: env() }));
    expect(found).toMatchObject({ version: '2.15.1', from: 'debian', path: expect.stringContaining(join(home, 'cache/cadre')) });
    expect(await readFile(join(home, 'list'), 'utf8')).toBe('deb [signed-by=/keys/a.gpg] http://mirror.example/debian testing main\n');
    const calls = await readFile(join(home, 'calls'), 'utf8');
    expect(calls).toMatch(/Dir::Etc::sourceparts=\/dev\/null .*Dir::State=\S+ .*Dir::Cache=\S+.* update/);
    expect(calls).toMatch(/ download nats-server/);
  });

  test('an old package does not serve; the error names each way that was tried and the remedy', async () => {
    await tools('2.12.0');
    const error = (await findNatsServer(options({ env: env() })).catch((caught: unknown) => caught)) as Error & { remedy: string };
    expect(error.message).toMatch(/PATH: no nats-server there/);
    expect(error.message).toMatch(/cache: nothing new enough/);
    expect(error.message).toMatch(/release archive 2\.15\.0: 127\.0\.0\.1:1 cannot be reached/);
    expect(error.message).toMatch(/Debian package: it is version 2\.12\.0, older than 2\.14\.4/);
    expect(error.remedy).toMatch(/CADRE_NATS_SERVER/);
  });

  test('a mirror that fails is reported with the reason of apt', async () => {
    await tools('2.15.1', 'echo "E: no Release file" >&2; exit 100');
    await expect(findNatsServer(options({ env: env() }))).rejects.toMatchObject({
      message: expect.stringContaining('apt-get update: E: no Release file'),
    });
  });
});
