/** What the desk makes of an agent that fails at everything. */
import { RunOptions, TaskSpec, makeRunId, type RunEvent, type TaskSpecInput } from '@cadre/contracts';
import { BREAKER_RULES } from './agent-breakers.js';
import { AgentDirectory } from './agent-directory.js';
import { OfferDesk } from './offer-desk.js';
import { OpenWork } from './open-work.js';

const RUN = makeRunId(0, '00000000-0000-7000-8000-000000000001');
const { failures: N, coolDownMs } = BREAKER_RULES;

function rig(tasks: Partial<TaskSpecInput>[], agents: string[] = ['flaky']) {
  const work = new OpenWork();
  const directory = new AgentDirectory(0);
  const desk = new OfferDesk(work, directory, { unmatchedMs: 0 });
  let seq = 0;
  let beats = 0;
  const self = {
    now: 1000,
    desk,
    log(...events: RunEvent[]): void {
      seq += 1;
      const commits = [{ runId: RUN, seq, at: self.now, cause: 'c', events }];
      work.apply({ v: 1, id: `b${seq}`, shard: 0, owner: 'o', kind: 'commits', at: self.now, commits }, self.now);
    },
    beat(): void {
      directory.hear(
        {
          ...{
            workerId: 'w',
            epoch: 'e',
            seq: (beats += 1),
            at: self.now,
            startedAt: 1,
            specialty: 'x',
            state: 'idle',
            slots: 20,
            held: [],
          },
          agents: agents.map((name) => ({ name, description: name, skills: ['testing', ...(name === 'flaky' ? [] : ['general'])] })),
        },
        self.now,
      );
    },
    /** The offers, as task>agent; each is started at once. */
    offered(): string[] {
      self.beat();
      const made = desk.offers(self.now).flatMap(({ offers }) => offers);
      for (const { taskId, attempt, agent } of made) {
        self.log({ type: 'AttemptStarted', taskId, attempt, agent, workerId: 'w', deadlineAt: self.now + 60_000, tools: [] });
      }
      return made.map(({ taskId, agent }) => `${taskId}>${agent}`);
    },
    fail(taskId: string, attempt = 1): void {
      self.log({
        type: 'AttemptFailed',
        taskId,
        attempt,
        error: { code: 'model-timeout', message: 'No.', retriable: true },
        counted: true,
      });
    },
    schedule(taskId: string, attempt = 1): void {
      self.log({ type: 'AttemptScheduled', taskId, attempt, notBefore: self.now });
    },
  };
  const options = RunOptions.parse({});
  self.log({ type: 'RunStarted', tenant: 'default', goal: 'g', inputs: [], options, fingerprint: 'f', deadlineAt: 900_000 });
  const specs = tasks.map((task, n) => TaskSpec.parse({ id: `t${n}`, title: 't', instructions: 'i', skills: ['testing'], ...task }));
  self.log({ type: 'TasksAdded', source: 'submitted', tasks: specs });
  return self;
}

const several = (count: number): Partial<TaskSpecInput>[] => Array.from({ length: count }, () => ({}));

test('it gets nothing while its breaker is open, one offer when it is half open, and everything once that succeeds', () => {
  const it = rig(several(N + 3));
  for (let n = 0; n < N; n += 1) it.schedule(`t${n}`);
  expect(it.offered()).toHaveLength(N);
  for (let n = 0; n < N; n += 1) it.fail(`t${n}`);
  for (let n = 0; n < 3; n += 1) it.schedule(`t${N + n}`);
  expect(it.offered()).toEqual([]);
  it.now += coolDownMs - 1;
  expect(it.offered()).toEqual([]);
  it.now += 1;
  expect(it.offered()).toEqual([`t${N}>flaky`]);
  expect(it.offered()).toEqual([]);
  it.log({ type: 'TaskCompleted', taskId: `t${N}`, attempt: 1, result: { answer: { text: 'x' }, confidence: 1, artifacts: [] } });
  expect(it.offered()).toEqual([`t${N + 1}>flaky`, `t${N + 2}>flaky`]);
});

test('an offer that is on its way is the probe; when it is lost there is another', () => {
  const it = rig(several(N + 2));
  for (let n = 0; n < N; n += 1) it.schedule(`t${n}`);
  it.offered();
  for (let n = 0; n < N; n += 1) it.fail(`t${n}`);
  it.schedule(`t${N}`);
  it.schedule(`t${N + 1}`);
  it.now += coolDownMs;
  it.beat();
  const offers = () => it.desk.offers(it.now).flatMap((entry) => entry.offers);
  expect(offers()).toHaveLength(1);
  it.now += 500;
  it.beat();
  expect(offers()).toHaveLength(0);
  it.now += 700;
  it.beat();
  expect(offers()).toHaveLength(1);
});

test('another capable agent takes the work meanwhile, but for tasks that name the agent; they show why they wait', () => {
  const it = rig([...several(N), {}, { agent: 'flaky' }], ['flaky', 'steady']);
  for (let n = 0; n < N; n += 1) it.schedule(`t${n}`);
  for (const offer of it.offered()) expect(offer).toMatch(/>flaky$/);
  for (let n = 0; n < N; n += 1) it.fail(`t${n}`);
  it.schedule(`t${N}`);
  it.schedule(`t${N + 1}`);
  expect(it.offered()).toEqual([`t${N}>steady`]);
  expect(it.desk.unmatched(it.now)).toMatchObject([
    { reason: 'breaker-open', agent: 'flaky', count: 1, attempts: [{ taskId: `t${N + 1}` }] },
  ]);
  expect(it.desk.breakers(it.now)).toMatchObject([{ agent: 'flaky', state: 'open', error: { code: 'model-timeout' } }]);
});
