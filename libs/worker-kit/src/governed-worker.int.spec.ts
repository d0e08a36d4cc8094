/** Calls of a worker whose model server has limits. */
import { setTimeout as sleep } from 'node:timers/promises';
import { GovernorAsk, SUBJECTS } from '@cadre/contracts';
import { serveRequests, steadyClock } from '@cadre/messaging';
import { startNatsServer } from '@cadre/nats-server';
import { ModelGovernor } from '@cadre/scheduling';
import { MemoryGovernorStore } from '@cadre/scheduling/testing';
import { ScriptedOwner, until, WorkerStage } from './testing/index.js';

const RUN = 'r00-01890000-0000-7000-8000-000000000001';
const tasks = (count: number) => Array.from({ length: count }, (_, n) => `t${n}`);
const limits = (of: object) => ({ MODEL_LIMITS: JSON.stringify(of), CADRE_SLOTS: '8' });

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

function serveGovernor() {
  const store = new MemoryGovernorStore(() => performance.now());
  const governor = new ModelGovernor({ store, clock: steadyClock, term: 't' }, { granted: () => undefined });
  return serveRequests(stage.nats, SUBJECTS.modelGovernor, {}, (request) => governor.ask(GovernorAsk.parse(request)));
}

test('calls wait for the allowance, and none of them is refused', async () => {
  const endpoint = serveGovernor();
  const arrivals: number[] = [];
  stage.model.chat = () => {
    arrivals.push(performance.now());
    return { text: '{"answer":"Done.","confidence":0.7}' };
  };
  const worker = await stage.worker({}, limits({ 'cadre-sim-1': { requestsPerMinute: 240 } }));
  const began = performance.now();
  stage.offer(RUN, tasks(8));
  await until(() => owner.of('CompleteAttempt').length === 8);
  // Four a second, beside what is saved up of half a second.
  expect(arrivals).toHaveLength(8);
  expect(arrivals.at(-1)! - began).toBeGreaterThan(1000);
  const settled = owner.commands.flatMap((command) => ('settle' in command ? command.settle : []));
  expect(settled.map(({ outcome }) => outcome)).toEqual(Array(8).fill('done'));
  const metrics = await (await fetch(`${worker.url}/metrics`)).text();
  expect(metrics).toMatch(/cadre_model_wait_seconds_count\{[^}]*outcome="granted"[^}]*\} 8/);
  await endpoint.stop();
});

test('a call that waits when its time is up was never made and costs nothing', async () => {
  stage.model.chat = () => Promise.reject(new Error('it was called'));
  const agents = [{ name: 'generalist', description: 'd', skills: ['general'], instructions: 'Help.', tools: [], limits: { maxMs: 600 } }];
  await stage.worker({ agents }, limits({ '*': { requestsPerMinute: 60 } }));
  stage.offer(RUN, ['a']);
  await until(() => owner.of('FailAttempt').length === 1);
  const [failed] = owner.of('FailAttempt');
  expect(failed?.error.code).toBe('time-limit');
  expect(failed?.settle).toMatchObject([{ outcome: 'failed', costMicros: 0 }]);
});

test('an agent that does not want to wait goes on with its cheaper model, and its result says so', async () => {
  const endpoint = serveGovernor();
  stage.model.chat = () => ({ text: '{"answer":"Done.","confidence":0.7}' });
  const underLoad = { waitMs: 1000, model: 'gpt-5-nano' };
  const agents = [{ name: 'generalist', description: 'd', skills: ['general'], instructions: 'Help.', tools: [], underLoad }];
  await stage.worker({ agents }, limits({ 'cadre-sim-1': { requestsPerMinute: 1 } }));
  stage.offer(RUN, tasks(2));
  await until(() => owner.of('CompleteAttempt').length === 2);
  const degraded = owner.of('CompleteAttempt').map(({ result }) => result.degradedTo);
  expect(degraded.filter((model) => model !== undefined)).toEqual(['gpt-5-nano']);
  const settled = owner.commands.flatMap((command) => ('settle' in command ? command.settle : []));
  expect(settled.filter(({ outcome }) => outcome === 'failed')).toMatchObject([
    { costMicros: 0, note: expect.stringContaining('model-busy') as string },
  ]);
  await endpoint.stop();
});

test('of models without limits nothing is asked', async () => {
  let asked = 0;
  const listening = stage.nats.subscribe(SUBJECTS.modelGovernor, { callback: () => void (asked += 1) });
  stage.model.chat = () => ({ text: '{"answer":"Done.","confidence":0.7}' });
  await stage.worker({}, limits({ other: { requestsPerMinute: 1 } }));
  stage.offer(RUN, ['a']);
  await until(() => owner.of('CompleteAttempt').length === 1);
  await sleep(100);
  listening.unsubscribe();
  expect(asked).toBe(0);
});

test.each([['{"*": 5}'], ['{'], ['{"*": {}}'], ['{"*": {"requestsPerMinute": 0}}'], ['{"*": {"rpm": 5}}']])(
  'limits that are none (%s) are told at the start',
  async (text) => {
    await expect(stage.worker({}, { MODEL_LIMITS: text })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('must be JSON like {"*": {"requestsPerMinute": 600') as string,
    });
  },
);
