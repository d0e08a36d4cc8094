import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataFolder, isWritable } from './data-folder.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-spec-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('data folder', () => {
  test('is for one system at a time', async () => {
    const path = join(folder, 'data');
    const first = await DataFolder.take(path, 'http://127.0.0.1:7400');
    await expect(DataFolder.take(path, 'x')).rejects.toMatchObject({
      code: 'already-running',
      message: `Cadre already runs on the data folder ${path} (process ${process.pid}, at http://127.0.0.1:7400).`,
    });
    await first.release();
    const second = await DataFolder.take(path, 'x');
    expect(second.wasAbandoned).toBe(false);
    await second.release();
  });

  test('is taken over from a process that is gone, also when its number is in use again', async () => {
    for (const lock of [
      { pid: 2 ** 22 + 1, url: '' },
      { pid: process.pid, birth: '1', url: '' },
    ]) {
      await writeFile(join(folder, 'lock.json'), JSON.stringify(lock));
      const taken = await DataFolder.take(folder, 'x');
      expect(taken.wasAbandoned).toBe(true);
      await taken.release();
    }
    expect(await readdir(folder)).toEqual([]);
  });

  test('a reset removes what is ours and nothing else', async () => {
    for (const name of ['nats', 'history', 'logs', 'mine']) await mkdir(join(folder, name));
    const taken = await DataFolder.take(folder, 'x');
    await taken.reset();
    await taken.release();
    expect(await readdir(folder)).toEqual(['mine']);
  });

  test('one that cannot be used is named', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(DataFolder.take(join(folder, 'file'), 'x')).rejects.toMatchObject({ code: 'data-folder-unusable' });
    expect(await isWritable(join(folder, 'file'))).toBe(false);
    expect(await isWritable(join(folder, 'not/yet/there'))).toBe(true);
  });
});
