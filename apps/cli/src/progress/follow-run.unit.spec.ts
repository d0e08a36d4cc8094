import { TaskSpec, type FeedEvent } from '@cadre/contracts';
import { CadreClient } from '@cadre/sdk';
import type { Terminal } from '../terminal.js';
import { followRun } from './follow-run.js';

const runId = 'r00-00000000-0000-7000-8000-000000000001';
const usage = { modelCalls: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 };

function event(id: string, time: string, data: FeedEvent['data']): FeedEvent {
  return {
    specversion: '1.0',
    id: `${runId}/${id}`,
    source: '/cadre/default',
    type: `cadre.${data.type}`,
    subject: runId,
    time,
    datacontenttype: 'application/json',
    data,
  };
}

test('what a task waits for is told each time, with the words of its model server, until it is answered', async () => {
  const head = { taskId: 'a', agent: 'assistant', workerId: 'w1' };
  const error = { code: 'model-loading', message: 'The model server answered 503: Loading model', retriable: true };
  const at = Date.UTC(2026, 0, 1);
  const time = (ms: number) => new Date(at + ms).toISOString();
  const start = (attempt: number, ms: number) =>
    event(`${attempt}.1`, time(ms), { type: 'AttemptStarted', ...head, attempt, deadlineAt: 0, tools: [] });
  const fail = (attempt: number, ms: number, forMs: number) => [
    event(`${attempt}.2`, time(ms), { type: 'AttemptFailed', taskId: 'a', attempt, error, counted: false, cause: 'server' }),
    event(`${attempt}.3`, time(ms), { type: 'AttemptScheduled', taskId: 'a', attempt: attempt + 1, notBefore: at + ms + forMs }),
  ];
  const key = 'a'.repeat(32);
  const events = [
    event('1.0', time(0), { type: 'TasksAdded', source: 'submitted', tasks: [TaskSpec.parse({ id: 'a', title: 'A', instructions: 'a' })] }),
    ...[start(1, 0), ...fail(1, 10, 1000), start(2, 1010), ...fail(2, 1020, 2000), start(3, 3020)],
    event('3.2', time(3030), {
      ...{ type: 'CallsReserved', taskId: 'a', attempt: 3 },
      calls: [{ key, try: 1, kind: 'model', name: 'm', maxCostMicros: 0 }],
    }),
    event('3.3', time(3040), {
      ...{ type: 'CallsSettled', taskId: 'a', attempt: 3 },
      calls: [{ key, try: 1, outcome: 'done', ok: true, note: '', at: 0, durationMs: 1, inputTokens: 1, outputTokens: 1, costMicros: 0 }],
    }),
    event('3.4', time(3050), { type: 'RunCancelled', reason: 'enough', artifacts: [], usage }),
  ];
  const client = new CadreClient({ baseUrl: 'http://127.0.0.1:1' });
  client.events = async function* () {
    for (const one of events) yield { position: one.id.split('/')[1]!, event: one };
  };
  const lines: string[] = [];
  await followRun(client, runId, { errIsTty: false, env: {}, err: (line: string) => void lines.push(line) } as unknown as Terminal);
  expect(lines.map((line) => line.slice(0, 11).trim())).toEqual(['> running', '~ waits', '~ waits', '> running', 'Cancelled:']);
  expect(lines[2]).toMatch(/A: waits for the model server until .*\d\d:\d\d:\d\d: The model server answered 503: Loading model$/);
});

test('the time shown is that of the run, however fast its events are read', async () => {
  const events = [
    event('1.0', '2026-01-01T00:00:00.000Z', { type: 'CancelRequested', reason: 'enough', graceUntil: 0 }),
    event('1.1', '2026-01-01T00:00:04.500Z', { type: 'RunCancelled', reason: 'enough', artifacts: [], usage }),
  ];
  const client = new CadreClient({ baseUrl: 'http://127.0.0.1:1' });
  client.events = async function* () {
    for (const one of events) yield { position: one.id.split('/')[1]!, event: one };
  };
  const lines: string[] = [];
  const terminal = { errIsTty: false, env: {}, err: (line: string) => void lines.push(line) } as unknown as Terminal;
  await followRun(client, runId, terminal);
  expect(lines.at(-1)).toContain('4.5 s');
});
