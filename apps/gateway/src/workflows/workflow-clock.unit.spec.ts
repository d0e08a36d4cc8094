import { CadreError, Workflow, type WorkflowVersion } from '@cadre/contracts';
import { pino } from 'pino';
import { WorkflowClock } from './workflow-clock.js';
import type { Triggered, TriggerEvent } from './workflow-triggers.js';

const at = (text: string) => Date.parse(text);

function rig(cron: string, timezone = 'UTC', { createdAt = at('2026-01-01T00:00:00Z'), catchUpMs = 3_600_000 } = {}) {
  const spec = { goal: 'g', on: [{ cron, timezone }], tasks: [{ id: 'a', title: 'a', instructions: 'i' }] };
  const workflow = Workflow.parse({ apiVersion: 'cadre/v1', kind: 'Workflow', metadata: { name: 'w' }, spec });
  let kept: WorkflowVersion | undefined = { name: 'w', version: 1, createdAt, workflow };
  const self = {
    now: createdAt,
    started: [] as string[],
    fault: undefined as CadreError | undefined,
    keep: (next: WorkflowVersion | undefined) => void (kept = next),
    another: () => new WorkflowClock(options),
    clock: undefined as unknown as WorkflowClock,
    async lookAt(...times: string[]): Promise<void> {
      for (const time of times) {
        self.now = at(time);
        await self.clock.look();
      }
    },
  };
  const triggers = {
    *of() {
      for (const trigger of kept?.workflow.spec.on ?? []) yield { tenant: 'default', workflow: kept!, trigger };
    },
    async start(_tenant: string, _each: Triggered, event: TriggerEvent) {
      if (self.fault) throw self.fault;
      self.started.push(event.time);
      return `run ${event.id}`;
    },
  };
  const clock = { now: () => self.now, after: () => () => undefined, soon: (run: () => void) => run() };
  const options = { triggers, clock, log: pino({ level: 'silent' }), catchUpMs };
  self.clock = new WorkflowClock(options);
  return self;
}

test('each time that comes starts one run, however often one looks', async () => {
  const it = rig('0 9 * * *');
  await it.lookAt(
    '2026-01-01T08:59:59Z',
    '2026-01-01T09:00:00Z',
    '2026-01-01T09:00:00.400Z',
    '2026-01-02T08:00:00Z',
    '2026-01-02T09:00:01Z',
  );
  expect(it.started).toEqual(['2026-01-01T09:00:00.000Z', '2026-01-02T09:00:00.000Z']);
});

test('time zones and their summer time are those of the place', async () => {
  const it = rig('30 9 * * *', 'Europe/Berlin', { createdAt: at('2026-03-27T20:00:00Z') });
  await it.lookAt('2026-03-28T09:00:00Z', '2026-03-29T08:00:00Z');
  expect(it.started).toEqual(['2026-03-28T08:30:00.000Z', '2026-03-29T07:30:00.000Z']);
});

test('of the times that nobody was there for the last one is made up for, if it is not too long ago', async () => {
  const it = rig('*/10 * * * *');
  await it.lookAt('2026-01-01T05:34:00Z');
  expect(it.started).toEqual(['2026-01-01T05:30:00.000Z']);
  const late = rig('0 9 * * *');
  await late.lookAt('2026-01-01T10:00:01Z');
  expect(late.started).toEqual([]);
});

test('a definition has no past: times before it was kept are not its own', async () => {
  const it = rig('0 9 * * *', 'UTC', { createdAt: at('2026-01-01T09:05:00Z') });
  await it.lookAt('2026-01-01T09:10:00Z');
  expect(it.started).toEqual([]);
  await it.lookAt('2026-01-02T09:00:00Z');
  expect(it.started).toHaveLength(1);
});

test('what cannot be started now is due again; what can never be is told once', async () => {
  const it = rig('0 9 * * *');
  it.fault = new CadreError('commands-unanswered', 'no orchestrator', { retriable: true });
  await it.lookAt('2026-01-01T09:00:00Z', '2026-01-01T09:00:05Z');
  it.fault = undefined;
  await it.lookAt('2026-01-01T09:00:06Z', '2026-01-01T09:00:07Z');
  expect(it.started).toEqual(['2026-01-01T09:00:00.000Z']);
  it.fault = new CadreError('invalid-request', 'no');
  await it.lookAt('2026-01-02T09:00:00Z');
  it.fault = undefined;
  await it.lookAt('2026-01-02T09:00:01Z');
  expect(it.started).toHaveLength(1);
});

test('a second gateway names the same run; a workflow that is gone or changed is started no more', async () => {
  const it = rig('0 9 * * *');
  await it.lookAt('2026-01-01T09:00:00Z');
  await it.another().look();
  expect(new Set(it.started)).toEqual(new Set(['2026-01-01T09:00:00.000Z']));
  expect(it.started).toHaveLength(2);
  it.keep(undefined);
  await it.lookAt('2026-01-02T09:00:00Z');
  expect(it.started).toHaveLength(2);
});
