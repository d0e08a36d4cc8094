import { EventList, RunAccepted, type RunEvent } from '@cadre/contracts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({ SSE_KEEPALIVE_MS: '150' });
});
afterAll(() => gateway.stop());

async function started(): Promise<string> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"goal":"x"}' };
  return RunAccepted.parse(await (await fetch(`${gateway.url}/v1/runs`, init)).json()).runId;
}

const step = (n: number): RunEvent => ({ type: 'CancelRequested', reason: `step ${n}`, graceUntil: 0 });
const done: RunEvent = {
  type: 'RunCancelled',
  reason: 'over',
  artifacts: [],
  usage: { modelCalls: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 },
};

/** Reads a stream of events in the background. */
async function follow(runId: string, query = '', headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(`${gateway.url}/v1/runs/${runId}/events${query}`, { headers, signal: abort.signal });
  const seen = { text: '', ids: [] as string[] };
  const ended = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      seen.text += decoder.decode(chunk as Uint8Array, { stream: true });
      seen.ids = [...seen.text.matchAll(/^id: (.*)$/gm)].map((match) => match[1] ?? '');
    }
  })().catch(() => undefined);
  return { response, seen, ended, abort };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i += 1) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(condition()).toBe(true);
}

test('what has happened comes first, then what happens, and the stream ends with the run', async () => {
  const runId = await started();
  await gateway.monitor.commit(runId, [step(1), step(2)]);
  await gateway.monitor.commit(runId, [step(3)]);
  const { response, seen, ended } = await follow(runId);
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  await until(() => seen.ids.length === 3);
  await gateway.monitor.commit(runId, [step(4)]);
  await until(() => seen.ids.length === 4);
  await gateway.monitor.commit(runId, [step(5), done]);
  await ended;
  expect(seen.ids).toEqual(['1.0', '1.1', '2.0', '3.0', '4.0', '4.1']);
  const last = seen.text.trim().split('\n\n').at(-1)?.split('\n') ?? [];
  expect(last.slice(0, 2)).toEqual(['id: 4.1', 'event: cadre.RunCancelled']);
  expect(JSON.parse(last[2]?.slice('data: '.length) ?? '')).toMatchObject({
    id: `${runId}/4.1`,
    subject: runId,
    data: { type: 'RunCancelled' },
  });
});

test('it resumes after a position, by header or query; the header is the newer', async () => {
  const runId = await started();
  await gateway.monitor.commit(runId, [step(1), step(2)]);
  await gateway.monitor.commit(runId, [step(3)]);
  const byQuery = await follow(runId, '?after=1.0');
  const byHeader = await follow(runId, '?after=1.0', { 'last-event-id': '1.1' });
  const byLast = await follow(runId, '', { 'last-event-id': '2.0' });
  await until(() => byQuery.seen.ids.length === 2 && byHeader.seen.ids.length === 1);
  await gateway.monitor.commit(runId, [done]);
  await Promise.all([byQuery.ended, byHeader.ended, byLast.ended]);
  expect(byQuery.seen.ids).toEqual(['1.1', '2.0', '3.0']);
  expect(byHeader.seen.ids).toEqual(['2.0', '3.0']);
  expect(byLast.seen.ids).toEqual(['3.0']);
  expect((await fetch(`${gateway.url}/v1/runs/${runId}/events?after=3.0`)).status).toBe(204);
  expect((await follow(runId, '?after=2.0')).response.status).toBe(200);
});

test.each(['?after=x', '?after=1', '?colour=red'])('%s is refused', async (query) => {
  const runId = await started();
  expect((await fetch(`${gateway.url}/v1/runs/${runId}/events${query}`)).status).toBe(400);
});

test('a wrong Last-Event-ID is refused', async () => {
  const runId = await started();
  expect((await fetch(`${gateway.url}/v1/runs/${runId}/events`, { headers: { 'last-event-id': 'x' } })).status).toBe(400);
});

test('events that the stream repeats are left out, and those that it dropped come from the archive', async () => {
  const runId = await started();
  await gateway.monitor.commit(runId, [step(1)], { stream: false });
  await gateway.monitor.commit(runId, [step(2)]);
  const { seen, ended } = await follow(runId);
  await until(() => seen.ids.length === 2);
  await gateway.monitor.commit(runId, [step(2)], { repeat: true });
  await gateway.monitor.commit(runId, [step(3), step(4)], { stream: false });
  await gateway.monitor.commit(runId, [step(5)]);
  await until(() => seen.ids.length === 5);
  await gateway.monitor.commit(runId, [done]);
  await ended;
  expect(seen.ids).toEqual(['1.0', '2.0', '3.0', '3.1', '4.0', '5.0']);
});

test('an event that was never published, or published before it was archived, comes from the archive after a silence', async () => {
  const runId = await started();
  const { seen, ended } = await follow(runId);
  await gateway.monitor.commit(runId, [step(1), done], { stream: false });
  await ended;
  expect(seen.ids).toEqual(['1.0', '1.1']);
});

test('many followers and a fast run: nobody misses or repeats anything', async () => {
  const runId = await started();
  const followers = [];
  for (let i = 0; i < 60; i += 1) {
    if (i % 10 === 0) followers.push(follow(runId));
    await gateway.monitor.commit(runId, [step(i)]);
  }
  await gateway.monitor.commit(runId, [done]);
  const expected = Array.from({ length: 61 }, (_, i) => `${i + 1}.0`);
  for (const follower of await Promise.all(followers)) {
    await follower.ended;
    expect(follower.seen.ids).toEqual(expected);
  }
});

test('a quiet stream is kept open by comments, and closed when the client leaves', async () => {
  const runId = await started();
  const { seen, abort, ended } = await follow(runId);
  await until(() => seen.text.includes(': keep-alive\n\n'));
  const open = async () => /cadre_event_streams\{service="gateway"\} (\d+)/.exec(await (await fetch(`${gateway.url}/metrics`)).text())?.[1];
  expect(await open()).toBe('1');
  abort.abort();
  await ended;
  for (let i = 0; i < 50 && (await open()) !== '0'; i += 1) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await open()).toBe('0');
});

test('one page of what has happened, as JSON', async () => {
  const runId = await started();
  await gateway.monitor.commit(runId, [step(1), step(2)]);
  const page = async (query: string) => {
    const response = await fetch(`${gateway.url}/v1/runs/${runId}/events${query}`, { headers: { accept: 'application/json' } });
    return EventList.parse(await response.json());
  };
  expect(await page('?limit=1')).toMatchObject({ events: [{ id: `${runId}/1.0` }], more: true, next: '1.0' });
  expect(await page('?after=1.0')).toMatchObject({ events: [{ id: `${runId}/1.1` }], more: false, next: '1.1' });
  expect(await page('?after=1.1')).toEqual({ events: [], more: false });
});

test('open streams end when the gateway stops', async () => {
  const other = await startTestGateway();
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"goal":"x"}' };
  const { runId } = RunAccepted.parse(await (await fetch(`${other.url}/v1/runs`, init)).json());
  const response = await fetch(`${other.url}/v1/runs/${runId}/events`);
  const text = response.text();
  const started = Date.now();
  await other.stopService();
  expect(Date.now() - started).toBeLessThan(15_000);
  expect(await text.catch(() => 'cut')).toBeDefined();
  await other.stop();
});
