import { makeRunId, SUBJECTS } from '@cadre/contracts';
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
  const client = new HistoryClient(nats, 12_000);
  expect(await client.list('default', {}, TraceContext.start())).toEqual({ runs: [] });
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(asked).toBe(2);
  await nats.close();
  await server.stop();
});

test('a run that the history does not have yet is not called unknown: asked again, and a passing fault when patience ends', async () => {
  const server = await startNatsServer({ syncAlways: false });
  const nats = await connectNats({ url: server.url, name: 'test' });
  const answers = [{ type: 'Behind' }, { type: 'Behind' }, { type: 'NotFound' }];
  nats.subscribe(SUBJECTS.history, {
    callback: (_error, message) => void message.respond(JSON.stringify(answers.length > 1 ? answers.shift() : answers[0])),
  });
  const runId = makeRunId(0, '00000000-0000-7000-8000-000000000001');
  const ask = (patienceMs: number) => new HistoryClient(nats, patienceMs).run('default', runId, TraceContext.start());
  await expect(ask(25_000)).rejects.toMatchObject({ code: 'unknown-run' });
  answers.splice(0, 1, { type: 'Behind' });
  await expect(ask(3000)).rejects.toMatchObject({ code: 'unavailable', retriable: true, message: expect.stringContaining('behind') });
  await nats.close();
  await server.stop();
});
