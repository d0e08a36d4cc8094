import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WatchedFile } from './watched-file.js';

let folder: string;
let path: string;
let file: WatchedFile;
let texts: string[];
let faults: string[];

async function opened(): Promise<void> {
  const onText = (text: string) => {
    if (text === 'bad') throw new Error('refused');
    texts.push(text);
  };
  file = await WatchedFile.open({ path, everyMs: 3_600_000, onText, onFault: (error) => faults.push((error as Error).message) });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cadre-watched-'));
  path = join(folder, 'models.yaml');
  [texts, faults] = [[], []];
  writeFileSync(path, 'one');
  await opened();
});
afterEach(() => {
  file.close();
  rmSync(folder, { recursive: true });
});

test('a change is read once', async () => {
  await file.look();
  writeFileSync(path, 'second');
  await file.look();
  await file.look();
  expect(texts).toEqual(['one', 'second']);
});

test('what is refused is told once and leaves the rest as it was; the next change counts', async () => {
  writeFileSync(path, 'bad');
  await file.look();
  await file.look();
  writeFileSync(path, 'third');
  await file.look();
  expect([texts, faults]).toEqual([['one', 'third'], ['refused']]);
});

test('a file that is replaced, or away for a while, is read when it is there again', async () => {
  rmSync(path);
  await file.look();
  await file.look();
  writeFileSync(`${path}.new`, 'back');
  renameSync(`${path}.new`, path);
  await file.look();
  expect(texts).toEqual(['one', 'back']);
  expect(faults).toHaveLength(1);
});

test('a file that is not there at the start is an error', async () => {
  file.close();
  rmSync(path);
  await expect(opened()).rejects.toMatchObject({ code: 'ENOENT' });
});
