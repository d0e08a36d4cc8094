/**
 * A fresh PGlite spends seconds of CPU on creating its cluster. A template of an empty one, made once (by the build, else by the first
 * use), shortens that to a fraction. Without a template, or with one that cannot be used, everything works the slow way.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { PGlite, type PGliteOptions } from '@electric-sql/pglite';

/** @param options without `loadDataDir`; a `dataDir` must be empty */
export async function createFresh(options: PGliteOptions): Promise<PGlite> {
  const template = await readTemplate();
  if (template) {
    const loaded = await PGlite.create({ ...options, loadDataDir: template }).catch(() => undefined);
    if (loaded) return loaded;
    if (options.dataDir !== undefined) await emptied(options.dataDir);
  }
  const pglite = await PGlite.create(options);
  if (!template) await keepTemplate(pglite, cachePath()).catch(() => undefined);
  return pglite;
}

async function emptied(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
}

/** Used by the build. @param path file to write */
export async function makeTemplate(path: string): Promise<void> {
  const pglite = await PGlite.create();
  await keepTemplate(pglite, path);
  await pglite.close();
}

/** Where the build puts it: beside this file. */
export function builtPath(): string {
  return join(dirname(fileURLToPath(import.meta.url)), fileName());
}

function cachePath(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'cadre', fileName());
}

/** A template fits the very release that made it. */
function fileName(): string {
  const main = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const { version } = createRequire(import.meta.url)(join(dirname(main), '../package.json')) as { version: string };
  return `pglite-${version}.tar.gz`;
}

async function readTemplate(): Promise<Blob | undefined> {
  for (const path of [builtPath(), cachePath()]) {
    // Unpacked here: PGlite's own unpacking of a damaged file fails outside of its promise.
    const tar = await readFile(path)
      .then(promisify(gunzip))
      .catch(() => undefined);
    if (tar) return new Blob([tar], { type: 'application/x-tar' });
  }
  return undefined;
}

async function keepTemplate(pglite: PGlite, path: string): Promise<void> {
  const bytes = new Uint8Array(await (await pglite.dumpDataDir('gzip')).arrayBuffer());
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, bytes);
  await rename(draft, path);
}
