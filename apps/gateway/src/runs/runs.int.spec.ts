import {
  CallList,
  CancelAccepted,
  PlanView,
  RunAccepted,
  RunPage,
  RunView,
  TaskSpec,
  WorkerList,
  type Heartbeat,
  type Problem,
  type ThinkingTrace,
} from '@cadre/contracts';
import { JetStreamBlobs } from '@cadre/event-log';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({ ANSWER_TIMEOUT_MS: '700' });
});
afterAll(() => gateway.stop());

const get = (path: string, headers: Record<string, string> = {}) => fetch(gateway.url + path, { headers });
const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  fetch(gateway.url + path, {
    method: 'POST',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  });
const started = async (goal = 'Do it') => RunAccepted.parse(await (await post('/v1/runs', { goal })).json()).runId;
const UNKNOWN = 'r00-01936c5e-7d1c-7e3a-9d55-0b6f4c1d2e3f';

async function refused(response: Response, status: number, code: string): Promise<Problem> {
  const problem = (await response.json()) as Problem;
  expect({ status: response.status, problem }).toMatchObject({ status, problem: { status, code } });
  return problem;
}

test('runs are listed by page and status, and shown one by one with their calls', async () => {
  const ids = [await started('one'), await started('two'), await started('three')];
  const first = RunPage.parse(await (await get('/v1/runs?limit=2&status=running')).json());
  expect(first.runs.map((run) => run.runId)).toEqual([ids[2], ids[1]]);
  const second = RunPage.parse(await (await get(`/v1/runs?limit=2&cursor=${first.nextCursor}`)).json());
  expect(second.runs.map((run) => run.runId)).toEqual([ids[0]]);
  expect(RunView.parse(await (await get(`/v1/runs/${ids[0]}`)).json()).goal).toBe('one');
  expect(CallList.parse(await (await get(`/v1/runs/${ids[0]}/calls`)).json())).toEqual({ calls: [], more: false });
});

test('the plan of a run is what the log has of it, in whatever parts it came', async () => {
  const runId = await started();
  const plan = () => get(`/v1/runs/${runId}/plan`);
  await refused(await plan(), 404, 'not-found');
  const tasks = ['plan', 'a', 'b', 'answer'].map((id) => TaskSpec.parse({ id, title: id, instructions: 'Do it.' }));
  const added = (source: 'engine' | 'model', from: number) => ({ type: 'TasksAdded' as const, source, tasks: tasks.slice(from, from + 1) });
  const filler = Array.from({ length: 600 }, () => ({ type: 'TaskOpened' as const, taskId: 'x' }));
  await gateway.monitor.commit(runId, [added('engine', 0), ...filler, { ...added('model', 1), more: true }], { stream: false });
  await refused(await plan(), 404, 'not-found');
  await gateway.monitor.commit(runId, [{ ...added('model', 2), note: 'two steps' }, added('engine', 3)], { stream: false });
  const view = PlanView.parse(await (await plan()).json());
  expect(view).toEqual({ runId, source: 'model', note: 'two steps', tasks: tasks.slice(1, 3) });
});

test.each([
  ['/v1/runs?limit=0', 400, 'invalid-request', 'limit'],
  ['/v1/runs?limit=many', 400, 'invalid-request', 'limit'],
  ['/v1/runs?status=sleeping', 400, 'invalid-request', 'status'],
  ['/v1/runs?colour=red', 400, 'invalid-request', 'colour: unknown field'],
  ['/v1/runs?cursor=nonsense', 400, 'invalid-request', 'cursor'],
  [`/v1/runs/${UNKNOWN}`, 404, 'unknown-run', UNKNOWN],
  [`/v1/runs/${UNKNOWN}/plan`, 404, 'unknown-run', UNKNOWN],
  [`/v1/runs/${UNKNOWN}/calls`, 404, 'unknown-run', UNKNOWN],
  [`/v1/runs/${UNKNOWN}/events`, 404, 'unknown-run', UNKNOWN],
  [`/v1/runs/${UNKNOWN}/artifacts`, 404, 'unknown-run', UNKNOWN],
  [`/v1/runs/${UNKNOWN}/answer`, 404, 'unknown-run', UNKNOWN],
  ['/v1/runs/nonsense', 404, 'unknown-run', 'nonsense'],
  [`/v1/runs/${UNKNOWN.replace('r00', 'r42')}`, 404, 'unknown-run', 'r42'],
  ['/v1/nothing', 404, 'not-found', '/v1/nothing'],
])('GET %s is refused with %p', async (path, status, code, word) => {
  expect((await refused(await get(path), status, code)).detail).toContain(word);
});

test('a run is cancelled, again without harm, but not when it ended otherwise', async () => {
  const runId = await started();
  const cancel = () => post(`/v1/runs/${runId}/cancel`, { reason: 'enough' });
  const first = await cancel();
  expect(first.status).toBe(202);
  expect(CancelAccepted.parse(await first.json())).toMatchObject({ runId, status: 'cancelling', links: { self: `/v1/runs/${runId}` } });
  expect((await cancel()).status).toBe(202);
  expect(gateway.owner.commands.at(-1)).toMatchObject({ type: 'CancelRun', tenant: 'default', reason: 'enough' });
  expect((await post(`/v1/runs/${runId}/cancel`)).status).toBe(202);
  const ended = await started();
  gateway.owner.runs.get(ended)!.status = 'completed';
  await refused(await post(`/v1/runs/${ended}/cancel`), 409, 'run-ended');
  await refused(await post(`/v1/runs/${UNKNOWN}/cancel`), 404, 'unknown-run');
  await refused(await post(`/v1/runs/${runId}/cancel`, { why: 'x' }), 400, 'invalid-request');
  await refused(await post(`/v1/runs/${runId}/cancel`, []), 400, 'invalid-request');
});

test('artifacts are listed and downloaded as what they are, and cannot run in a browser', async () => {
  const runId = await started();
  const blobs = await JetStreamBlobs.open(gateway.nats);
  const report = { ...(await blobs.put(Buffer.from('# Überschrift'), 'text/markdown')), name: 'report.md' };
  const chart = { ...(await blobs.put(Buffer.from('<svg/>'), 'image/svg+xml')), name: 'charts/rain (sun).svg' };
  const answer = { ref: await blobs.put(Buffer.from('the long answer'), 'text/markdown'), preview: 'the long' };
  blobs.close();
  await refused(await get(`/v1/runs/${runId}/answer`), 404, 'not-found');
  await gateway.monitor.commit(runId, [{ type: 'RunCompleted', answer, partial: false, artifacts: [report, chart], usage: zero }]);
  const { artifacts } = (await (await get(`/v1/runs/${runId}/artifacts`)).json()) as { artifacts: { name: string; href: string }[] };
  expect(artifacts).toEqual([
    { ...report, href: `/v1/runs/${runId}/artifacts/report.md` },
    { ...chart, href: `/v1/runs/${runId}/artifacts/charts/rain%20(sun).svg` },
  ]);
  const text = await get(`/v1/runs/${runId}/artifacts/report.md`);
  expect(await text.text()).toBe('# Überschrift');
  expect(Object.fromEntries(text.headers)).toMatchObject({
    'content-type': 'text/markdown; charset=utf-8',
    'content-disposition': `attachment; filename="report.md"; filename*=UTF-8''report.md`,
    'x-content-type-options': 'nosniff',
    'content-length': '14',
    etag: `"${report.sha256}"`,
  });
  expect(text.headers.get('content-security-policy')).toContain('sandbox');
  const picture = await get(artifacts[1]!.href);
  expect(picture.headers.get('content-type')).toBe('image/svg+xml');
  expect((await get(artifacts[0]!.href, { 'if-none-match': `"x", "${report.sha256}"` })).status).toBe(304);
  expect(await (await get(`/v1/runs/${runId}/answer`)).text()).toBe('the long answer');
  await refused(await get(`/v1/runs/${runId}/artifacts/none.md`), 404, 'not-found');
  await refused(await get(`/v1/runs/${runId}/artifacts/..%2f..%2fetc%2fpasswd`), 404, 'not-found');
  await refused(await get(`/v1/runs/${runId}/artifacts/`), 404, 'not-found');
});

test('what an agent thought is read by itself, as the reference in its task says', async () => {
  const runId = await started();
  const trace: ThinkingTrace = { style: 'critical', rounds: [], reasoning: [{ call: 1, text: 'Hm.' }], thinkingTokens: 1 };
  const blobs = await JetStreamBlobs.open(gateway.nats);
  const ref = await blobs.put(Buffer.from(JSON.stringify(trace)), 'application/json');
  blobs.close();
  const none = await get(`/v1/runs/${runId}/tasks/a/thinking`);
  await refused(none, 404, 'not-found');
  const usual = {
    status: 'completed' as const,
    priority: 'medium' as const,
    skills: [],
    dependsOn: [],
    require: 'all' as const,
    attempt: 1,
  };
  const task = { ...usual, taskId: 'a', title: 'A', artifacts: [], usage: zero, thinking: { ref, preview: '{' } };
  gateway.monitor.runs.get(runId)!.tasks.push(task);
  const run = RunView.parse(await (await get(`/v1/runs/${runId}`)).json());
  expect(run.tasks).toMatchObject([{ taskId: 'a', thinking: { ref } }]);
  expect(await (await get(`/v1/runs/${runId}/tasks/a/thinking`)).json()).toEqual(trace);
  await refused(await get(`/v1/runs/${runId}/tasks/b/thinking`), 404, 'not-found');
});

const zero = { modelCalls: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 };

test('workers are shown from their heartbeats, until they say goodbye or fall silent', async () => {
  const beat: Heartbeat = {
    workerId: 'w1',
    epoch: 'e1',
    seq: 1,
    at: Date.now(),
    startedAt: Date.now(),
    specialty: 'generalist',
    state: 'idle',
    agents: [{ name: 'generalist', description: 'Does anything', skills: ['general'] }],
    slots: 4,
    held: [{ runId: UNKNOWN, taskId: 'a', attempt: 1 }],
  };
  const say = async (given: unknown) => {
    gateway.nats.publish('cadre.hb.w1', typeof given === 'string' ? given : JSON.stringify(given));
    await gateway.nats.flush();
    await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const workers = async () => WorkerList.parse(await (await get('/v1/agents')).json()).workers;
  await say('{broken');
  await say({ ...beat, slots: -1 });
  expect(await workers()).toEqual([]);
  await say(beat);
  expect(await workers()).toMatchObject([
    { workerId: 'w1', held: 1, slots: 4, state: 'idle', lost: false, agents: [{ name: 'generalist' }] },
  ]);
  await new Promise((resolve) => setTimeout(resolve, 2600));
  expect(await workers()).toMatchObject([{ workerId: 'w1', lost: true }]);
  await say({ ...beat, state: 'terminated' });
  expect(await workers()).toEqual([]);
});

test('without an owner or a monitor the answer is 503, and a repeated request with its key arrives at one run', async () => {
  const headers = { 'idempotency-key': 'patient' };
  gateway.owner.stop();
  const response = await post('/v1/runs', { goal: 'wait' }, headers);
  expect(response.headers.get('retry-after')).toBe('2');
  expect((await refused(response, 503, 'unavailable')).remedy).toContain('same Idempotency-Key');
  expect((await refused(await post('/v1/runs', { goal: 'wait' }), 503, 'unavailable')).remedy).toContain('/v1/runs/r00-');
  gateway.owner.start();
  expect((await post('/v1/runs', { goal: 'wait' }, headers)).status).toBe(202);
  gateway.monitor.stop();
  expect((await post('/v1/runs', { goal: 'wait' }, headers)).status).toBe(200);
  await refused(await get('/v1/runs'), 503, 'unavailable');
  await refused(await get(`/v1/runs/${UNKNOWN}/events`), 503, 'unavailable');
  setTimeout(() => gateway.monitor.start(), 300);
  expect((await get('/v1/runs')).status).toBe(200);
});
