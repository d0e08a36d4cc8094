/** Attempts that one worker begins and another ends; the engine's own rules decide what is on record. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, CommandBatch } from '@cadre/contracts';
import { EngineRig, RUN_ID } from '@cadre/engine/testing';
import { startNatsServer } from '@cadre/nats-server';
import { until, WorkerStage } from './testing/index.js';
import type { ChatReply } from './testing/index.js';

let stage: WorkerStage;
let rig: EngineRig;

beforeAll(async () => {
  stage = await WorkerStage.open(await startNatsServer({ syncAlways: false }));
}, 60_000);
afterAll(() => stage?.close());
beforeEach(() => {
  rig = new EngineRig();
  stage.begin((request) => ({ replies: CommandBatch.parse(request).commands.map(answer) }));
});
afterEach(async () => {
  await stage.end();
  expect(rig.violations()).toEqual([]);
});

function answer(raw: unknown): unknown {
  const { id, runId, ...body } = Command.parse(raw);
  rig.now = Date.now();
  return { id, ...rig.send(body as Parameters<EngineRig['send']>[0], runId), events: undefined };
}

function begin(): void {
  rig.now = Date.now();
  rig.start([{ id: 'a', title: 'A', instructions: 'Do it.' }], { summarize: false });
}

const status = () => rig.task('a').status;
const done = (answer: string): ChatReply => ({ text: JSON.stringify({ answer, confidence: 0.7 }) });

test('a worker that stops hands over what it has done: calls, and the files that they wrote', async () => {
  const turns: (() => ChatReply | Promise<ChatReply>)[] = [
    () => ({ calls: [{ name: 'write_file', args: { path: 'out/long.md', text: 'x'.repeat(5000) } }] }),
    () => ({
      calls: [
        { name: 'write_file', args: { path: 'b.md', text: 'B' } },
        { name: 'write_file', args: { path: 'b.md', text: 'BB' } },
      ],
    }),
    () => new Promise(() => undefined),
    () => ({ calls: [{ name: 'read_file', args: { path: 'b.md' } }] }),
    () => done('Done.'),
  ];
  let asked = 0;
  stage.model.chat = () => turns[asked++]!();
  begin();
  const first = await stage.worker({}, { SHUTDOWN_GRACE_MS: '100' });
  stage.offer(RUN_ID, ['a']);
  await until(() => asked === 3);
  await sleep(20);
  await first.stop();
  expect(rig.task('a')).toMatchObject({ status: 'ready', attempt: 2, counted: 0 });
  expect(rig.run().usage).toMatchObject({ modelCalls: 3, toolCalls: 3 });
  const second = await stage.worker();
  stage.offer(RUN_ID, ['a'], 2);
  await until(() => status() === 'completed');
  expect(asked).toBe(5);
  const { result } = rig.task('a');
  expect(result?.artifacts.map(({ name, size }) => [name, size])).toEqual([
    ['b.md', 2],
    ['out/long.md', 5000],
  ]);
  expect(rig.run().usage).toMatchObject({ modelCalls: 5, toolCalls: 4 });
  const metrics = await (await fetch(`${second.url}/metrics`)).text();
  expect(metrics).toMatch(/cadre_recorded_calls_total\{kind="tool".*\} 3/);
});

test('an agent that is code: no folder unless it asks, a key for its calls, artifacts from its folder', async () => {
  const keys: string[] = [];
  let folders: string[] = [];
  begin();
  await stage.worker({
    performers: {
      generalist: async ({ calls, workspace, assignment }) => {
        const sent = await calls.call<{ n: number }>({
          ...{ name: 'wait', effect: 'idempotent', input: { to: 'me' }, maxCostMicros: 50 },
          costOf: () => 20,
          run: async ({ key }) => (keys.push(key), { n: 7 }),
        });
        folders = readdirSync(stage.workDir);
        if (assignment.attempt === 1) throw Object.assign(new Error('again'), { code: 'x' });
        await (await workspace()).write('n.txt', String(sent.n));
        return { answer: `n is ${sent.n}`, confidence: 1 };
      },
    },
  });
  stage.offer(RUN_ID, ['a']);
  await until(() => rig.task('a').attempt === 2);
  await until(() => Date.now() >= rig.task('a').notBefore && stage.lastBeat().held.length === 0);
  stage.offer(RUN_ID, ['a'], 2);
  await until(() => status() === 'completed');
  expect(rig.task('a').result).toMatchObject({ answer: { text: 'n is 7' }, artifacts: [{ name: 'n.txt', size: 1 }] });
  expect(keys).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  expect(folders).toEqual([]);
  expect(rig.run().usage).toMatchObject({ toolCalls: 1, costMicros: 20 });
  await until(() => readdirSync(stage.workDir).length === 0);
});
