import { askServer } from './readiness.js';
import { startNatsServer } from './start-nats-server.js';
import { storageFault, writeErrorIn } from './storage-fault.js';

test('a server that writes has no fault; it does say that it is well', async () => {
  const server = await startNatsServer();
  try {
    expect(await askServer(server.host, server.port, '$SYS.REQ.SERVER.PING.HEALTHZ')).toMatch(/"status":"ok"/);
    expect(await storageFault(server.host, server.port)).toBeUndefined();
  } finally {
    await server.stop();
  }
  expect(await storageFault(server.host, server.port)).toBeUndefined();
}, 30_000);

test.each([
  [{ status: 'ok' }, undefined],
  [{ status: 'unavailable', error: "JetStream stream '$G > A' is not current" }, undefined],
  [{ status: 'unavailable', error: "JetStream stream '$G > A' write error: no space left on device" }, /no space left/],
])('%j', (data, expected) => {
  const found = writeErrorIn(JSON.stringify({ server: {}, data }));
  if (expected === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(expected);
});
