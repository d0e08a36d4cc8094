import { ContextArtifactView, ContextLineage, ContextPage, MemoryView, RunLineage, type TaskView } from '@cadre/contracts';
import { AgentMemories, SharedContext } from '@cadre/engine';
import { JetStreamBlobs, KvContextStore, KvMemoryStore } from '@cadre/event-log';
import { systemChance, systemClock } from '@cadre/messaging';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';

const RUN = 'r00-01890000-0000-7000-8000-000000000001';
const sha256 = 'a'.repeat(64);

let gateway: TestGateway;
let agents: SharedContext;
let close: () => void;
beforeAll(async () => {
  gateway = await startTestGateway();
  const store = await KvContextStore.open(gateway.nats);
  const blobs = await JetStreamBlobs.open(gateway.nats);
  agents = new SharedContext({ store, blobs, clock: systemClock, chance: systemChance });
  close = () => (store.close(), blobs.close());
});
afterAll(async () => {
  close();
  await gateway.stop();
});

const send: TestGateway['send'] = (...request) => gateway.send(...request);
const put = (name: string, text: string, more: object = {}, head = {}) =>
  send('PUT', `context/artifacts/${name}`, { content: { text }, ...more }, head);

test('is kept in versions, got, listed and deleted', async () => {
  const first = await put('docs/a.md', '# One', { tags: ['x'], expects: 0 }, { 'idempotency-key': 'k1' });
  expect(first.status).toBe(201);
  expect(ContextArtifactView.parse(first.body)).toMatchObject({
    name: 'docs/a.md',
    version: 1,
    keep: 10,
    versions: [{ by: { kind: 'user' }, tags: ['x'] }],
  });
  expect(await put('docs/a.md', '# One', { tags: ['x'], expects: 0 }, { 'idempotency-key': 'k1' })).toMatchObject({
    status: 200,
    body: { version: 1 },
  });
  expect(await put('docs/a.md', '# Other', {}, { 'idempotency-key': 'k1' })).toMatchObject({ status: 409, body: { code: 'key-taken' } });
  expect(await put('docs/a.md', 'two', { mediaType: 'text/html', expects: 1 })).toMatchObject({ status: 201, body: { version: 2 } });
  const newest = await send('GET', 'context/artifacts/docs/a.md');
  expect([newest.body, newest.head.get('cadre-version'), newest.head.get('content-type')]).toEqual([
    'two',
    '2',
    'text/html; charset=utf-8',
  ]);
  expect(newest.head.get('content-security-policy')).toContain('sandbox');
  expect((await send('GET', 'context/artifacts/docs/a.md?version=1')).body).toBe('# One');
  const etag = newest.head.get('etag')!;
  expect((await send('GET', 'context/artifacts/docs/a.md', undefined, { 'if-none-match': etag })).status).toBe(304);
  expect((await send('GET', 'context/versions/docs/a.md')).body).toMatchObject({ versions: [{ version: 1 }, { version: 2 }] });
  await send('PUT', 'context/artifacts/docs/b.bin', {
    content: { base64: 'AAEC/w==' },
    mediaType: 'application/octet-stream',
    tags: ['x'],
    ttlMs: 60_000,
  });
  const bytes = await (await fetch(`${gateway.url}/v1/context/artifacts/docs/b.bin`)).arrayBuffer();
  expect([...new Uint8Array(bytes)]).toEqual([0, 1, 2, 255]);
  const page = ContextPage.parse((await send('GET', 'context?prefix=docs/&limit=1')).body);
  expect([page.artifacts.map(({ name, version }) => [name, version]), page.nextCursor]).toEqual([[['docs/a.md', 2]], 'docs/a.md']);
  expect((await send('GET', 'context?tag=x')).body).toMatchObject({ artifacts: [{ name: 'docs/b.bin', expiresAt: expect.any(Number) }] });
  expect((await send('GET', 'context?cursor=docs/a.md&limit=1')).body['nextCursor']).toBeUndefined();
  expect(await send('DELETE', 'context/artifacts/docs/a.md?expects=1')).toMatchObject({ status: 409, body: { presentVersion: 2 } });
  expect(await send('DELETE', 'context/artifacts/docs/a.md')).toMatchObject({ status: 200, body: { name: 'docs/a.md', version: 2 } });
  expect((await send('GET', 'context/artifacts/docs/a.md')).status).toBe(404);
});

test('a conflict tells the present version; nothing is changed', async () => {
  await put('c', '1');
  expect(await put('c', '2', { expects: 0 })).toMatchObject({
    status: 409,
    body: { code: 'version-conflict', presentVersion: 1, detail: expect.stringContaining('c is at version 1 now, and none was expected') },
  });
  expect(await put('c', '2', { expects: 7 })).toMatchObject({
    status: 409,
    body: { presentVersion: 1, remedy: expect.stringContaining('Read version 1') },
  });
  expect(await put('never', '2', { expects: 7 })).toMatchObject({ status: 409, body: { presentVersion: 0 } });
  expect((await send('GET', 'context/artifacts/c')).body).toBe('1');
});

const content = { text: 'x' };
test.each([
  ['PUT', 'context/artifacts/a//b', { content }, 400, 'name: a name is letters'],
  ['PUT', 'context/artifacts/..%2fetc', { content }, 400, 'name: a name is letters'],
  ['PUT', `context/artifacts/${'x'.repeat(201)}`, { content }, 400, 'name'],
  ['PUT', 'context/artifacts/a', {}, 400, 'content'],
  ['PUT', 'context/artifacts/a', { content: { text: 'x', base64: '' } }, 400, 'content'],
  ['PUT', 'context/artifacts/a', { content: { base64: '!' } }, 400, 'content'],
  ['PUT', 'context/artifacts/a', { content, tags: ['No'] }, 400, 'a tag is lower-case'],
  ['PUT', 'context/artifacts/a', { content, keep: 65 }, 400, 'keep'],
  ['PUT', 'context/artifacts/a', { content, ttlMs: 1 }, 400, 'ttlMs'],
  ['PUT', 'context/artifacts/a', { content, surprise: 1 }, 400, 'surprise: unknown field'],
  ['PUT', 'context/artifacts/a', { content: { text: 'x'.repeat(8 * 1024 * 1024 + 1) } }, 413, '8 MiB'],
  ['GET', 'context/artifacts/nothing', undefined, 404, 'There is no nothing in the context store'],
  ['GET', 'context/artifacts/c?version=9', undefined, 404, 'no version 9 of c'],
  ['GET', 'context/artifacts/c?version=0', undefined, 400, 'at least 1'],
  ['GET', 'context/versions/nothing', undefined, 404, 'There is no nothing'],
  ['GET', 'context/lineage/nothing', undefined, 404, 'There is no nothing'],
  ['GET', 'context?limit=201', undefined, 400, 'at most 200'],
  ['GET', 'context?tag=No', undefined, 400, 'a tag is lower-case'],
  ['DELETE', 'context/artifacts/nothing', undefined, 404, 'There is no nothing'],
  ['PUT', 'context/grants/No', { rules: [] }, 400, 'agent: an agent name'],
  ['PUT', 'context/grants/ann', {}, 400, 'rules'],
  ['PUT', 'context/grants/ann', { rules: [{ on: '../x', may: ['read'] }] }, 400, 'a pattern is a name'],
  ['PUT', 'context/grants/ann', { rules: [{ on: '*', may: ['own'] }] }, 400, 'rules[0].may'],
])('%s %s is refused (%#)', async (method, path, body, status, word) => {
  const answer = await send(method, path, body);
  expect([answer.status, JSON.stringify(answer.body)]).toEqual([status, expect.stringContaining(word)]);
});

test('what agents may do is set here; lineage leads back over runs, and from a run to what it read', async () => {
  const by = { kind: 'agent' as const, agent: 'ann', runId: RUN, taskId: 'write', attempt: 1 };
  const ann = { tenant: 'default', by };
  await put('facts', 'f');
  expect(await agents.get(ann, 'facts')).toMatchObject({ refusal: { kind: 'forbidden' } });
  const rules = [
    { on: 'facts', may: ['read'] },
    { on: 'reports/', may: ['write'] },
  ];
  expect(await send('PUT', 'context/grants/ann', { rules })).toMatchObject({ status: 200, body: { agent: 'ann', rules } });
  expect((await send('GET', 'context/grants')).body).toEqual({ grants: [{ agent: 'ann', rules }] });
  const found = await agents.get(ann, 'facts');
  const facts = { artifact: 'facts', version: 1, sha256: found.ok ? found.version.body.sha256 : '' };
  const lost = { artifact: 'lost', version: 3, sha256 };
  const from = [facts, { input: 'data.csv', sha256 }, lost];
  await agents.put(ann, { ...{ name: 'reports/r', key: 'k', tags: [], from }, bytes: Buffer.from('r'), mediaType: 'text/plain' });

  const lineage = ContextLineage.parse((await send('GET', 'context/lineage/reports/r')).body);
  expect(lineage.steps).toMatchObject([
    { artifact: 'reports/r', version: 1, by, from },
    { artifact: 'facts', version: 1, by: { kind: 'user' }, from: [] },
    { ...lost, gone: true },
  ]);

  const { body } = await send('POST', 'runs', { goal: 'Count' });
  const run = gateway.monitor.runs.get(String(body['runId']))!;
  const task = (taskId: string, dependsOn: string[], more: Partial<TaskView> = {}): TaskView => ({
    ...{ taskId, title: taskId, status: 'completed', priority: 'medium', skills: [], dependsOn, require: 'all', attempt: 1, artifacts: [] },
    ...{ usage: run.usage, ...more },
  });
  const written = [{ artifact: 'reports/r', version: 1, sha256 }];
  run.tasks = [
    task('read', []),
    task('each', ['read']),
    task('each~0~write', [], { agent: 'ann', context: { read: [facts], written } }),
    task('answer', ['each']),
  ];
  const walked = RunLineage.parse((await send('GET', `runs/${run.runId}/lineage`)).body);
  expect(walked.tasks.map(({ taskId, from: used }) => [taskId, used])).toEqual([
    ['answer', ['each']],
    ['each', ['read', 'each~0~write']],
    ['read', []],
    ['each~0~write', []],
  ]);
  expect(walked.tasks[3]).toMatchObject({ agent: 'ann', read: [facts], written });
  expect(walked.context).toMatchObject([{ artifact: 'facts', by: { kind: 'user' } }]);
  expect((await send('GET', `runs/${RUN}/lineage`)).status).toBe(404);
});

test('what an agent remembers is shown and cleared, of a run or of all', async () => {
  const store = await KvMemoryStore.open(gateway.nats);
  const memories = new AgentMemories({ store, clock: systemClock, chance: systemChance });
  const of = { key: 'a'.repeat(32), runId: RUN, taskId: 'note', at: 1, asked: 'Note it.', answered: 'Noted.' };
  await memories.add('default', { agent: 'diarist', shareWith: ['reader'] }, of);
  await memories.add('default', { agent: 'diarist', runId: RUN, shareWith: [] }, { ...of, answered: 'Noted in this run.' });
  const all = await send('GET', 'agents/diarist/memory');
  expect(MemoryView.parse(all.body)).toMatchObject({ agent: 'diarist', shareWith: ['reader'], leftOut: 0, tokens: 44 });
  const one = await send('GET', `agents/diarist/memory?runId=${RUN}`);
  expect(MemoryView.parse(one.body).messages.map(({ text }) => text)).toEqual(['Note it.', 'Noted in this run.']);
  expect(await send('DELETE', 'agents/diarist/memory')).toMatchObject({ status: 200, body: { messages: [{}, {}] } });
  expect(await send('GET', 'agents/diarist/memory')).toMatchObject({ status: 404, body: { code: 'not-found' } });
  expect(await send('DELETE', 'agents/diarist/memory')).toMatchObject({
    status: 404,
    body: { remedy: expect.stringContaining('name the run with runId') },
  });
  expect((await send('GET', `agents/diarist/memory?runId=${RUN}`)).status).toBe(200);
  expect(await send('GET', 'agents/Diarist/memory')).toMatchObject({ status: 400, body: { errors: [{ path: 'agent' }] } });
  expect(await send('GET', 'agents/diarist/memory?runId=7')).toMatchObject({ status: 400 });
  store.close();
});
