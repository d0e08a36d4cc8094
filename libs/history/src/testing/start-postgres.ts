/**
 * A private PostgreSQL cluster in a temporary folder, for tests: the one that Debian's `postgresql` package installs, or the one on the
 * PATH.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestPostgres {
  /** For a database of its own for each name. */
  createDatabase(name: string): string;
  run(database: string, statement: string): void;
  stop(): Promise<void>;
}

/** @returns the folder with `initdb` and `postgres`; undefined when there is no PostgreSQL on the machine */
export function findPostgres(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(debian, version, 'bin')), ...(process.env['PATH'] ?? '').split(':')];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** Listens on loopback only. PostgreSQL refuses to run as root, so root starts it as the user `postgres` (or `nobody`). */
export async function startPostgres(): Promise<TestPostgres> {
  const bin = findPostgres();
  if (bin === undefined) throw new Error('PostgreSQL is missing; install it (Debian: apt-get install postgresql)');
  const folder = mkdtempSync(join(tmpdir(), 'cadre-postgres-'));
  const user = process.getuid?.() === 0 ? unprivileged() : undefined;
  if (user) chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o700);
  const as = { cwd: folder, ...(user && { uid: user.uid, gid: user.gid }), env: { PATH: process.env['PATH'], LC_ALL: 'C', HOME: folder } };
  const data = join(folder, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], { ...as, stdio: 'pipe' });
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: folder,
    fsync: 'off',
    max_connections: '30',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...flags], { ...as, stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const psql = (database: string, command: string) =>
    execFileSync(join(bin, 'psql'), ['-h', folder, '-p', String(port), '-U', 'postgres', '-d', database, '-qc', command], {
      ...as,
      stdio: 'pipe',
    });
  await untilReady(server, () => psql('postgres', 'select 1'));
  return {
    createDatabase: (name) => {
      psql('postgres', `create database ${name}`);
      return `postgres://postgres@127.0.0.1:${port}/${name}`;
    },
    run: (database, statement) => void psql(database, statement),
    stop: async () => {
      // SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
      server.kill('SIGINT');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function unprivileged(): { uid: number; gid: number } {
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      continue;
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody');
}

async function untilReady(server: ChildProcess, probe: () => void): Promise<void> {
  for (let tries = 0; tries < 150; tries += 1) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended with code ${server.exitCode}`);
    try {
      probe();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  server.kill('SIGKILL');
  throw new Error('PostgreSQL did not start within 15 s');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
