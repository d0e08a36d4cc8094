/** Tasks that ask for labels, and agents that require them. */
import { AgentDirectory } from './agent-directory.js';
import { groupReady, type ReadyAttempt } from './attempts.js';
import { capableAgent } from './match-offers.js';
import { rig, RUN } from './testing/desk-rig.js';

const generalist = { name: 'generalist', description: 'g', skills: ['general', 'planning'] };

test('a task goes to a worker with its labels only, and waits until one is there', () => {
  const it = rig([{ labels: { gpu: true, region: 'eu' } }, {}]);
  it.beat([], { workerId: 'plain' });
  it.beat([], { workerId: 'us', labels: { gpu: true, region: 'us' } });
  const offered = it.offered();
  expect(offered).toHaveLength(1);
  expect(offered[0]).toMatch(/^t11>/);
  it.now += 100;
  it.beat([], { workerId: 'eu', labels: { gpu: 'true', region: 'eu', disk: 'fast' } });
  expect(it.offered()).toEqual(['t01>eu']);
});

test('it is told what it waits for, which labels nobody has, and when the agent is missing as well', () => {
  const it = rig([{ labels: { gpu: true } }, { labels: { gpu: true }, skills: ['magic'] }, { skills: ['magic'] }]);
  it.beat();
  it.now += 60_000;
  it.beat();
  it.desk.unmatched(it.now);
  it.now += 60_000;
  it.beat();
  const list = it.desk.unmatched(it.now);
  expect(list).toHaveLength(3);
  expect(list).toContainEqual(
    expect.objectContaining({
      ...{ reason: 'no-label', labels: { gpu: true }, why: 'waits for a worker with the label gpu=true; no worker has it' },
      attempts: [{ runId: RUN, taskId: 't0', attempt: 1 }],
    }),
  );
  expect(list.filter(({ reason }) => reason === 'no-agent').map(({ skills }) => skills)).toEqual([['magic'], ['magic']]);
  it.beat([], { labels: { gpu: true } });
  expect(it.desk.unmatched(it.now)).toHaveLength(2);
});

test("an agent's own labels count beside those of its worker", () => {
  const it = rig([{ labels: { gpu: true, tier: 'gold' } }]);
  it.beat([], { workerId: 'a', labels: { gpu: true } });
  expect(it.offered()).toEqual([]);
  it.beat([], { workerId: 'b', labels: { gpu: true }, agents: [{ ...generalist, labels: { tier: 'gold' } }] });
  expect(it.offered()).toEqual(['t01>b']);
});

test('the tensor knows at which workers an agent could do it', () => {
  const it = rig([{ labels: { gpu: true } }, {}]);
  it.beat([], { workerId: 'a', labels: { gpu: true }, slots: 1 });
  it.beat([], { workerId: 'b', slots: 3 });
  const { labels, entries } = it.desk.tensor(it.now);
  const of = (id: string) => entries.filter(([task]) => labels.tasks[task]?.taskId === id).map(([, , , value]) => value);
  expect(of('t0')).toEqual([2 / 3]);
  expect(of('t1')).toEqual([5 / 6]);
});

test('an agent that is defined at run time is only where what it requires is', () => {
  const directory = new AgentDirectory(0);
  const beat = {
    ...{ epoch: 'e', seq: 1, at: 0, startedAt: 0, specialty: 's', state: 'idle' as const, slots: 9, held: [], definitions: 9 },
    ...{ agents: [generalist], templates: [{ name: 'assistant', description: 'a', tools: [] }] },
  };
  directory.hear({ ...beat, workerId: 'plain' }, 0);
  directory.hear({ ...beat, workerId: 'gpu', labels: { gpu: true } }, 0);
  const definition = { template: 'assistant', description: 'd', skills: ['vision'], requires: { gpu: true }, labels: { tier: 'gold' } };
  directory.learn({ revision: 1, record: { tenant: 'acme', name: 'seer', version: 1, changedAt: 0, definition } });
  const ready: ReadyAttempt = {
    ...{ runId: RUN, taskId: 't', attempt: 1, tenant: 'acme', rank: 2, planning: false, readyAt: 0 },
    ...{ skills: ['vision'], labels: { tier: 'gold', gpu: true } },
  };
  const [group] = groupReady([ready]);
  const able = directory.offerable(0).map((worker) => [worker.beat.workerId, capableAgent(directory.agentsOf(worker), group!)?.name]);
  expect(able).toEqual([
    ['plain', undefined],
    ['gpu', 'seer'],
  ]);
});
