import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { startNatsServer } from '@cadre/nats-server';
import { connectNats, isAtLeast } from './connect-nats.js';

test('versions are compared by number', () => {
  expect(isAtLeast('2.14.4', '2.14.4')).toBe(true);
  expect(isAtLeast('2.15.0-RC.1', '2.14.4')).toBe(true);
  expect(isAtLeast('2.14.10', '2.14.4')).toBe(true);
  expect(isAtLeast('2.14.3', '2.14.4')).toBe(false);
  expect(isAtLeast('2.9.30', '2.14.4')).toBe(false);
});

test('an unreachable server is named, without its password, and with the remedy', async () => {
  const connecting = connectNats({ url: 'nats://bob:secret@127.0.0.1:1', name: 'test', waitMs: 300 });
  await expect(connecting).rejects.toMatchObject({
    code: 'nats-unreachable',
    retriable: true,
    message: expect.stringContaining('nats://***@127.0.0.1:1'),
    remedy: expect.stringContaining('NATS_URL'),
  });
});

test.each([
  [{ version: '2.10.22', jetstream: true }, 'nats-too-old', '2.10.22'],
  [{ version: '2.15.1' }, 'nats-no-jetstream', 'JetStream'],
])('a server that says %p is refused: %s', async (info, code, word) => {
  const server = await fakeServer(info);
  try {
    const connecting = connectNats({ url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`, name: 'test', waitMs: 0 });
    await expect(connecting).rejects.toMatchObject({ code, message: expect.stringContaining(word) });
  } finally {
    server.close();
  }
});

test('a server that comes late is waited for, and one that comes back is used again', async () => {
  const first = await startNatsServer();
  const { port } = first;
  const lines: string[] = [];
  const log = { info: (_: object, text: string) => void lines.push(text), warn: (_: object, text: string) => void lines.push(text) };
  await first.stop();
  const connecting = connectNats({ url: `nats://127.0.0.1:${port}`, name: 'test', waitMs: 20_000, log });
  await new Promise((resolve) => setTimeout(resolve, 600));
  const second = await startNatsServer({ port });
  const nats = await connecting;
  expect(lines).toContain('NATS does not answer yet; trying on');
  await second.stop();
  const third = await startNatsServer({ port });
  try {
    for (let i = 0; i < 100 && !lines.includes('NATS connection is back'); i += 1) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(lines).toContain('NATS connection lost; reconnecting');
    await nats.flush();
  } finally {
    await nats.close();
    await third.stop();
  }
});

/** Speaks just enough of the protocol for a client to connect. */
function fakeServer(info: object): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write(`INFO ${JSON.stringify({ server_id: 'fake', max_payload: 1048576, headers: true, proto: 1, ...info })}\r\n`);
      socket.on('data', (data) => {
        if (String(data).includes('PING')) socket.write('PONG\r\n');
      });
    });
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
