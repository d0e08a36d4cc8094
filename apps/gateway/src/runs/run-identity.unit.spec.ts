import { RunId, RunRequest, shardOf } from '@cadre/contracts';
import { fingerprintOf, freshRunId, runIdOfEvent, runIdOfKey } from './run-identity.js';

test('a key gives one id per tenant, valid and within the shards', () => {
  const id = runIdOfKey('default', 'k', 4);
  expect(RunId.parse(id)).toBe(runIdOfKey('default', 'k', 4));
  expect(id).toMatch(/^r0[0-3]-[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const others = [
    runIdOfKey('other', 'k', 4),
    runIdOfKey('default', 'K', 4),
    runIdOfEvent('default', 'k', '', 4),
    runIdOfEvent('default', '', 'k', 4),
  ];
  expect(new Set([id, ...others]).size).toBe(5);
});

test('keys and fresh ids spread over the shards', () => {
  const shards = new Set(Array.from({ length: 200 }, (_, i) => shardOf(runIdOfKey('default', `k${i}`, 3))));
  expect([...shards].sort()).toEqual([0, 1, 2]);
  expect(new Set(Array.from({ length: 200 }, () => shardOf(RunId.parse(freshRunId(3))))).size).toBe(3);
});

test('a fingerprint depends on what is asked for, not on how it is written', () => {
  const of = (value: unknown) => fingerprintOf(RunRequest.parse(value));
  const base = of({ goal: 'g', options: { labels: { a: '1', b: '2' } } });
  expect(of({ options: { labels: { b: '2', a: '1' }, priority: 'medium' }, goal: 'g', inputs: [] })).toBe(base);
  expect(of({ goal: 'g', options: { labels: { a: '1', b: '3' } } })).not.toBe(base);
  expect(of({ goal: 'g ', options: { labels: { a: '1', b: '2' } } })).not.toBe(base);
});
