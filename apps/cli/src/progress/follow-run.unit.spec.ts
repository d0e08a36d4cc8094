import type { FeedEvent } from '@cadre/contracts';
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
