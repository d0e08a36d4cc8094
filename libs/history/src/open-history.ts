/** Opens the read model's database: PostgreSQL where a URL is given, else PGlite in a folder or in memory. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { CadreError } from '@cadre/contracts';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { lockFolder, type FolderLock } from './folder-lock.js';
import { HistoryStore } from './history-store.js';
import { migrate } from './migrations.js';
import { PgliteDialect } from './pglite-dialect.js';
import { createFresh } from './pglite-template.js';
import type { HistoryDatabase } from './schema.js';

export interface HistoryOptions {
  /** PostgreSQL: `postgres://user:password@host:5432/database`. Several processes may share it. */
  databaseUrl?: string;
  /** Folder for PGlite, for one process at a time; without it (and without a URL) the history is in memory and gone with the process. */
  dataDir?: string;
  /** Connections to PostgreSQL at most. Default 5. */
  poolSize?: number;
  /** Told of connections that broke while idle; they are replaced. */
  onError?: (error: Error) => void;
}

const INT8 = 20;
const parsers = { [INT8]: Number };

/**
 * Opens the database and brings its schema up to date. Errors: `history-unavailable` (retriable) when it cannot be reached or opened,
 * `history-in-use` (retriable) when another process holds the folder, `history-newer` when a later release made it.
 */
export async function openHistory(options: HistoryOptions = {}): Promise<HistoryStore> {
  return options.databaseUrl === undefined ? await openPglite(options.dataDir) : await openPostgres(options.databaseUrl, options);
}

async function openPostgres(databaseUrl: string, options: HistoryOptions): Promise<HistoryStore> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: options.poolSize ?? 5,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    // Numbers of 64 bits come as text by default; all of ours are far below 2^53.
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')),
    },
  });
  pool.on('error', (error) => options.onError?.(error));
  const db = new Kysely<HistoryDatabase>({ dialect: new PostgresDialect({ pool }) });
  await migrated(db, () => undefined, 'check that PostgreSQL runs and that DATABASE_URL is right');
  return new HistoryStore(db, async () => undefined);
}

async function openPglite(dataDir: string | undefined): Promise<HistoryStore> {
  let lock: FolderLock | undefined;
  let db: Kysely<HistoryDatabase>;
  try {
    lock = dataDir === undefined ? undefined : lockFolder(dataDir);
    const pglite = dataDir === undefined ? await createFresh({ parsers }) : await openFolder(dataDir);
    db = new Kysely<HistoryDatabase>({ dialect: new PgliteDialect(pglite) });
  } catch (cause) {
    lock?.release();
    if (cause instanceof CadreError) throw cause;
    throw unavailable(
      cause,
      `check that ${dataDir ?? 'memory'} is a writable folder; a damaged one may be deleted, the log fills it again`,
    );
  }
  await migrated(db, () => lock?.release(), 'a damaged folder may be deleted; the log fills it again');
  return new HistoryStore(db, async () => lock?.release());
}

/** A folder that a process left half made is made anew: the mark is set once it is whole, before anything is written to it. */
async function openFolder(dataDir: string): Promise<PGlite> {
  const folder = join(dataDir, 'pglite');
  const mark = join(dataDir, 'created');
  if (existsSync(mark)) return await PGlite.create({ dataDir: folder, parsers });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const pglite = await createFresh({ dataDir: folder, parsers });
  writeFileSync(mark, '');
  return pglite;
}

async function migrated(db: Kysely<HistoryDatabase>, release: () => void, remedy: string): Promise<void> {
  try {
    await migrate(db);
  } catch (cause) {
    await db.destroy().catch(() => undefined);
    release();
    throw cause instanceof CadreError ? cause : unavailable(cause, remedy);
  }
}

function unavailable(cause: unknown, remedy: string): CadreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CadreError('history-unavailable', `the history database cannot be opened: ${reason}`, { retriable: true, remedy, cause });
}
