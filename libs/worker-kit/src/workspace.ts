/**
 * The private folder of one attempt. Paths that come from a model, or from files, are never trusted: they must fit the contract's
 * pattern, and no part of them may be a link that leads out. Programs that ran here may have left anything behind, so listing and
 * collecting look at the disk without following links.
 */
import { constants, lstatSync, realpathSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, realpath, rm } from 'node:fs/promises';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { CadreError, mediaTypeOf, WorkspacePath } from '@cadre/contracts';
import type { ArtifactRef, TaskOutcome, ToolArgs, ToolResult } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';
import { FOLDER_PREFIX } from './sweep-workspaces.js';
import { textMatches, textPart } from './text-window.js';

/**
 * Bytes; `files` counts the attempt's own files. `fileBytes` and `totalBytes` bound what the attempt writes, `inputBytes` what it is given.
 */
export interface WorkspaceLimits {
  fileBytes: number;
  totalBytes: number;
  files: number;
  inputBytes: number;
}

const MIB = 1024 * 1024;
export const WORKSPACE_LIMITS: WorkspaceLimits = { fileBytes: 16 * MIB, totalBytes: 64 * MIB, files: 200, inputBytes: 512 * MIB };

export interface WorkspaceFile {
  path: string;
  size: number;
  /** `input`: given with the run, read-only. `artifact`: of an earlier task. `own`: written by this attempt. */
  origin: 'input' | 'artifact' | 'own';
}

/** Which part of a text file is wanted. */
export type TextWish = Pick<ToolArgs<'read_file'>, 'maxBytes' | 'search'> & { offset?: number };

interface FoundFile extends WorkspaceFile {
  stamp: string;
}

interface Given {
  origin: 'input' | 'artifact';
  /** As it was when we put it there; another value means that somebody wrote to it. */
  stamp: string;
}

const INPUTS = 'inputs';
/** Opens no link; and a named pipe that a program left behind does not hold us for ever. */
const NO_TRICKS = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
export class Workspace {
  private readonly given = new Map<string, Given>();
  /** Own files as they were when they were last stored. */
  private readonly stored = new Map<string, { stamp: string; ref: ArtifactRef }>();

  private constructor(
    private readonly base: string,
    /** Absolute real path of the folder that holds the files. */
    readonly root: string,
    /** A second private folder, for what must not become an artifact: databases, build output. */
    readonly scratch: string,
    private readonly limits: WorkspaceLimits,
  ) {}

  /** @param parent folder to make it in; default the system's temporary folder */
  static async create(parent: string = tmpdir(), limits: WorkspaceLimits = WORKSPACE_LIMITS): Promise<Workspace> {
    await mkdir(parent, { recursive: true });
    const base = await realpath(await mkdtemp(join(parent, `${FOLDER_PREFIX}${process.pid}-`)));
    const [root, scratch] = [join(base, 'files'), join(base, 'scratch')];
    await mkdir(root);
    await mkdir(scratch);
    return new Workspace(base, root, scratch, limits);
  }

  /**
   * Puts the run's inputs under `inputs/` and earlier tasks' artifacts under their own names; of two with one name the later stays. Stops
   * between files when the signal aborts.
   */
  async materialise(inputs: ArtifactRef[], results: TaskOutcome[], blobs: Blobs, signal?: AbortSignal): Promise<void> {
    const artifacts = new Map(results.flatMap((result) => result.artifacts).map((artifact) => [artifact.name, artifact]));
    const files = [
      ...inputs.map((ref) => ({ ref, path: `${INPUTS}/${ref.name}`, origin: 'input' as const })),
      ...[...artifacts.values()].map((ref) => ({ ref, path: ref.name, origin: 'artifact' as const })),
    ];
    const total = files.reduce((sum, file) => sum + file.ref.size, 0);
    if (total > this.limits.inputBytes) {
      throw new CadreError(
        'workspace-limit',
        `The inputs and artifacts of this task hold ${total} bytes; the limit is ${this.limits.inputBytes}.`,
      );
    }
    for (const { ref, path, origin } of files) {
      signal?.throwIfAborted();
      const target = this.resolve(path);
      await this.makeParents(target, path);
      await this.store(target, path, await blobs.get(ref));
      this.given.set(path, { origin, stamp: stampOf(target) });
    }
  }

  /**
   * The absolute path of a workspace path, which need not exist.
   * Errors: `path-refused` for absolute paths, `..`, hidden names, and links that lead out.
   */
  resolve(path: string): string {
    const parsed = WorkspacePath.safeParse(path);
    if (!parsed.success) throw refused(path, 'a path is relative to the workspace, with / between names, without . or .. or hidden names');
    const target = join(this.root, parsed.data);
    for (let existing = target; ; existing = dirname(existing)) {
      if (existing === this.root) return target;
      const real = realPathOf(existing, path);
      if (real === undefined) continue;
      if (!real.startsWith(this.root + sep)) throw refused(path, 'it is a link that leads out of the workspace');
      return target;
    }
  }

  /** All files, sorted by path; links, hidden names and names that no workspace path may have are left out. */
  async list(): Promise<WorkspaceFile[]> {
    return (await this.scan()).map(({ path, size, origin }) => ({ path, size, origin }));
  }

  /**
   * A part of a text file, or the lines of it that hold `search`. Errors: `path-refused`, `file-missing`, `file-not-text`.
   * @param offset in bytes
   */
  async readText(path: string, { offset = 0, maxBytes, search }: TextWish): Promise<ToolResult<'read_file'>> {
    const file = await this.openForReading(path);
    try {
      const { size } = await file.stat();
      if (search !== undefined) {
        const found = (await textMatches(file, offset, search)) ?? notText(path);
        return { path, size, text: '', truncated: found.nextOffset !== undefined, ...found };
      }
      const part = (await textPart(file, size, offset, maxBytes)) ?? notText(path);
      return { path, size, truncated: part.nextOffset !== undefined, ...part };
    } finally {
      await file.close();
    }
  }

  /** A whole file. Errors: `path-refused`, `file-missing`. */
  async readBytes(path: string): Promise<Uint8Array> {
    const file = await this.openForReading(path);
    try {
      return await file.readFile();
    } finally {
      await file.close();
    }
  }

  /** Writes or replaces a file of the attempt. Errors: `path-refused` (inputs too), `workspace-limit`. */
  async write(path: string, content: string | Uint8Array): Promise<{ path: string; size: number }> {
    const target = this.resolve(path);
    if (path === INPUTS || path.startsWith(`${INPUTS}/`))
      throw refused(path, 'the inputs of the run cannot be changed; choose another folder');
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    await this.checkRoom(path, bytes.byteLength);
    await this.makeParents(target, path);
    await this.store(target, path, bytes);
    this.given.delete(path);
    return { path, size: bytes.byteLength };
  }

  /** Stores the attempt's own files as blobs. Errors: `workspace-limit`, and those of the blobs. */
  async collectArtifacts(blobs: Blobs): Promise<ArtifactRef[]> {
    await this.storeChanged(blobs);
    return (await this.ownFiles()).flatMap(({ path }) => this.stored.get(path)?.ref ?? []);
  }

  /** Stores own files that were written or changed since the last time, and names them. Errors: as `collectArtifacts`. */
  async storeChanged(blobs: Blobs): Promise<ArtifactRef[]> {
    const own = await this.ownFiles();
    this.checkLimits(own);
    const changed = own.filter(({ path, stamp }) => this.stored.get(path)?.stamp !== stamp);
    const refs: ArtifactRef[] = [];
    for (const { path } of changed) refs.push({ ...(await blobs.put(await this.readBytes(path), mediaTypeOf(path))), name: path });
    for (const [index, { path, stamp }] of changed.entries()) this.stored.set(path, { stamp, ref: refs[index]! });
    return refs;
  }

  /** Writes files of the attempt as they were stored. Errors: those of the blobs, and `path-refused`. */
  async restore(files: ArtifactRef[], blobs: Blobs): Promise<void> {
    for (const ref of files) {
      await this.write(ref.name, await blobs.get(ref));
      this.stored.set(ref.name, { stamp: stampOf(this.resolve(ref.name)), ref });
    }
  }

  /** Deletes the folder and all that is in it. */
  async remove(): Promise<void> {
    await rm(this.base, { recursive: true, force: true, maxRetries: 3 });
  }

  private async scan(): Promise<FoundFile[]> {
    const files: FoundFile[] = [];
    for (const entry of await readdir(this.root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const absolute = join(entry.parentPath, entry.name);
      const path = absolute
        .slice(this.root.length + 1)
        .split(sep)
        .join('/');
      if (!WorkspacePath.safeParse(path).success) continue;
      const stat = lstatSync(absolute, { throwIfNoEntry: false, bigint: true });
      if (!stat?.isFile()) continue;
      const stamp = stampOfStat(stat);
      const given = this.given.get(path);
      const origin = given?.origin === 'input' || given?.stamp === stamp ? given!.origin : 'own';
      files.push({ path, size: Number(stat.size), origin, stamp });
    }
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  private async ownFiles(): Promise<FoundFile[]> {
    return (await this.scan()).filter((file) => file.origin === 'own' && !file.path.startsWith(`${INPUTS}/`));
  }

  private async checkRoom(path: string, size: number): Promise<void> {
    const own = (await this.list()).filter((file) => file.origin === 'own' && file.path !== path);
    this.checkLimits([...own, { path, size, origin: 'own' }]);
  }

  private checkLimits(own: WorkspaceFile[]): void {
    const { fileBytes, totalBytes, files } = this.limits;
    const large = own.find((file) => file.size > fileBytes);
    if (large) throw new CadreError('workspace-limit', `${large.path} has ${large.size} bytes; a file may have ${fileBytes}.`);
    const total = own.reduce((sum, file) => sum + file.size, 0);
    if (total > totalBytes) throw new CadreError('workspace-limit', `The files written hold ${total} bytes; the limit is ${totalBytes}.`);
    if (own.length > files) throw new CadreError('workspace-limit', `There are ${own.length} files; the limit is ${files}.`);
  }

  private async makeParents(target: string, path: string): Promise<void> {
    try {
      await mkdir(dirname(target), { recursive: true });
    } catch (cause) {
      throw new CadreError('path-refused', `${path} cannot be written: a part of its path is a file.`, { cause });
    }
  }

  private async store(target: string, path: string, bytes: Uint8Array): Promise<void> {
    let file: FileHandle;
    try {
      file = await open(target, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | NO_TRICKS, 0o644);
    } catch (cause) {
      throw new CadreError('path-refused', `${path} cannot be written: a folder or a link has this name.`, { cause });
    }
    try {
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
  }

  private async openForReading(path: string): Promise<FileHandle> {
    const target = this.resolve(path);
    let file: FileHandle;
    try {
      file = await open(target, constants.O_RDONLY | NO_TRICKS);
    } catch (cause) {
      throw missing(path, cause);
    }
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw missing(path);
  }
}

function refused(path: string, why: string): CadreError {
  return new CadreError('path-refused', `The path ${JSON.stringify(path.slice(0, 200))} is refused: ${why}.`);
}

function notText(path: string): never {
  throw new CadreError('file-not-text', `${path} is not a text file.`);
}

function missing(path: string, cause?: unknown): CadreError {
  return new CadreError('file-missing', `There is no file ${path} in the workspace.`, { remedy: 'list_files shows what is there.', cause });
}

function realPathOf(existing: string, path: string): string | undefined {
  try {
    return realpathSync(existing);
  } catch {
    // A link to nowhere exists for lstat only; writing through it would leave the workspace.
    if (isLink(existing)) throw refused(path, 'it is a broken link');
    return undefined;
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

function stampOf(absolute: string): string {
  return stampOfStat(lstatSync(absolute, { bigint: true }));
}

function stampOfStat({ size, mtimeNs, ino }: BigIntStats): string {
  return `${size} ${mtimeNs} ${ino}`;
}
