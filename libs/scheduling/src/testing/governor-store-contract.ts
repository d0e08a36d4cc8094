/** What every `GovernorStore` must do. Uses Jest's globals; call it in a spec. */
import type { GovernorRecord, GovernorStore } from '../governor/governor-store.js';

const record = (write: number): GovernorRecord => ({ by: 'a', write, slots: [[10, 2, 300]], pausedMs: 5 });

/** @param open the store as another process sees it: all of them share the entries */
export function governorStoreContract(name: string, open: () => Promise<GovernorStore>): void {
  describe(`${name} keeps the contract of GovernorStore`, () => {
    test('what is written is read by all, and only the newest revision is followed', async () => {
      const [one, two] = [await open(), await open()];
      const line = `http://a.test/v1 m-${Math.random()}`;
      expect(await one.read(line)).toEqual({ revision: 0 });
      const first = await one.write(line, record(1), 0, 60_000);
      if (!first.written) throw new Error(first.reason);
      expect(await two.read(line)).toEqual({ revision: first.revision, record: record(1) });
      expect(await two.write(line, record(9), 0, 60_000)).toEqual({ written: false, reason: 'conflict' });
      const second = await two.write(line, record(2), first.revision, 60_000);
      if (!second.written) throw new Error(second.reason);
      expect(second.revision).toBeGreaterThan(first.revision);
      expect(await one.write(line, record(3), first.revision, 60_000)).toEqual({ written: false, reason: 'conflict' });
      expect((await one.read(line)).record).toEqual(record(2));
    });

    test('lines are apart from each other', async () => {
      const store = await open();
      const [a, b] = [`http://a.test/v1 *-${Math.random()}`, `http://b.test/v1 *-${Math.random()}`];
      await store.write(a, record(1), 0, 60_000);
      expect(await store.read(b)).toEqual({ revision: 0 });
    });

    test('an entry whose time is up is gone, and its last revision is what the next one follows', async () => {
      const store = await open();
      const line = `http://a.test/v1 t-${Math.random()}`;
      await store.write(line, record(1), 0, 1000);
      await new Promise((resolve) => setTimeout(resolve, 1600));
      const { revision, ...rest } = await store.read(line);
      expect(rest).toEqual({});
      expect((await store.write(line, record(2), revision, 60_000)).written).toBe(true);
    });
  });
}
