import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHistory } from './index.js';
import { findPostgres, historyContract, sampleRun, sampleRunId, startPostgres, toBlocks, type TestPostgres } from './testing/index.js';

historyContract('PGlite in memory', async () => {
  const store = await openHistory();
  return { store, close: () => store.close() };
});

describe('PGlite in a folder', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cadre-history-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('keeps what was applied; one process at a time; a lock left behind is taken over', async () => {
    const dataDir = join(folder, 'history');
    const first = await openHistory({ dataDir });
    await first.apply(0, toBlocks(sampleRun({ runId: sampleRunId(1) }), 4));
    await first.close();
    const sleeper = spawn('sleep', ['60']);
    try {
      const stat = execFileSync('cat', [`/proc/${sleeper.pid}/stat`], { encoding: 'utf8' });
      writeFileSync(join(dataDir, 'lock'), `${sleeper.pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`);
      await expect(openHistory({ dataDir })).rejects.toMatchObject({ code: 'history-in-use', retriable: true });
    } finally {
      sleeper.kill('SIGKILL');
      await new Promise((resolve) => sleeper.once('exit', resolve));
    }
    const second = await openHistory({ dataDir });
    await expect(openHistory({ dataDir })).rejects.toMatchObject({ code: 'history-in-use' });
    expect(await second.position(0)).toBe(3);
    expect(await second.query({ type: 'GetRun', tenant: 'default', runId: sampleRunId(1) })).toMatchObject({
      type: 'Run',
      run: { seq: 10 },
    });
    await second.close();
  });

  test('a folder left half made is made anew', async () => {
    const dataDir = join(folder, 'half');
    mkdirSync(join(dataDir, 'pglite'), { recursive: true });
    writeFileSync(join(dataDir, 'pglite', 'PG_VERSION'), '17');
    const store = await openHistory({ dataDir });
    expect(await store.position(0)).toBe(0);
    await store.close();
  });

  test('a template that is broken is done without', async () => {
    const cache = process.env['XDG_CACHE_HOME'];
    process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
    try {
      await (await openHistory()).close();
      const kept = readdirSync(join(folder, 'cache', 'cadre'));
      expect(kept).toEqual([expect.stringMatching(/^pglite-.*\.tar\.gz$/)]);
      writeFileSync(join(folder, 'cache', 'cadre', kept[0]!), 'broken');
      const store = await openHistory({ dataDir: join(folder, 'slow') });
      expect(await store.position(0)).toBe(0);
      await store.close();
    } finally {
      if (cache === undefined) delete process.env['XDG_CACHE_HOME'];
      else process.env['XDG_CACHE_HOME'] = cache;
    }
  }, 60_000);

  test('a folder that cannot be used is refused with what to do', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'x');
    await expect(openHistory({ dataDir: file })).rejects.toMatchObject({
      code: 'history-unavailable',
      remedy: expect.stringContaining('writable'),
    });
  });
});

if (findPostgres() === undefined) {
  describe('the read model on PostgreSQL', () => {
    test('NOT RUN: PostgreSQL is missing on this machine (Debian: apt-get install postgresql)', () => {
      expect(process.env['CI']).toBeUndefined();
    });
  });
} else {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, 60_000);
  afterAll(() => postgres?.stop());

  historyContract('PostgreSQL', async () => {
    const databaseUrl = postgres.createDatabase('contract');
    // Several at once: the migrations must not get in each other's way.
    const [store, ...others] = await Promise.all(Array.from({ length: 4 }, () => openHistory({ databaseUrl })));
    for (const other of others) await other.close();
    if (!store) throw new Error('no store');
    return { store, another: () => openHistory({ databaseUrl }), close: () => store.close() };
  });

  test('a database of a later release is refused', async () => {
    const databaseUrl = postgres.createDatabase('later');
    await (await openHistory({ databaseUrl })).close();
    postgres.run('later', "insert into cadre_migrations (number, name) values (99, 'later')");
    await expect(openHistory({ databaseUrl })).rejects.toMatchObject({ code: 'history-newer' });
  });

  test('a server that does not answer is said so', async () => {
    const opening = openHistory({ databaseUrl: 'postgres://postgres@127.0.0.1:1/none' });
    await expect(opening).rejects.toMatchObject({
      code: 'history-unavailable',
      retriable: true,
      remedy: expect.stringContaining('DATABASE_URL'),
    });
  });
}
