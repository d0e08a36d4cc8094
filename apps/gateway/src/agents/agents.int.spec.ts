import { AgentRemoved, AgentView, WorkerList, type Heartbeat } from '@cadre/contracts';
import { KvAgentStore } from '@cadre/event-log';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';

let gateway: TestGateway;
let store: KvAgentStore;
beforeAll(async () => {
  gateway = await startTestGateway();
  store = await KvAgentStore.open(gateway.nats);
  await beat();
});
afterAll(async () => {
  store.close();
  await gateway.stop();
});

let beats = 0;
async function beat(change: Partial<Heartbeat> = {}): Promise<void> {
  const now = Date.now();
  beats += 1;
  const told: Heartbeat = {
    ...{ workerId: 'w1', epoch: 'e1', seq: beats, at: now, startedAt: now, specialty: 'generalist', state: 'idle', slots: 4, held: [] },
    agents: [{ name: 'generalist', description: 'Does anything', skills: ['general'] }],
    templates: [{ name: 'assistant', description: 'Helps', tools: ['read_file', 'write_file'] }],
    definitions: 1_000_000,
    ...change,
  };
  gateway.nats.publish(`cadre.hb.${told.workerId}`, JSON.stringify(told));
  await gateway.nats.flush();
  await new Promise((resolve) => setTimeout(resolve, 50));
}

const send = (method: string, path: string, body?: unknown) => gateway.send(method, `agents${path}`, body);

const reader = { template: 'assistant', description: 'Reads.', skills: ['reading'], tools: ['read_file'] };

test('an agent is defined, changed, shown with those who have it, and removed', async () => {
  const made = await send('PUT', '/reader', reader);
  expect([made.status, AgentView.parse(made.body)]).toMatchObject([
    201,
    { name: 'reader', version: 1, definition: reader, workers: ['w1'] },
  ]);
  expect(await send('PUT', '/reader', reader)).toMatchObject({ status: 200, body: { version: 1 } });
  expect(await send('PUT', '/reader', { ...reader, temperature: 1 })).toMatchObject({ status: 200, body: { version: 2 } });
  expect(await send('GET', '/reader')).toMatchObject({ status: 200, body: { version: 2, definition: { temperature: 1 } } });
  await beat({ workerId: 'w2', definitions: 1 });
  const list = WorkerList.parse((await send('GET', '')).body);
  expect(list.workers.map(({ workerId }) => workerId)).toEqual(['w1', 'w2']);
  expect(list.templates).toEqual([{ name: 'assistant', description: 'Helps', tools: ['read_file', 'write_file'], workers: ['w1', 'w2'] }]);
  // The second worker has not read it yet.
  expect(list.defined).toMatchObject([{ name: 'reader', version: 2, workers: ['w1'] }]);
  const removed = await send('DELETE', '/reader');
  expect([removed.status, AgentRemoved.parse(removed.body)]).toMatchObject([
    200,
    { name: 'reader', version: 2, note: expect.stringContaining('by name wait until it is defined again') },
  ]);
  const handed = await send('DELETE', '/reader?handTo=generalist');
  expect(handed).toMatchObject({ status: 200, body: { handTo: 'generalist', note: expect.stringContaining('by name go to generalist.') } });
  expect(WorkerList.parse((await send('GET', '')).body).defined).toMatchObject([{ name: 'reader', handTo: 'generalist', workers: [] }]);
  expect(await send('PUT', '/reader', reader)).toMatchObject({ status: 201, body: { version: 3 } });
});

test.each([
  ['PUT', '/a', {}, 400, 'template'],
  ['PUT', '/a', { ...reader, surprise: 1 }, 400, 'surprise: unknown field'],
  ['PUT', '/a', { ...reader, skills: [] }, 400, 'skills'],
  ['PUT', '/a', { ...reader, instructions: 'x'.repeat(20_001) }, 400, 'instructions'],
  ['PUT', '/a', { ...reader, limits: { maxSteps: 0 } }, 400, 'limits.maxSteps'],
  ['PUT', '/a', { ...reader, underLoad: { waitMs: 5 } }, 400, 'underLoad gives nothing up; name a cheaper model'],
  ['PUT', '/Not_A_Name', reader, 400, 'an agent name is lower-case'],
  ['PUT', '/a', { ...reader, template: 'wizard' }, 422, 'templates that are offered: assistant'],
  ['PUT', '/a', { ...reader, tools: ['read_file', 'run_tests'] }, 422, 'the template assistant does not have run_tests'],
  ['PUT', '/generalist', reader, 409, 'A worker has an agent of this name by itself'],
  ['PUT', '/taken', reader, 409, 'Another tenant has an agent of this name'],
  ['GET', '/taken', undefined, 404, 'No agent \\"taken\\" was defined'],
  ['DELETE', '/taken', undefined, 404, 'No agent \\"taken\\" was defined'],
  ['GET', '/Not_A_Name', undefined, 404, 'was defined'],
  ['DELETE', '/nobody', undefined, 404, 'was defined'],
  ['DELETE', '/reader?handTo=nobody', undefined, 422, 'it is no agent that is there'],
  ['DELETE', '/reader?handTo=taken', undefined, 422, 'it is no agent that is there'],
  ['DELETE', '/reader?handTo=reader', undefined, 422, 'it is the agent itself'],
  ['DELETE', '/reader?handTo=No!', undefined, 400, 'handTo: an agent name is lower-case'],
])('%s %s is refused (%#)', async (method, path, body, status, word) => {
  const record = { tenant: 'rival', name: 'taken', version: 1, changedAt: 0, definition: reader };
  await store.write(record, 0);
  const answer = await send(method, path, body);
  expect([answer.status, JSON.stringify(answer.body)]).toEqual([status, expect.stringContaining(word)]);
  expect((await store.read('taken')).record).toEqual(record);
  expect((await store.read('reader')).record).toMatchObject({ version: 3, definition: reader });
});
