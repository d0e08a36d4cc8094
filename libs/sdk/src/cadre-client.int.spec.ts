import { CadreClient } from './cadre-client.js';
import type { RunFeedItem } from './event-stream.js';
import { StandInGateway, type StandInOptions } from './testing/index.js';

let gateway: StandInGateway;

afterEach(() => gateway.stop());

async function connect(options: StandInOptions = {}): Promise<CadreClient> {
  gateway = await StandInGateway.start(options);
  return new CadreClient({ baseUrl: `${gateway.url}/` });
}

async function collect(events: AsyncIterable<RunFeedItem>): Promise<RunFeedItem[]> {
  const items: RunFeedItem[] = [];
  for await (const item of events) items.push(item);
  return items;
}

test('starts a run from JSON, follows it to its end, and reads what it left', async () => {
  const client = await connect();
  const { runId, status } = await client.startRun({ goal: 'count rain days' });
  expect(status).toBe('planning');
  const items = await collect(client.events(runId));
  expect(items[0]).toMatchObject({ position: '1.0', event: { type: 'cadre.RunStarted' } });
  expect(items.at(-1)?.event.type).toBe('cadre.RunCompleted');
  const run = await client.endedRun(runId);
  expect(run).toMatchObject({ status: 'completed', partial: false, planSource: 'template', tasksDone: 3, tasksTotal: 3 });
  expect((await client.artifacts(runId)).map(({ name }) => name)).toEqual(['report.md', 'charts/rain.svg']);
  const chart = await client.downloadArtifact(runId, 'charts/rain.svg');
  expect(await new Response(chart.body).text()).toContain('<svg');
  expect(chart.size).toBe(42);
  expect(run).toMatchObject({ usage: { modelCalls: 3, costMicros: 2250 }, reservedMicros: 0, questions: [] });
  expect((await client.calls(runId)).calls).toMatchObject([
    { taskId: 'plan', outcome: 'done', costMicros: 750 },
    { taskId: 'analyse' },
    {},
  ]);
});

test('a goal alone is executed, and runs are put together by the strategy that was set', async () => {
  const client = await connect();
  const run = await client.execute('count rain days');
  expect(run).toMatchObject({ status: 'completed', goal: 'count rain days' });
  await client.aggregate({ runs: [run.runId] });
  client.setAggregationStrategy({ by: 'concat' });
  await client.aggregate({ runs: [run.runId] });
  await client.aggregate({ runs: [run.runId], combine: { by: 'merge' } });
  expect(gateway.aggregations.map(({ combine }) => combine.by)).toEqual(['summary', 'concat', 'merge']);
});

test('uploads files in a form, with the idempotency key', async () => {
  const client = await connect();
  const files = [
    { name: 'a b.csv', data: 'x,y\n1,2\n' },
    { name: 'raw.json', data: new TextEncoder().encode('[1]') },
  ];
  const first = await client.startRun({ goal: 'sum' }, { files, idempotencyKey: 'k1' });
  expect([...gateway.uploads]).toEqual([
    ['a b.csv', 'x,y\n1,2\n'],
    ['raw.json', '[1]'],
  ]);
  expect((await client.startRun({ goal: 'sum' }, { files, idempotencyKey: 'k1' })).runId).toBe(first.runId);
  expect(gateway.requests[0]?.headers).toMatchObject({ 'idempotency-key': 'k1' });
});

test('an event stream that breaks again and again loses and repeats nothing', async () => {
  const client = await connect({ breakAfter: 4 });
  const { runId } = await client.startRun({ goal: 'x' });
  const positions = (await collect(client.events(runId))).map(({ position }) => position);
  expect(positions).toEqual(positions.map((_, index) => `${index + 1}.0`));
  const asked = gateway.requests.filter(({ path }) => path.endsWith('/events')).map(({ headers }) => headers['last-event-id']);
  expect(asked[0]).toBeUndefined();
  expect(asked.length).toBeGreaterThan(3);
  expect(new Set(asked).size).toBe(asked.length);
});

test('goes on after a position, and after the gateway was away', async () => {
  const client = await connect({ stepMs: 20 });
  const { runId } = await client.startRun({ goal: 'x' });
  const port = Number(new URL(gateway.url).port);
  const positions: string[] = [];
  for await (const { position } of client.events(runId, { after: '2.0' })) {
    positions.push(position);
    if (position === '5.0') {
      await gateway.stop();
      setTimeout(() => void gateway.listen(port), 300);
    }
  }
  expect(positions[0]).toBe('3.0');
  expect(positions).toEqual(positions.map((_, index) => `${index + 3}.0`));
});

test('an event stream can be aborted, and gives up when nobody comes back', async () => {
  const client = await connect();
  const { runId } = await client.startRun({ goal: 'this will hang' });
  const abort = new AbortController();
  setTimeout(() => abort.abort(new Error('enough')), 100);
  await expect(collect(client.events(runId, { signal: abort.signal }))).rejects.toThrow('enough');
  setTimeout(() => void gateway.stop(), 100);
  await expect(collect(client.events(runId, { giveUpMs: 300 }))).rejects.toMatchObject({ code: 'gateway-unreachable' });
});

test('pages through what has happened, and a run that has ended has nothing more to stream', async () => {
  const client = await connect();
  const { runId } = await client.startRun({ goal: 'x' });
  const first = await client.eventPage(runId, { limit: 3 });
  expect(first).toMatchObject({ more: true, next: '3.0', events: [{ type: 'cadre.RunStarted' }, {}, {}] });
  const rest = await client.eventPage(runId, { after: '3.0' });
  expect(rest.more).toBe(false);
  expect(await collect(client.events(runId, { after: rest.next! }))).toEqual([]);
  expect(await client.answer(runId)).toContain('The whole of a long answer.');
  await expect(client.thinking(runId, 'analyse')).rejects.toMatchObject({ status: 404 });
});

test('a start is repeated only when it has a key', async () => {
  const client = await connect({ busy: 2 });
  await expect(client.startRun({ goal: 'x' })).rejects.toMatchObject({ status: 503, retriable: true });
  expect((await client.startRun({ goal: 'x' }, { idempotencyKey: 'k' })).status).toBe('planning');
});

test('a cancelled run ends with its terminal event', async () => {
  const client = await connect();
  const { runId } = await client.startRun({ goal: 'this will hang' });
  setTimeout(() => void client.cancelRun(runId, 'no longer needed'), 50);
  expect(await client.waitForEnd(runId)).toMatchObject({ status: 'cancelled' });
  await expect(client.cancelRun(runId)).rejects.toMatchObject({ code: 'run-ended', status: 409 });
});

test('a question is seen, answered, and the run goes on', async () => {
  const client = await connect();
  const { runId } = await client.startRun({ goal: 'this will ask' });
  const [question] = await client.questions();
  expect(question).toMatchObject({ runId, questionId: 'q1', kind: 'budget', choices: ['approve', 'deny'], taskId: 'tests' });
  expect(await client.questions(runId)).toEqual([question]);
  await expect(client.answerQuestion(runId, 'q1', { choice: 'repeat' })).rejects.toMatchObject({ code: 'choice-not-allowed', status: 422 });
  expect(await client.answerQuestion(runId, 'q1', { choice: 'approve', raiseMicros: 500_000 })).toMatchObject({ runId, questionId: 'q1' });
  expect(await client.waitForEnd(runId)).toMatchObject({ status: 'completed' });
  await expect(client.answerQuestion(runId, 'q1', { choice: 'approve' })).rejects.toMatchObject({ code: 'unknown-question', status: 404 });
  expect(await client.questions()).toEqual([]);
});

test("a tenant's cap is set, read and taken away", async () => {
  const client = await connect();
  await client.startRun({ goal: 'x' });
  expect(await client.tenantBudget()).toEqual({ tenant: 'default', capMicros: null, settledMicros: 2250, reservedMicros: 0 });
  expect(await client.setTenantBudget(5_000_000)).toMatchObject({ capMicros: 5_000_000 });
  expect(await client.setTenantBudget(null)).toMatchObject({ capMicros: null });
});

test('an answer is sent again while the gateway cannot take it', async () => {
  gateway = await StandInGateway.start();
  let asked = 0;
  const busy: typeof fetch = async () => {
    asked += 1;
    const runId = 'r00-00000000-0000-7000-8000-000000000001';
    const links = { self: '', events: '', calls: '', questions: '', artifacts: '', answer: '', cancel: '' };
    return asked < 3 ? Response.json({ code: 'unavailable' }, { status: 503 }) : Response.json({ runId, questionId: 'q1', links });
  };
  const client = new CadreClient({ baseUrl: gateway.url, fetch: busy });
  expect(await client.answerQuestion('r00-x', 'q1', { choice: 'deny' })).toMatchObject({ questionId: 'q1' });
  expect(asked).toBe(3);
});

test('pages through runs', async () => {
  const client = await connect();
  for (const goal of ['a', 'b', 'c that will hang']) await client.startRun({ goal });
  const first = await client.listRuns({ limit: 2 });
  expect(first.runs.map(({ goal }) => goal)).toEqual(['c that will hang', 'b']);
  const second = await client.listRuns({ limit: 2, cursor: first.nextCursor! });
  expect(second).toMatchObject({ runs: [{ goal: 'a' }] });
  expect((await client.listRuns({ status: 'planning' })).runs).toHaveLength(1);
});

test('a refusal names the faults and the remedy', async () => {
  const client = await connect();
  await expect(client.startRun({ goal: ' ' })).rejects.toMatchObject({
    name: 'CadreApiError',
    ...{ code: 'invalid-request', status: 400, retriable: false, remedy: 'correct the fields named under errors' },
    errors: [{ path: 'goal', message: 'the goal is empty; say what is to be done' }],
  });
  await expect(client.getRun('r00-unknown')).rejects.toMatchObject({ code: 'unknown-run', status: 404 });
});

test('health tells live from ready, and an absent gateway is named', async () => {
  const client = await connect({ ready: false });
  expect(await client.health()).toEqual({ live: true, ready: false, detail: { ready: false } });
  const { url } = gateway;
  await gateway.stop();
  await expect(client.health()).rejects.toMatchObject({ code: 'gateway-unreachable', message: `No Cadre gateway answers at ${url}.` });
});

test('an answer of another program is recognised as such', async () => {
  gateway = await StandInGateway.start();
  const client = new CadreClient({ baseUrl: gateway.url, fetch: async () => new Response('<html>hello</html>', { status: 200 }) });
  await expect(client.getRun('r00-x')).rejects.toMatchObject({ code: 'bad-answer' });
});

test('fields that a newer gateway adds are let through', async () => {
  gateway = await StandInGateway.start();
  const client = new CadreClient({ baseUrl: gateway.url, fetch: async () => Response.json({ runs: [], later: 1 }) });
  expect(await client.listRuns()).toMatchObject({ runs: [] });
});

test('an event is sent, again when the gateway cannot take it at the moment, and is the same one then', async () => {
  const client = await connect({ busy: 1 });
  const sent = await client.sendEvent({ type: 'order.paid', data: { amount: 120 } });
  expect(sent).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), source: '/http', type: 'order.paid' });
  expect(await client.sendEvent({ type: 'order.paid', source: '/shop', id: 'o1' })).toMatchObject({ id: 'o1', source: '/shop' });
  expect(gateway.events).toMatchObject([{ id: sent.id, data: { amount: 120 } }, { id: 'o1' }]);
});

test('workflows are kept, listed, found and started', async () => {
  const client = await connect();
  const tasks = [{ id: 'a', title: 'A', instructions: 'Do it.' }];
  const workflow = { apiVersion: 'cadre/v1', kind: 'Workflow', metadata: { name: 'count' }, spec: { goal: 'count', tasks } } as const;
  expect(await client.putWorkflow(workflow)).toMatchObject({ name: 'count', version: 1, workflow: { spec: { params: {} } } });
  expect(await client.workflows()).toMatchObject([{ name: 'count', version: 1 }]);
  expect(await client.workflow('count')).toMatchObject({ version: 1 });
  await expect(client.workflow('nothing', 3)).rejects.toMatchObject({ status: 404, code: 'not-found' });
  const { runId } = await client.runWorkflow('count', { params: { texts: ['a'] } });
  expect(gateway.workflowRuns).toMatchObject([{ params: { texts: ['a'] } }]);
  expect(await client.waitForEnd(runId)).toMatchObject({ status: 'completed', goal: 'count' });
  expect((await client.runWorkflow('count', {}, { idempotencyKey: 'k' })).runId).toBe(
    (await client.runWorkflow('count', {}, { idempotencyKey: 'k' })).runId,
  );
});

test('many goals at once, each to its end, and what they come to together', async () => {
  const client = await connect();
  const started: [number, string][] = [];
  const submissions = ['one', { goal: ' ' }, { request: { goal: 'three' }, files: [{ name: 'a.csv', data: 'a' }] }, 'this will fail'];
  const outcomes = await client.executeParallel(submissions, { atOnce: 2, onStarted: (runId, index) => started.push([index, runId]) });
  expect(outcomes).toMatchObject([
    { ok: true, run: { goal: 'one', status: 'completed' } },
    { ok: false, error: { code: 'invalid-request' } },
    { ok: true, run: { goal: 'three', status: 'completed' } },
    { ok: true, run: { status: 'failed' } },
  ]);
  expect(started.map(([index]) => index).sort()).toEqual([0, 2, 3]);
  expect(gateway.uploads.get('a.csv')).toBe('a');
  const runs = outcomes.flatMap((each) => (each.ok ? [each.run.runId] : []));
  await expect(client.aggregate({ runs, combine: { by: 'vote' } })).rejects.toMatchObject({ status: 422, code: 'unprocessable' });
  const { runId } = await client.aggregate({ runs, combine: { by: 'vote' }, partial: true });
  expect((await client.waitForEnd(runId)).status).toBe('completed');
  expect(gateway.aggregations).toMatchObject([{ runs, combine: { by: 'vote', tie: 'first' }, partial: true }]);
});

test('the same submissions with the same key are the same runs', async () => {
  const client = await connect();
  const ids = async () => (await client.executeParallel(['a', 'b'], { idempotencyKey: 'k' })).map((each) => each.ok && each.run.runId);
  expect(await ids()).toEqual(await ids());
  expect((await client.execute({ goal: 'c' })).status).toBe('completed');
});

test('an abort ends the waiting', async () => {
  const client = await connect();
  const abort = AbortSignal.timeout(200);
  await expect(client.executeParallel(['this will hang', 'a'], { signal: abort })).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('the plan of a goal, before anybody works on it', async () => {
  const client = await connect();
  const { run, plan } = await client.preview({ goal: 'count', options: { priority: 'low' } });
  expect(run).toMatchObject({ status: 'completed', options: { planOnly: true, priority: 'low' }, usage: { modelCalls: 1 } });
  expect(plan).toMatchObject({ source: 'template', tasks: [{ id: 'analyse' }, { id: 'tests', dependsOn: ['analyse'] }] });
  const { runId } = await client.startRun({ goal: 'this will hang' });
  await expect(client.plan(runId)).rejects.toMatchObject({ code: 'not-found' });
});
