/** What a worker makes of what its app says: settings, definitions, reducers. */
import { startNatsServer } from '@cadre/nats-server';
import { startWorker } from './start-worker.js';
import { ScriptedOwner, until, WorkerStage } from './testing/index.js';

const RUN = 'r00-01890000-0000-7000-8000-000000000001';

let stage: WorkerStage;
let owner: ScriptedOwner;

beforeAll(async () => {
  stage = await WorkerStage.open(await startNatsServer({ syncAlways: false }));
}, 60_000);
afterAll(() => stage?.close());
beforeEach(() => {
  owner = new ScriptedOwner();
  stage.begin((request) => owner.answer(request));
});
afterEach(() => stage.end());

test('wrong settings are told all at once', async () => {
  await expect(
    startWorker({ specialty: 'x', agents: [], ownsProcess: false, env: { OPENAI_BASE_URL: 'nope', CADRE_SLOTS: '0' } }),
  ).rejects.toMatchObject({ code: 'config-invalid', message: expect.stringMatching(/OPENAI_BASE_URL.*CADRE_SLOTS/s) });
});

test('a definition that makes no sense is told at the start', async () => {
  const agents = [{ ...stage.agent([]), underLoad: { waitMs: 5 } }];
  await expect(startWorker({ specialty: 'x', agents, ownsProcess: false, env: {} })).rejects.toMatchObject({
    ...{ code: 'agent-invalid', message: expect.stringMatching(/agent generalist makes no sense: underLoad gives nothing up/) as string },
  });
});

test('a reducer is given what the items of its scope have brought, whole, and nothing else', async () => {
  const long = JSON.stringify({ n: 5, text: 'x'.repeat(20_000) });
  const ref = await stage.blobs.put(Buffer.from(long), 'text/markdown');
  const outcome = (taskId: string, answer: unknown, confidence = 0.5, status = 'completed') => ({
    ...{ taskId, title: taskId, status, confidence, artifacts: [], ...(answer === undefined ? {} : { answer }) },
  });
  owner.assignment = {
    results: [
      outcome('before', { text: '100' }),
      outcome('s~1~b', { ref, preview: long.slice(0, 400) }, 0.9),
      outcome('s~0~a', { text: '{"n": 2}' }, 0.3),
      outcome('s~2~c', undefined, 0, 'failed'),
      outcome('s~0~inner~0~x', { text: '7' }),
    ] as never,
  };
  const seen: unknown[] = [];
  await stage.worker({
    reducers: {
      adder: (results) => {
        seen.push(results.map(({ item, name }) => [item, name]));
        return { value: { sum: results.reduce((sum, { value }) => sum + (value as { n: number }).n, 0) } };
      },
    },
  });
  expect(stage.lastBeat().agents).toContainEqual(expect.objectContaining({ name: 'adder', skills: ['reducing'] }));
  stage.offer(RUN, ['s'], 1, 'adder');
  await until(() => owner.of('CompleteAttempt').length === 1);
  expect(seen).toEqual([
    [
      [0, 'a'],
      [1, 'b'],
    ],
  ]);
  expect(owner.of('CompleteAttempt')[0]?.result).toMatchObject({ answer: { text: '{"sum":7}' }, confidence: 0.6 });
});
