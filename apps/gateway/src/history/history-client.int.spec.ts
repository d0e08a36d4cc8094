import { SUBJECTS } from '@cadre/contracts';
import { connectNats, TraceContext } from '@cadre/messaging';
import { startNatsServer } from '@cadre/nats-server';
import { HistoryClient } from './history-client.js';

test('a question that a monitor took with it is asked again, long before patience ends', async () => {
  const server = await startNatsServer({ syncAlways: false });
  const nats = await connectNats({ url: server.url, name: 'test' });
  let asked = 0;
  nats.subscribe(SUBJECTS.history, {
    callback: (_error, message) => {
      asked += 1;
      if (asked > 1) message.respond(JSON.stringify({ type: 'Runs', page: { runs: [] } }));
    },
  });
  const began = performance.now();
  const client = new HistoryClient(nats, 25_000);
  expect(await client.list('default', {}, TraceContext.start())).toEqual({ runs: [] });
  expect(performance.now() - began).toBeLessThan(15_000);
  expect(asked).toBe(2);
  await nats.close();
  await server.stop();
});
