import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArtifactRef, BlobRef, TaskOutcome } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';
import { sweepWorkspaces } from './sweep-workspaces.js';
import { Workspace } from './workspace.js';

class MapBlobs implements Blobs {
  private readonly bodies = new Map<string, Uint8Array>();
  async put(bytes: Uint8Array, mediaType: string): Promise<BlobRef> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.bodies.set(sha256, bytes);
    return { sha256, size: bytes.byteLength, mediaType };
  }
  async get(ref: BlobRef): Promise<Uint8Array> {
    return this.bodies.get(ref.sha256)!;
  }
  async has(ref: BlobRef): Promise<boolean> {
    return this.bodies.has(ref.sha256);
  }
  async named(name: string, text: string): Promise<ArtifactRef> {
    return { ...(await this.put(Buffer.from(text), 'text/plain')), name };
  }
}

const outcome = (...artifacts: ArtifactRef[]): TaskOutcome => ({ taskId: 't', title: 'T', status: 'completed', artifacts });
const code = (value: string) => expect.objectContaining({ code: value });

let parent: string;
let workspace: Workspace;
let blobs: MapBlobs;
beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), 'workspace-spec-'));
  workspace = await Workspace.create(parent, { fileBytes: 1000, totalBytes: 2500, files: 4, inputBytes: 10_000 });
  blobs = new MapBlobs();
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

test('inputs and artifacts are put in place; own files are told from them and collected', async () => {
  const results = [
    outcome(await blobs.named('src/a.ts', 'old')),
    outcome(await blobs.named('src/a.ts', 'new'), await blobs.named('kept.md', 'k')),
  ];
  await workspace.materialise([await blobs.named('weather.csv', 'a,b')], results, blobs);
  await workspace.write('docs/API.md', '# API');
  await workspace.write('src/a.ts', 'mine');
  writeFileSync(workspace.resolve('kept.md'), 'changed by a program');
  expect(await workspace.list()).toEqual([
    { path: 'docs/API.md', size: 5, origin: 'own' },
    { path: 'inputs/weather.csv', size: 3, origin: 'input' },
    { path: 'kept.md', size: 20, origin: 'own' },
    { path: 'src/a.ts', size: 4, origin: 'own' },
  ]);
  const artifacts = await workspace.collectArtifacts(blobs);
  expect(artifacts.map(({ name, mediaType }) => [name, mediaType])).toEqual([
    ['docs/API.md', 'text/markdown'],
    ['kept.md', 'text/markdown'],
    ['src/a.ts', 'text/typescript'],
  ]);
  expect(Buffer.from(await blobs.get(artifacts[2]!)).toString()).toBe('mine');
});

test('untouched artifacts are not collected again', async () => {
  await workspace.materialise([], [outcome(await blobs.named('report.md', 'r'))], blobs);
  expect(await workspace.list()).toEqual([{ path: 'report.md', size: 1, origin: 'artifact' }]);
  expect(await workspace.collectArtifacts(blobs)).toEqual([]);
});

test('what was written since the last time is stored, and another workspace is brought to the same state by it', async () => {
  await workspace.materialise([], [outcome(await blobs.named('report.md', 'r'), await blobs.named('kept.md', 'k'))], blobs);
  await workspace.write('a.txt', 'one');
  const first = await workspace.storeChanged(blobs);
  expect(first.map(({ name }) => name)).toEqual(['a.txt']);
  expect(await workspace.storeChanged(blobs)).toEqual([]);
  writeFileSync(workspace.resolve('report.md'), 'changed by a program');
  await workspace.write('a.txt', 'two');
  const second = await workspace.storeChanged(blobs);
  expect(second.map(({ name }) => name)).toEqual(['a.txt', 'report.md']);
  const other = await Workspace.create(workspace.scratch);
  await other.materialise([], [outcome(await blobs.named('report.md', 'r'), await blobs.named('kept.md', 'k'))], blobs);
  for (const files of [first, second]) await other.restore(files, blobs);
  expect(await other.storeChanged(blobs)).toEqual([]);
  expect(await other.collectArtifacts(blobs)).toEqual(await workspace.collectArtifacts(blobs));
  expect(readFileSync(other.resolve('a.txt'), 'utf8')).toBe('two');
});

test.each(['../x', '/etc/passwd', 'a/../../x', './a', 'a//b', '', '.env', 'a/.git/x', 'a\\..\\b', 'a\0b', 'C:/x', '~/x', 'a/'])(
  'the path %j is refused everywhere',
  async (path) => {
    expect(() => workspace.resolve(path)).toThrow(code('path-refused'));
    await expect(workspace.write(path, 'x')).rejects.toEqual(code('path-refused'));
    await expect(workspace.readText(path, { maxBytes: 10 })).rejects.toEqual(code('path-refused'));
  },
);

describe('links', () => {
  let outside: string;
  beforeEach(() => {
    outside = join(parent, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret.txt'), 'secret');
  });

  test('to a folder outside are refused for reading, writing and new files', async () => {
    symlinkSync(outside, join(workspace.root, 'dir'));
    for (const path of ['dir', 'dir/secret.txt', 'dir/new.txt', 'dir/deep/new.txt']) {
      expect(() => workspace.resolve(path)).toThrow(code('path-refused'));
      await expect(workspace.write(path, 'x')).rejects.toEqual(code('path-refused'));
    }
    expect(readdirSync(outside)).toEqual(['secret.txt']);
  });

  test('to files outside, and to nowhere, are refused, not listed and not collected', async () => {
    symlinkSync(join(outside, 'secret.txt'), join(workspace.root, 'file.txt'));
    symlinkSync(join(outside, 'not-yet.txt'), join(workspace.root, 'broken.txt'));
    for (const path of ['file.txt', 'broken.txt']) {
      await expect(workspace.readText(path, { maxBytes: 10 })).rejects.toEqual(code('path-refused'));
      await expect(workspace.write(path, 'x')).rejects.toEqual(code('path-refused'));
    }
    expect(await workspace.list()).toEqual([]);
    expect(await workspace.collectArtifacts(blobs)).toEqual([]);
    expect(existsSync(join(outside, 'not-yet.txt'))).toBe(false);
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe('secret');
  });

  test('a named pipe does not hold anybody', async () => {
    execFileSync('mkfifo', [join(workspace.root, 'pipe')]);
    await expect(workspace.readText('pipe', { maxBytes: 10 })).rejects.toEqual(code('file-missing'));
    await expect(workspace.write('pipe', 'x')).rejects.toEqual(code('path-refused'));
    expect(await workspace.list()).toEqual([]);
  });
});

test('inputs cannot be written, nor replaced by a file', async () => {
  for (const path of ['inputs', 'inputs/new.csv']) await expect(workspace.write(path, 'x')).rejects.toEqual(code('path-refused'));
});

test('a folder or a file in the way is refused', async () => {
  await workspace.write('a/b', 'x');
  await expect(workspace.write('a', 'x')).rejects.toEqual(code('path-refused'));
  await expect(workspace.write('a/b/c', 'x')).rejects.toEqual(code('path-refused'));
});

test('limits hold for a file, for all, for their number, and for what programs wrote', async () => {
  await expect(workspace.write('a', 'x'.repeat(1001))).rejects.toEqual(code('workspace-limit'));
  for (const name of ['a', 'b']) await workspace.write(name, 'x'.repeat(1000));
  await expect(workspace.write('c', 'x'.repeat(501))).rejects.toEqual(code('workspace-limit'));
  await workspace.write('b', 'x'.repeat(10));
  for (const name of ['c', 'd']) await workspace.write(name, 'x');
  await expect(workspace.write('e', 'x')).rejects.toEqual(code('workspace-limit'));
  await workspace.write('a', 'replaced');
  writeFileSync(workspace.resolve('big'), 'x'.repeat(5000));
  await expect(workspace.collectArtifacts(blobs)).rejects.toEqual(code('workspace-limit'));
});

test('inputs beyond the limit are refused before anything is fetched', async () => {
  const huge = { ...(await blobs.named('huge.csv', 'x')), size: 10_001 };
  await expect(workspace.materialise([huge], [], blobs)).rejects.toEqual(code('workspace-limit'));
});

test('long text is cut between characters; binary files are no text', async () => {
  await workspace.write('t.txt', 'aä€😀');
  expect(await workspace.readText('t.txt', { maxBytes: 100 })).toEqual({ path: 't.txt', size: 10, text: 'aä€😀', truncated: false });
  expect(await workspace.readText('t.txt', { maxBytes: 8 })).toMatchObject({ text: 'aä€', truncated: true, nextOffset: 6 });
  await workspace.write('b.bin', new Uint8Array([1, 0, 2]));
  await expect(workspace.readText('b.bin', { maxBytes: 10 })).rejects.toEqual(code('file-not-text'));
  await expect(workspace.readText('none.txt', { maxBytes: 10 })).rejects.toEqual(code('file-missing'));
});

test('remove leaves nothing; the sweep takes only what dead processes left', async () => {
  const prefix = `cadre-attempt-${hostname().replace(/[^A-Za-z0-9]+/g, '')}-`;
  const dead = join(parent, `${prefix}999999999-abc`);
  const foreign = join(parent, 'something-else');
  for (const folder of [dead, foreign]) mkdirSync(folder);
  await sweepWorkspaces(parent);
  expect([existsSync(dead), existsSync(foreign), existsSync(workspace.root)]).toEqual([false, true, true]);
  await workspace.remove();
  expect(readdirSync(parent)).toEqual(['something-else']);
  await sweepWorkspaces(join(parent, 'nowhere'));
});
