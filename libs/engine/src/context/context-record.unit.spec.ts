import type { ContextRecord } from '@cadre/contracts';
import { forgottenAfterMs, presentVersion, withoutVersions, withVersion } from './context-record.js';
import type { NewVersion } from './context-record.js';

const DAY = 86_400_000;
const put = (key: string, more: Partial<NewVersion> = {}): NewVersion => ({
  ...{ name: 'a', key, by: { kind: 'user' }, tags: [], from: [], ...more },
  body: { sha256: 'a'.repeat(64), size: 1, mediaType: 'text/plain' },
});

function changed(record: ContextRecord | undefined, next: NewVersion, now = 0): ContextRecord {
  const change = withVersion(record, next, now);
  if (change.kind !== 'changed') throw new Error(change.kind);
  return change.record;
}

test('the last hundred keys of versions that are gone are remembered', () => {
  let record: ContextRecord | undefined;
  for (let n = 1; n <= 150; n += 1) record = changed(record, put(`k${n}`, { keep: 1 }));
  expect(record?.past).toHaveLength(100);
  expect(withVersion(record, put('k150'), 0)).toEqual({ kind: 'repeated', version: 150 });
  expect(withVersion(record, put('k50'), 0)).toEqual({ kind: 'repeated', version: 50 });
  expect(withVersion(record, put('k49'), 0)).toMatchObject({ kind: 'changed', version: 151 });
});

test('a key is recognised after the end of its artifact; what has ended counts as not there', () => {
  const record = changed(undefined, put('k1', { ttlMs: 1000 }));
  expect([presentVersion(record, 999), presentVersion(record, 1000)]).toEqual([1, 0]);
  expect(withVersion(record, put('k1'), 1000)).toEqual({ kind: 'repeated', version: 1 });
  expect(withVersion(record, put('k2', { expects: 1 }), 1000)).toEqual({ kind: 'conflict', present: 0 });
  const next = changed(record, put('k2', { expects: 0 }), 1000);
  expect([next.versions.map(({ version }) => version), next.past, next.expiresAt]).toEqual([[2], [{ key: 'k1', version: 1 }], 2000]);
  expect(withoutVersions(record, { name: 'a', key: 'd' }, 1000)).toBeUndefined();
});

test('a record is forgotten a day after its end, and one without an end never', () => {
  const lasting = changed(undefined, put('k1'));
  expect(forgottenAfterMs(lasting, 0)).toBeUndefined();
  expect(forgottenAfterMs(changed(lasting, put('k2', { ttlMs: 5000 })), 0)).toBe(DAY + 5000);
  const removed = withoutVersions(lasting, { name: 'a', key: 'd' }, 0);
  expect(removed?.kind === 'changed' && forgottenAfterMs(removed.record, 7)).toBe(DAY);
});

test('fewer versions are kept from the change on that says so', () => {
  let record: ContextRecord | undefined;
  for (let n = 1; n <= 4; n += 1) record = changed(record, put(`k${n}`));
  expect(changed(record, put('k5', { keep: 2 })).versions.map(({ version }) => version)).toEqual([4, 5]);
});
