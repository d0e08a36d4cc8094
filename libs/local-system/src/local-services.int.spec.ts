import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localSystem, serviceEnvironment } from './local-services.js';
import { fixedPorts, freePorts, requireFree } from './ports.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-spec-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

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
