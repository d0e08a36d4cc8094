import { AnswerAccepted, QuestionList, RunAccepted, type Problem } from '@cadre/contracts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({ ANSWER_TIMEOUT_MS: '700' });
});
afterAll(() => gateway.stop());

const UNKNOWN = 'r00-01936c5e-7d1c-7e3a-9d55-0b6f4c1d2e3f';
const get = (path: string) => fetch(gateway.url + path);
const post = (path: string, body?: unknown) =>
  fetch(gateway.url + path, {
    method: 'POST',
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
const answerPath = (runId: string, question = 'q1') => `/v1/runs/${runId}/questions/${question}/answer`;

/** A run with an open question, for the owner and for the monitor alike. */
async function asking(kind: 'budget' | 'effect' = 'budget'): Promise<string> {
  const { runId } = RunAccepted.parse(await (await post('/v1/runs', { goal: 'Do it' })).json());
  const choices = kind === 'budget' ? (['approve', 'deny'] as const) : (['done', 'repeat', 'deny'] as const);
  gateway.owner.runs.get(runId)!.questions.set('q1', { choices: [...choices] });
  gateway.monitor.ask(runId, { questionId: 'q1', taskId: 'a', kind, choices: [...choices] });
  return runId;
}

async function refused(response: Response, status: number, code: string): Promise<Problem> {
  const problem = (await response.json()) as Problem;
  expect({ status: response.status, problem }).toMatchObject({ status, problem: { status, code } });
  return problem;
}

test('open questions are listed for a run, and for all runs', async () => {
  const [first, second] = [await asking(), await asking('effect')];
  const questions = async (path: string) => QuestionList.parse(await (await get(path)).json()).questions;
  expect(await questions(`/v1/runs/${first}/questions`)).toMatchObject([{ runId: first, questionId: 'q1', choices: ['approve', 'deny'] }]);
  expect((await questions('/v1/questions')).map(({ runId }) => runId)).toEqual([first, second]);
});

test('an answer reaches the owner, and may be repeated', async () => {
  const runId = await asking();
  const answer = { choice: 'approve', raiseMicros: 500_000, by: 'ada', note: 'worth it' };
  const response = await post(answerPath(runId), answer);
  expect([response.status, AnswerAccepted.parse(await response.json())]).toMatchObject([200, { runId, questionId: 'q1' }]);
  expect(gateway.owner.commands.at(-1)).toMatchObject({ type: 'AnswerQuestion', tenant: 'default', runId, questionId: 'q1', ...answer });
  expect((await post(answerPath(runId), answer)).status).toBe(200);
});

test('who answers is the API unless the caller says so; a result goes with "done"', async () => {
  const runId = await asking('effect');
  expect((await post(answerPath(runId), { choice: 'done', result: { orderId: 4711 } })).status).toBe(200);
  expect(gateway.owner.commands.at(-1)).toMatchObject({ choice: 'done', by: 'api', result: { orderId: 4711 } });
});

test('an answer that the question does not offer is refused with its choices; another answer than the first comes too late', async () => {
  const runId = await asking();
  const problem = await refused(await post(answerPath(runId), { choice: 'repeat' }), 422, 'choice-not-allowed');
  expect(problem.remedy).toBe('choose one of approve, deny');
  await post(answerPath(runId), { choice: 'deny' });
  expect((await refused(await post(answerPath(runId), { choice: 'approve' }), 404, 'unknown-question')).detail).toContain('"q1"');
});

describe('a bad answer is refused, and the owner is not asked', () => {
  test.each<[string, unknown, number, string, string]>([
    ['without a choice', {}, 400, 'invalid-request', 'choice'],
    ['without a body', undefined, 400, 'invalid-request', 'choice'],
    ['with an unknown choice', { choice: 'maybe' }, 400, 'invalid-request', 'choice'],
    ['with an unknown field', { choice: 'deny', why: 'x' }, 400, 'invalid-request', 'why: unknown field'],
    ['with a list', [], 400, 'invalid-request', ''],
    ['that lowers the cap', { choice: 'approve', raiseMicros: -1 }, 400, 'invalid-request', 'raiseMicros'],
    ['that raises in dollars', { choice: 'approve', raiseMicros: 0.5 }, 400, 'invalid-request', 'raiseMicros'],
    ['that denies and raises', { choice: 'deny', raiseMicros: 5 }, 400, 'invalid-request', 'goes with the choice approve'],
    ['that repeats with a result', { choice: 'repeat', result: 1 }, 400, 'invalid-request', 'goes with the choice done'],
    ['of nobody', { choice: 'deny', by: '' }, 400, 'invalid-request', 'by'],
    ['with a long note', { choice: 'deny', note: 'x'.repeat(1001) }, 400, 'invalid-request', 'note'],
    ['with a NUL', { choice: 'deny', note: 'a\0b' }, 400, 'invalid-request', 'NUL'],
    ['with a huge result', { choice: 'done', result: 'x'.repeat(17_000) }, 413, 'body-too-large', '16384'],
  ])('%s', async (_name, body, status, code, word) => {
    const runId = await asking('effect');
    const before = gateway.owner.commands.length;
    expect((await refused(await post(answerPath(runId), body), status, code)).detail).toContain(word);
    expect(gateway.owner.commands).toHaveLength(before);
  });
});

test.each([
  ['get', `/v1/runs/${UNKNOWN}/questions`, 'unknown-run'],
  ['get', '/v1/runs/nonsense/questions', 'unknown-run'],
  ['post', answerPath(UNKNOWN), 'unknown-run'],
  ['post', answerPath(UNKNOWN.replace('r00', 'r42')), 'unknown-run'],
  ['post', answerPath(UNKNOWN, 'first'), 'unknown-question'],
])('%s %s is not found', async (method, path, code) => {
  await refused(method === 'get' ? await get(path) : await post(path, { choice: 'deny' }), 404, code);
});

test("another tenant's run is not found", async () => {
  const runId = await asking();
  const run = gateway.owner.runs.get(runId)!;
  run.start = { ...run.start, tenant: 'other' };
  gateway.monitor.runs.get(runId)!.tenant = 'other';
  await refused(await post(answerPath(runId), { choice: 'deny' }), 404, 'unknown-run');
  await refused(await get(`/v1/runs/${runId}/questions`), 404, 'unknown-run');
  expect(JSON.stringify(await (await get('/v1/questions')).json())).not.toContain(runId);
});

test('an unknown question of a known run is not found, also while no monitor is there', async () => {
  const runId = await asking();
  const problem = await refused(await post(answerPath(runId, 'q9'), { choice: 'deny' }), 404, 'unknown-question');
  expect(problem.remedy).toContain(`/v1/runs/${runId}/questions`);
  gateway.monitor.stop();
  await refused(await post(answerPath(runId, 'q9'), { choice: 'deny' }), 404, 'unknown-question');
  gateway.monitor.start();
});

test('without an owner the answer is 503, and may be sent again', async () => {
  const runId = await asking();
  gateway.owner.stop();
  const problem = await refused(await post(answerPath(runId), { choice: 'deny' }), 503, 'unavailable');
  expect(problem.remedy).toContain('same answer again');
  gateway.owner.start();
  expect((await post(answerPath(runId), { choice: 'deny' })).status).toBe(200);
});

test('only requests to start a run may be large', async () => {
  const runId = await asking();
  await refused(await post(answerPath(runId), { choice: 'deny', note: 'x'.repeat(1_100_000) }), 413, 'body-too-large');
});
