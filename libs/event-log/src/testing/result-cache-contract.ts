/** What every `ResultCache` must do. Uses Jest's globals; call it in a spec. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KeptResult } from '@cadre/contracts';
import type { ResultCache } from '@cadre/engine';

export interface ResultCacheFixture {
  cache: ResultCache;
  close(): Promise<void>;
}

const RUN = 'r00-01890000-0000-7000-8000-000000000001';

/** @param ttlMs from now */
export function keptResult(text: string, ttlMs: number): KeptResult {
  const now = Date.now();
  return {
    result: {
      answer: { text },
      confidence: 0.7,
      artifacts: [{ name: 'a.md', sha256: 'a'.repeat(64), size: 1, mediaType: 'text/markdown' }],
    },
    from: { runId: RUN, taskId: 'map~0~count' },
    keptAt: now,
    until: now + ttlMs,
  };
}

export function resultCacheContract(name: string, make: () => Promise<ResultCacheFixture>): void {
  describe(`${name} keeps the contract of ResultCache`, () => {
    let fixture: ResultCacheFixture;
    let key: string;
    beforeAll(async () => {
      fixture = await make();
    });
    afterAll(() => fixture.close());
    beforeEach(() => {
      key = randomBytes(32).toString('hex');
    });

    test('gives what was put, and nothing for another key or another tenant', async () => {
      const { cache } = fixture;
      const kept = keptResult('one', 60_000);
      expect(await cache.get('default', key)).toBeUndefined();
      await cache.put('default', key, kept);
      expect(await cache.get('default', key)).toEqual(kept);
      expect(await cache.get('default', 'f'.repeat(64))).toBeUndefined();
      expect(await cache.get('other', key)).toBeUndefined();
    });

    test('the last one put counts', async () => {
      const { cache } = fixture;
      await cache.put('default', key, keptResult('one', 60_000));
      const last = keptResult('two', 60_000);
      await cache.put('default', key, last);
      expect(await cache.get('default', key)).toEqual(last);
    });

    test('gives nothing once its time is over, to the millisecond', async () => {
      const { cache } = fixture;
      await cache.put('default', key, keptResult('short', 300));
      expect(await cache.get('default', key)).toBeDefined();
      await sleep(310);
      expect(await cache.get('default', key)).toBeUndefined();
    });
  });
}
