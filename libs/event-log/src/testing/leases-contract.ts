/** What every `Leases` must do. Uses Jest's globals; call it in a spec. */
import type { Lease, Leases } from '@cadre/engine';

export interface LeasesFixture {
  /** The leases as one process sees them; all of one fixture share the server. */
  open(): Promise<{
    leases: Leases;
    /** The process dies: nothing is renewed, released or noticed any more. */
    die(lease: Lease): Promise<void>;
  }>;
  /** The server gives the lease to nobody and no longer to its holder. */
  revoke(lease: Lease): Promise<void>;
  close(): Promise<void>;
}

const never = new AbortController().signal;

/** @param make a fixture with a time to live of 2 s */
export function leasesContract(name: string, make: () => Promise<LeasesFixture>): void {
  describe(`${name} keeps the contract of Leases`, () => {
    let fixture: LeasesFixture;
    beforeEach(async () => {
      fixture = await make();
    });
    afterEach(() => fixture.close());

    keeping(() => fixture);
    losing(() => fixture);
  });
}

function keeping(fixture: () => LeasesFixture): void {
  test('a free lease is taken at once and kept beyond its time to live', async () => {
    const { leases } = await fixture().open();
    const lease = await leases.acquire('shard-07', 'a', never);
    expect(lease).toMatchObject({ name: 'shard-07', holder: 'a' });
    await sleep(2600);
    expect(lease.isHeld()).toBe(true);
    expect(lease.lost.aborted).toBe(false);
    await lease.release();
  });

  test('of many that want it one has it; a release hands it on at once, with a higher epoch', async () => {
    const wanting = await Promise.all(Array.from({ length: 4 }, () => fixture().open()));
    const holders: Lease[] = [];
    const all = wanting.map(async ({ leases }, i) => {
      const lease = await leases.acquire('scheduler', `h${i}`, never);
      expect(holders.every((earlier) => !earlier.isHeld())).toBe(true);
      holders.push(lease);
    });
    for (let i = 1; i <= all.length; i += 1) {
      const from = performance.now();
      while (holders.length < i) await sleep(5);
      if (i > 1) expect(performance.now() - from).toBeLessThan(1000);
      await sleep(150);
      expect(holders).toHaveLength(i);
      await holders[i - 1]!.release();
      expect(holders[i - 1]!.isHeld()).toBe(false);
      expect(holders[i - 1]!.lost.reason).toMatchObject({ code: 'lease-released' });
    }
    await Promise.all(all);
    const epochs = holders.map((lease) => lease.epoch);
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    expect(new Set(epochs).size).toBe(4);
  });

  test('leases of different names do not touch each other', async () => {
    const { leases } = await fixture().open();
    const held = await Promise.all(['shard-00', 'shard-01'].map((name) => leases.acquire(name, 'a', never)));
    await held[0]!.release();
    expect(held.map((lease) => lease.isHeld())).toEqual([false, true]);
    await held[1]!.release();
  });
}

function losing(fixture: () => LeasesFixture): void {
  test('after the death of its holder a standby has it within about the time to live', async () => {
    const first = await fixture().open();
    const second = await fixture().open();
    const lease = await first.leases.acquire('shard-07', 'a', never);
    const waiting = second.leases.acquire('shard-07', 'b', never);
    await sleep(800);
    const from = performance.now();
    await first.die(lease);
    const next = await waiting;
    expect(performance.now() - from).toBeLessThan(4000);
    expect(next.holder).toBe('b');
    expect(next.epoch).toBeGreaterThan(lease.epoch);
    expect(lease.isHeld()).toBe(false);
    await next.release();
  });

  test('a holder learns that its lease was taken away', async () => {
    const { leases } = await fixture().open();
    const lease = await leases.acquire('shard-07', 'a', never);
    await fixture().revoke(lease);
    if (!lease.lost.aborted) await new Promise((resolve) => lease.lost.addEventListener('abort', resolve));
    expect(lease.isHeld()).toBe(false);
    expect(lease.lost.reason).toMatchObject({ code: 'lease-lost' });
    await lease.release();
  });

  test('waiting ends with an error when its signal aborts', async () => {
    const { leases } = await fixture().open();
    const lease = await leases.acquire('shard-07', 'a', never);
    const give = new AbortController();
    const waiting = leases.acquire('shard-07', 'b', give.signal);
    setTimeout(() => give.abort(), 100);
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    await expect(leases.acquire('shard-08', 'b', AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    expect(lease.isHeld()).toBe(true);
    await lease.release();
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
