import { createHash } from 'node:crypto';
import { RunAccepted, type Problem, type StartRun } from '@cadre/contracts';
import { JetStreamBlobs } from '@cadre/event-log';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({ UPLOAD_MAX_BYTES: '100000', UPLOAD_MAX_FILES: '3' });
});
afterAll(() => gateway.stop());

const json = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const form = (fields: Record<string, string>, files: [string, string][] = [], field = 'input') => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  for (const [name, text] of files) data.append(field, new Blob([text]), name);
  return fetch(`${gateway.url}/v1/runs`, { method: 'POST', body: data });
};

const commandOf = (runId: string) => gateway.owner.runs.get(runId)?.start as StartRun;

async function refused(response: Response, status: number, code: string): Promise<Problem> {
  const problem = (await response.json()) as Problem;
  expect({ status: response.status, problem }).toMatchObject({ status, problem: { status, code } });
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  return problem;
}

describe('a good request', () => {
  test('is handed to the owner with its defaults, and answered with where to look', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const response = await json({ goal: 'Do it', options: { priority: 'high' } }, { traceparent });
    expect(response.status).toBe(202);
    const accepted = RunAccepted.parse(await response.json());
    expect(response.headers.get('location')).toBe(`/v1/runs/${accepted.runId}`);
    expect(accepted.status).toBe('planning');
    const command = commandOf(accepted.runId);
    expect(command).toMatchObject({ tenant: 'default', goal: 'Do it', inputs: [], options: { priority: 'high', summarize: true } });
    expect(command.traceparent).toContain('4bf92f3577b34da6a3ce929d0e0e4736');
  });

  test('may bound its money, its winding up and its questions', async () => {
    const budget = { runMicros: 2_000_000, taskMicros: 500_000, agentMicros: { planner: 1 }, onLimit: 'degrade', degradeTo: 'small' };
    const options = { budget, cancelGraceMs: 0, questionTimeoutMs: 60_000 };
    const accepted = RunAccepted.parse(await (await json({ goal: 'Do it', options })).json());
    expect(commandOf(accepted.runId).options).toMatchObject({ ...options, budget: { ...budget, unpricedModels: 'if-uncapped' } });
    expect(accepted.links.questions).toBe(`/v1/runs/${accepted.runId}/questions`);
  });

  test('with a plan is running at once', async () => {
    const plan = { tasks: [{ id: 'a', title: 'A', instructions: 'Do a.' }] };
    const accepted = RunAccepted.parse(await (await json({ goal: 'Do it', plan })).json());
    expect(accepted.status).toBe('running');
    expect(commandOf(accepted.runId).plan?.tasks[0]).toMatchObject({ id: 'a', require: 'all' });
  });

  test('brings files, which are stored by their content and named plainly', async () => {
    const response = await form({ request: JSON.stringify({ goal: 'Read', options: { priority: 'low' } }) }, [
      ['weather.csv', 'a,b\n1,2\n'],
      ['Umsätze 2024.TSV', 'a\tb\n'],
    ]);
    expect(response.status).toBe(202);
    const { runId, inputs } = RunAccepted.parse(await response.json());
    const digest = createHash('sha256').update('a,b\n1,2\n').digest('hex');
    expect(inputs).toEqual([
      { name: 'weather.csv', sha256: digest, size: 8, mediaType: 'text/csv' },
      expect.objectContaining({ name: 'Umsatze 2024.TSV', mediaType: 'text/tab-separated-values' }),
    ]);
    expect(commandOf(runId)).toMatchObject({ goal: 'Read', options: { priority: 'low' }, inputs });
    const blobs = await JetStreamBlobs.open(gateway.nats);
    expect(Buffer.from(await blobs.get(inputs[0] as never)).toString()).toBe('a,b\n1,2\n');
    blobs.close();
    const again = await json({ goal: 'Read again', inputs });
    expect(again.status).toBe(202);
  });

  test('may be a form with just a goal', async () => {
    const response = await form({ goal: 'Just this' });
    expect(response.status).toBe(202);
    expect(commandOf(RunAccepted.parse(await response.json()).runId).goal).toBe('Just this');
  });
});

describe('a plan of 10,000 tasks', () => {
  const tasks = Array.from({ length: 10_000 }, (_, i) => ({
    id: `t${i}`,
    title: `Task ${i}`,
    instructions: 'Do it.',
    dependsOn: i % 10 === 0 ? [] : [`t${i - 1}`],
  }));

  test('reaches the owner in parts, and again by its key', async () => {
    const headers = { 'idempotency-key': 'large' };
    const first = await json({ goal: 'Do much', plan: { tasks } }, headers);
    expect(first.status).toBe(202);
    const { runId } = RunAccepted.parse(await first.json());
    const { start, parts } = gateway.owner.runs.get(runId)!;
    expect(start.morePlan).toBe(true);
    expect(parts.map(({ part }) => part)).toEqual(parts.map((_, index) => index + 2));
    expect(parts.map(({ last }) => last)).toEqual(parts.map((_, index) => index === parts.length - 1));
    expect([...(start.plan?.tasks ?? []), ...parts.flatMap((part) => part.tasks)].map(({ id }) => id)).toEqual(tasks.map(({ id }) => id));
    parts.splice(3);
    const again = await json({ goal: 'Do much', plan: { tasks } }, headers);
    expect([again.status, RunAccepted.parse(await again.json()).runId]).toEqual([200, runId]);
    expect(parts.at(-1)?.last).toBe(true);
    gateway.owner.runs.get(runId)!.status = 'completed';
    expect((await json({ goal: 'Do much', plan: { tasks } }, headers)).status).toBe(200);
  });

  test('may come in a form', async () => {
    const response = await form({ request: JSON.stringify({ goal: 'Do much', plan: { tasks } }) }, [['a.csv', 'a']]);
    expect(response.status).toBe(202);
  });

  test('is refused as a whole, and the run cancelled, when a part is refused', async () => {
    gateway.owner.refusedParts.add(3);
    const response = await json({ goal: 'Do much', plan: { tasks } });
    gateway.owner.refusedParts.clear();
    await refused(response, 422, 'invalid-plan');
    expect(gateway.owner.commands.at(-1)).toMatchObject({ type: 'CancelRun', reason: expect.stringContaining('not this one') });
  });
});

describe('an idempotency key', () => {
  test('gives the same run for the same request, however it is written, and refuses another', async () => {
    const headers = { 'idempotency-key': 'order-77' };
    const first = await json('{"goal":"Do it","options":{"labels":{"a":"1","b":"2"}}}', headers);
    const second = await json('{"options":{"labels":{"b":"2","a":"1"},"priority":"medium"},"goal":"Do it"}', headers);
    expect([first.status, second.status]).toEqual([202, 200]);
    const { runId } = RunAccepted.parse(await first.json());
    expect(RunAccepted.parse(await second.json())).toMatchObject({ runId, status: 'running' });
    const problem = await refused(await json({ goal: 'Another' }, headers), 409, 'run-conflict');
    expect(problem.remedy).toContain('new key');
    const other = RunAccepted.parse(await (await json({ goal: 'Do it' }, { 'idempotency-key': 'order-78' })).json());
    expect(other.runId).not.toBe(runId);
  });

  test('must be a plain text of reasonable length', async () => {
    await refused(await json({ goal: 'x' }, { 'idempotency-key': 'x'.repeat(201) }), 400, 'invalid-request');
    await refused(await json({ goal: 'x' }, { 'idempotency-key': 'a b' }), 400, 'invalid-request');
  });
});

describe('a bad request is refused, naming the fault', () => {
  const cyclic = {
    tasks: [
      { id: 'a', title: 'A', instructions: 'x', dependsOn: ['b'] },
      { id: 'b', title: 'B', instructions: 'x', dependsOn: ['a'] },
    ],
  };
  const deep = `{"goal":"x","plan":{"tasks":[{"id":"a","title":"a","instructions":"x","input":${'['.repeat(50_000)}${']'.repeat(50_000)}}]}}`;

  test.each<[string, unknown, number, string, string]>([
    ['no goal', {}, 400, 'invalid-request', 'goal'],
    ['an empty goal', { goal: '  ' }, 400, 'invalid-request', 'the goal is empty'],
    ['a goal that is no text', { goal: 7 }, 400, 'invalid-request', 'goal'],
    ['a goal of 1 MB', { goal: 'x'.repeat(1_000_000) }, 413, 'body-too-large', '1000000 bytes'],
    ['an unknown field', { goal: 'x', gaol: 1 }, 400, 'invalid-request', 'gaol: unknown field'],
    ['an unknown option', { goal: 'x', options: { fast: true } }, 400, 'invalid-request', 'options.fast: unknown field'],
    ['a wrong priority', { goal: 'x', options: { priority: 'asap' } }, 400, 'invalid-request', 'options.priority'],
    ['a cyclic plan', { goal: 'x', plan: cyclic }, 422, 'invalid-plan', 'a → b → a'],
    [
      'an unknown dependency',
      { goal: 'x', plan: { tasks: [{ id: 'a', title: 'A', instructions: 'x', dependsOn: ['z'] }] } },
      422,
      'invalid-plan',
      'z',
    ],
    [
      'a self dependency',
      { goal: 'x', plan: { tasks: [{ id: 'a', title: 'A', instructions: 'x', dependsOn: ['a'] }] } },
      422,
      'invalid-plan',
      'a',
    ],
    ['an empty plan', { goal: 'x', plan: { tasks: [] } }, 400, 'invalid-request', 'plan.tasks'],
    ['a list', [], 400, 'invalid-request', 'object'],
    ['null', 'null', 400, 'invalid-request', 'object'],
    ['a NUL character', { goal: 'a\u0000b' }, 400, 'invalid-request', 'NUL'],
    ['half a surrogate pair', '{"goal":"a\\ud800b"}', 400, 'invalid-request', 'surrogate'],
    ['deep nesting', deep, 400, 'invalid-request', 'nested'],
    ['malformed JSON', '{"goal": "x"', 400, 'malformed-json', 'JSON'],
    ['an empty body', '', 400, 'malformed-json', 'JSON'],
    ['a poisoned prototype', '{"goal":"x","__proto__":{"a":1}}', 400, 'malformed-json', 'JSON'],
    ['a body above 8 MiB', { goal: 'x', options: { labels: { a: 'x'.repeat(8_400_000) } } }, 413, 'body-too-large', 'larger'],
    [
      'degrading to no model',
      { goal: 'x', options: { budget: { onLimit: 'degrade' } } },
      400,
      'invalid-request',
      'options.budget.degradeTo: onLimit "degrade" needs degradeTo',
    ],
    ['a budget below zero', { goal: 'x', options: { budget: { runMicros: -1 } } }, 400, 'invalid-request', 'options.budget.runMicros'],
    [
      'a budget in dollars',
      { goal: 'x', options: { budget: { runUsd: 1 } } },
      400,
      'invalid-request',
      'options.budget.runUsd: unknown field',
    ],
    ['a broken budget', { goal: 'x', options: { budget: { runMicros: 0.5 } } }, 400, 'invalid-request', 'options.budget.runMicros'],
    ['a cap for no agent', { goal: 'x', options: { budget: { agentMicros: { 'A b': 1 } } } }, 400, 'invalid-request', 'agentMicros'],
    ['too long a grace', { goal: 'x', options: { cancelGraceMs: 60_001 } }, 400, 'invalid-request', 'options.cancelGraceMs'],
    ['too short a question', { goal: 'x', options: { questionTimeoutMs: 1 } }, 400, 'invalid-request', 'options.questionTimeoutMs'],
    [
      'inputs never uploaded',
      { goal: 'x', inputs: [{ name: 'a.csv', sha256: 'a'.repeat(64), size: 1, mediaType: 'text/csv' }] },
      422,
      'unprocessable',
      'inputs[0].sha256',
    ],
    [
      'a given result that names stored content, within a scope',
      {
        goal: 'x',
        plan: {
          tasks: [
            {
              ...{ id: 's', title: 'S', instructions: 'x' },
              scope: {
                body: [
                  {
                    ...{ id: 'a', title: 'A', instructions: 'x' },
                    given: { answer: { ref: { sha256: 'a'.repeat(64), size: 1, mediaType: 'text/plain' }, preview: '' } },
                  },
                ],
              },
            },
          ],
        },
      },
      422,
      'invalid-plan',
      'In s: The given result of task a refers to stored content',
    ],
    [
      'an input outside the workspace',
      { goal: 'x', inputs: [{ name: '../a.csv', sha256: 'a'.repeat(64), size: 1, mediaType: 'text/csv' }] },
      400,
      'invalid-request',
      'inputs[0].name',
    ],
  ])('%s', async (_name, body, status, code, word) => {
    const before = gateway.owner.commands.length;
    const problem = await refused(await json(body), status, code);
    expect(problem.detail).toContain(word);
    expect(gateway.owner.commands).toHaveLength(before);
  });

  test('a task too large for the log, a request too large to be read, and more tasks than a run may have', async () => {
    const tasks = (count: number, input?: string) =>
      Array.from({ length: count }, (_, i) => ({ id: `t${i}`, title: 'T', instructions: 'x', ...(input === undefined ? {} : { input }) }));
    const problem = await refused(await json({ goal: 'x', plan: { tasks: tasks(1, 'x'.repeat(400_000)) } }), 413, 'body-too-large');
    expect(problem.detail).toContain('task t0');
    await refused(await json({ goal: 'x', plan: { tasks: tasks(9, 'x'.repeat(1_000_000)) } }), 413, 'body-too-large');
    await refused(await json({ goal: 'x', plan: { tasks: tasks(10_001) } }), 400, 'invalid-request');
  });

  test.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded'])('the content type %s', async (type) => {
    const problem = await refused(await json('goal=x', { 'content-type': type }), 415, 'unsupported-media-type');
    expect(problem.remedy).toBeDefined();
  });

  test('no content type at all', async () => {
    const response = await fetch(`${gateway.url}/v1/runs`, { method: 'POST' });
    await refused(response, 415, 'unsupported-media-type');
  });
});

describe('a bad form is refused', () => {
  test.each<[string, Record<string, string>, [string, string][], number, string, string]>([
    ['without a goal', {}, [['a.csv', 'a']], 400, 'invalid-request', 'neither'],
    ['with a goal and a request', { goal: 'x', request: '{"goal":"x"}' }, [], 400, 'invalid-request', 'more than one'],
    ['with an unknown field', { goal: 'x', gaol: 'y' }, [], 400, 'invalid-request', 'gaol'],
    ['with a malformed request', { request: '{' }, [], 400, 'malformed-json', 'JSON'],
    ['with an unknown field in its request', { request: '{"goal":"x","gaol":1}' }, [], 400, 'invalid-request', 'gaol'],
    ['with an empty file', { goal: 'x' }, [['a.csv', '']], 422, 'unprocessable', 'empty'],
    ['with a file of another kind', { goal: 'x' }, [['a.exe', 'MZ']], 415, 'unsupported-media-type', 'a.exe'],
    ['with a file without an ending', { goal: 'x' }, [['data', 'a']], 415, 'unsupported-media-type', 'data'],
    ['with a file too large', { goal: 'x' }, [['a.csv', 'x'.repeat(100_001)]], 413, 'body-too-large', '100000'],
    [
      'with too many files',
      { goal: 'x' },
      [
        ['a.csv', 'a'],
        ['b.csv', 'a'],
        ['c.csv', 'a'],
        ['d.csv', 'a'],
      ],
      413,
      'body-too-large',
      '3 files',
    ],
    [
      'with two files of one name',
      { goal: 'x' },
      [
        ['a.csv', 'a'],
        ['a.csv', 'b'],
      ],
      422,
      'unprocessable',
      'a.csv',
    ],
    ['with a goal too long', { goal: 'x'.repeat(20_000) }, [['a.csv', 'a']], 413, 'body-too-large', 'goal'],
    ['with a field of 9 MB', { request: 'x'.repeat(9_000_000) }, [], 413, 'body-too-large', 'request'],
  ])('%s', async (_name, fields, files, status, code, word) => {
    const before = gateway.owner.commands.length;
    const problem = await refused(await form(fields, files), status, code);
    expect(`${problem.detail} ${problem.remedy}`).toContain(word);
    expect(gateway.owner.commands).toHaveLength(before);
  });

  test('with files in another field', async () => {
    await refused(await form({ goal: 'x' }, [['a.csv', 'a']], 'file'), 400, 'invalid-request');
  });

  test('with a file far larger than allowed, before it is read to its end', async () => {
    await refused(await form({ goal: 'x' }, [['a.csv', 'x'.repeat(20_000_000)]]), 413, 'body-too-large');
  });

  test.each([
    ['multipart/form-data', 'x'],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="goal"\r\n\r\nhalf a form'],
    ['multipart/form-data; boundary=b', 'no boundary at all'],
    ['multipart/form-data; boundary=b', ''],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\nx\r\n--b--\r\n'],
    [
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="request"\r\nContent-Type: application/json\r\n\r\n{bad\r\n--b--\r\n',
    ],
  ])('that is broken: %s, %j', async (type, body) => {
    const response = await json(body, { 'content-type': type });
    expect((await refused(response, 400, 'invalid-request')).detail).toBeTruthy();
  });
});

test('files whose path leads elsewhere are kept under their last part', async () => {
  const response = await form({ goal: 'x' }, [['../../etc/passwd.csv', 'a']]);
  expect(RunAccepted.parse(await response.json()).inputs[0]?.name).toBe('passwd.csv');
});

test('a client that goes away while it uploads does no harm', async () => {
  const abort = new AbortController();
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      sent += 1;
      if (sent === 1)
        controller.enqueue(new TextEncoder().encode('--b\r\nContent-Disposition: form-data; name="input"; filename="a.csv"\r\n\r\nabc'));
      else abort.abort();
    },
  });
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  const request = { method: 'POST', headers, body, duplex: 'half', signal: abort.signal } as RequestInit;
  await expect(fetch(`${gateway.url}/v1/runs`, request)).rejects.toThrow();
  const metrics = async () => (await fetch(`${gateway.url}/metrics`)).text();
  for (let i = 0; i < 50 && !(await metrics()).includes('cadre_upload_buffered_bytes{service="gateway"} 0'); i += 1)
    await new Promise((r) => setTimeout(r, 20));
  expect(await metrics()).toContain('cadre_upload_buffered_bytes{service="gateway"} 0');
  expect((await json({ goal: 'x' })).status).toBe(202);
});
