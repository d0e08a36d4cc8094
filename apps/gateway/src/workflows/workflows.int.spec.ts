import { RunAccepted, WorkflowVersion } from '@cadre/contracts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ ANSWER_TIMEOUT_MS: '2000' });
});
afterAll(() => gateway.stop());

const task = (id: string, rest: object = {}) => ({ id, title: id, instructions: 'Do it.', ...rest });
const workflow = (name: string, spec: object = {}) => ({
  apiVersion: 'cadre/v1',
  kind: 'Workflow',
  metadata: { name },
  spec: { goal: 'Count', params: { texts: {}, width: { default: 2 } }, tasks: [task('a')], ...spec },
});

const send = (method: string, path: string, body?: unknown, head?: Record<string, string>) =>
  gateway.send(method, `workflows${path}`, body, head);

test('is kept in versions, listed and found', async () => {
  expect(await send('PUT', '/count', workflow('count'))).toMatchObject({ status: 201, body: { name: 'count', version: 1 } });
  expect(await send('PUT', '/count', workflow('count'))).toMatchObject({ status: 200, body: { version: 1 } });
  expect(await send('PUT', '/count', workflow('count', { goal: 'Count all' }))).toMatchObject({ status: 201, body: { version: 2 } });
  expect(await send('GET', '')).toMatchObject({ status: 200, body: { workflows: [{ name: 'count', version: 2 }] } });
  expect(WorkflowVersion.parse((await send('GET', '/count')).body).workflow.spec.goal).toBe('Count all');
  expect(WorkflowVersion.parse((await send('GET', '/count?version=1')).body).workflow.spec.goal).toBe('Count');
});

test('is started with its parameters; the run says of which version it is', async () => {
  await send('PUT', '/words', workflow('words', { options: { summarize: false, labels: { team: 'red' } } }));
  const started = await send('POST', '/words/runs', { params: { texts: ['a'] } }, { 'idempotency-key': 'k1' });
  expect(started.status).toBe(202);
  const { runId } = RunAccepted.parse(started.body);
  expect(gateway.owner.runs.get(runId)?.start).toMatchObject({
    goal: 'Count',
    params: { texts: ['a'], width: 2 },
    options: { summarize: false, labels: { team: 'red', workflow: 'words@1' } },
    plan: { tasks: [{ id: 'a' }] },
  });
  // A later version changes nothing of what has been started.
  await send('PUT', '/words', workflow('words', { goal: 'Other' }));
  expect(await send('POST', '/words/runs', { version: 1, params: { texts: ['a'] } }, { 'idempotency-key': 'k1' })).toMatchObject({
    status: 200,
    body: { runId },
  });
  const newest = RunAccepted.parse((await send('POST', '/words/runs', { params: { texts: [], width: 9 }, goal: 'Mine' })).body);
  expect(gateway.owner.runs.get(newest.runId)?.start).toMatchObject({ goal: 'Mine', params: { width: 9 } });
  expect(await send('POST', '/words/runs', { params: { texts: ['b'] } }, { 'idempotency-key': 'k1' })).toMatchObject({ status: 409 });
});

const cycle = [task('a', { dependsOn: ['b'] }), task('b', { dependsOn: ['a'] })];

test.each([
  ['PUT', '/bad', {}, 400, 'apiVersion'],
  ['PUT', '/bad', { ...workflow('bad'), kind: 'Plan' }, 400, 'must be \\"Workflow\\"'],
  ['PUT', '/bad', workflow('other'), 400, 'metadata.name'],
  ['PUT', '/bad', workflow('bad', { tasks: cycle }), 422, 'a → b → a'],
  ['PUT', '/bad', workflow('bad', { tasks: [task('a', { condition: 'goal ==' })] }), 422, 'spec.tasks[0]'],
  ['PUT', '/bad', workflow('bad', { surprise: 1 }), 400, 'surprise'],
  ['PUT', '/bad', workflow('bad', { params: { big: { default: 'x'.repeat(270_000) } } }), 413, 'bytes'],
  ['GET', '/nothing', undefined, 404, 'There is no workflow'],
  ['GET', '/Not_A_Name', undefined, 404, 'There is no workflow'],
  ['GET', '/words?version=99', undefined, 404, 'There is no version 99 of workflow'],
  ['GET', '/words?version=x', undefined, 400, 'whole number'],
  ['POST', '/nothing/runs', {}, 404, 'There is no workflow'],
  ['POST', '/words/runs', {}, 400, 'params.texts: has no default'],
  ['POST', '/words/runs', { params: { texts: [], colour: 1 } }, 400, 'params.colour: the workflow has no such parameter'],
  ['POST', '/words/runs', { surprise: 1 }, 400, 'surprise'],
])('%s %s is refused (%#)', async (method, path, body, status, word) => {
  const before = gateway.owner.runs.size;
  const answer = await send(method, path, body);
  expect([answer.status, JSON.stringify(answer.body)]).toEqual([status, expect.stringContaining(word)]);
  expect(gateway.owner.runs.size).toBe(before);
});
