import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataFolder, isWritable } from './data-folder.js';
import { localSystem, serviceEnvironment } from './local-services.js';
import { fixedPorts, freePorts, requireFree } from './ports.js';

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

describe('ports', () => {
  test('fixed ones follow the base, free ones are all different', async () => {
    const fixed = fixedPorts(7400);
    expect(fixed).toMatchObject({ gateway: 7400, 'nats-server': 7422, 'model-sim': 7401 });
    const free = await freePorts();
    expect(Object.keys(free).sort()).toEqual(Object.keys(fixed).sort());
    for (const ports of [fixed, free]) expect(new Set(Object.values(ports)).size).toBe(12);
  });

  test('a taken one is named with its purpose and the way out', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(requireFree({ gateway: port }, 'choose another')).rejects.toMatchObject({
      ...{ code: 'port-taken', message: `Port ${port} (gateway) on 127.0.0.1 is in use.`, remedy: 'choose another' },
    });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('services', () => {
  const ports = fixedPorts(7400);

  test('workers use our model server unless the user names one', () => {
    expect(serviceEnvironment('worker-generalist', '/d', ports, { NODE_COMPILE_CACHE: '/c' })).toEqual({
      ...{ NATS_URL: 'nats://127.0.0.1:7422', HTTP_HOST: '127.0.0.1', HTTP_PORT: String(ports['worker-generalist']) },
      ...{ SHUTDOWN_MS: '6000', CADRE_WORK_DIR: '/d/work', CADRE_MODEL: 'cadre-sim-1', NODE_COMPILE_CACHE: '/c' },
      ...{ OPENAI_BASE_URL: 'http://127.0.0.1:7401/v1', OPENAI_API_KEY: 'local' },
    });
    expect(serviceEnvironment('worker-generalist', '/d', ports, { OPENAI_BASE_URL: 'http://m/v1' })).not.toHaveProperty('OPENAI_BASE_URL');
    expect(serviceEnvironment('monitor', '/d', ports, {})).toMatchObject({ CADRE_HISTORY_DIR: '/d/history' });
    expect(serviceEnvironment('gateway', '/d', ports, {})).not.toHaveProperty('OPENAI_API_KEY');
  });

  test('services that are not built are named', () => {
    expect(() => localSystem({ dataDir: folder, ports, env: {}, root: folder })).toThrow(/not built: model-sim, orchestrator, /);
  });
});
