import { describe, expect, test } from '@jest/globals';
import type { AccountCommand, CommandReply } from '@cadre/contracts';
import fc from 'fast-check';
import type { Account } from './account-state.js';
import { homeRoomMicros, homeShard, newAccount, roomMicros, spentMicros } from './account-state.js';
import { AllowanceKeeper } from './allowance-keeper.js';
import { decideAccount } from './decide-account.js';
import { foldAccountCommit } from './evolve-account.js';
import { reclaimAllowances, setTenantBudget } from './reclaim.js';

const TENANT = 'acme';
const SHARDS = 3;
const HOME = homeShard(TENANT, SHARDS);
const [LEFT, RIGHT] = [0, 1, 2].filter((shard) => shard !== HOME) as [number, number];

/** The accounts of one tenant in all shards, decided and folded as their owners do. */
class Bank {
  readonly accounts = new Map<number, Account>();

  at(shard: number): Account {
    return this.accounts.get(shard) ?? newAccount(TENANT);
  }

  room(shard: number): number | undefined {
    return roomMicros(this.accounts.get(shard), shard === HOME);
  }

  submit(command: AccountCommand): CommandReply {
    const account = this.accounts.get(command.shard);
    const decision = decideAccount(account, command, SHARDS);
    if (decision.outcome === 'rejected') return { id: command.id, ...decision };
    if (decision.outcome === 'accepted') {
      const commit = { tenant: TENANT, seq: (account?.seq ?? 0) + 1, at: 0, cause: command.id, events: decision.events };
      this.accounts.set(command.shard, foldAccountCommit(account, commit));
    }
    return { id: command.id, outcome: decision.outcome, ...(decision.result === undefined ? {} : { result: decision.result }) };
  }

  /** Spends if there is room, as a reservation does. */
  spend(shard: number, micros: number): boolean {
    const room = this.room(shard);
    if (room !== undefined && room < micros) return false;
    const account = this.at(shard);
    this.accounts.set(shard, { ...account, reservedMicros: account.reservedMicros + micros });
    return true;
  }

  settle(shard: number, reserved: number, cost: number): void {
    const account = this.at(shard);
    this.accounts.set(shard, {
      ...account,
      reservedMicros: account.reservedMicros - reserved,
      settledMicros: account.settledMicros + cost,
    });
  }

  get spent(): number {
    return [...this.accounts.values()].reduce((sum, account) => sum + spentMicros(account), 0);
  }

  readonly sender = { send: async (commands: AccountCommand[]) => commands.map((command) => this.submit(command)) };

  readonly around = { sender: this.sender, shards: SHARDS, newId: () => 'id' };
}

function draw(bank: Bank, drawer: number, needMicros: number): CommandReply {
  const reply = bank.submit({
    type: 'DrawAllowance',
    id: 'd',
    shard: HOME,
    tenant: TENANT,
    drawer,
    creditedMicros: bank.at(drawer).creditedMicros,
    needMicros,
  });
  if (reply.outcome === 'accepted' || reply.outcome === 'duplicate') {
    const { drawnMicros } = reply.result as { drawnMicros: number };
    bank.submit({ type: 'CreditAllowance', id: 'c', shard: drawer, tenant: TENANT, drawnMicros });
  }
  return reply;
}

describe("a tenant's account", () => {
  test('without a cap the home spends freely, and other shards draw first', () => {
    const bank = new Bank();
    expect(bank.room(HOME)).toBeUndefined();
    expect(bank.room(LEFT)).toBe(0);
    draw(bank, LEFT, 5);
    expect(bank.room(LEFT)).toBeGreaterThanOrEqual(5);
  });

  test('a draw is subtracted from what the home has left', () => {
    const bank = new Bank();
    bank.submit({ type: 'SetTenantBudget', id: 's', shard: HOME, tenant: TENANT, capMicros: 100 });
    expect(draw(bank, LEFT, 40).outcome).toBe('accepted');
    expect(bank.room(LEFT)).toBe(40);
    expect(bank.room(HOME)).toBe(60);
    expect(draw(bank, RIGHT, 61)).toMatchObject({ outcome: 'rejected', code: 'budget-exceeded' });
  });

  test('a repeated draw is answered with what it was granted, and credited once', () => {
    const bank = new Bank();
    bank.submit({ type: 'SetTenantBudget', id: 's', shard: HOME, tenant: TENANT, capMicros: 100 });
    const command: AccountCommand = {
      type: 'DrawAllowance',
      id: 'd',
      shard: HOME,
      tenant: TENANT,
      drawer: LEFT,
      creditedMicros: 0,
      needMicros: 40,
    };
    expect(bank.submit(command)).toMatchObject({ outcome: 'accepted', result: { drawnMicros: 40 } });
    expect(bank.submit(command)).toMatchObject({ outcome: 'duplicate', result: { drawnMicros: 40 } });
    const credit: AccountCommand = { type: 'CreditAllowance', id: 'c', shard: LEFT, tenant: TENANT, drawnMicros: 40 };
    expect(bank.submit(credit).outcome).toBe('accepted');
    expect(bank.submit(credit).outcome).toBe('duplicate');
    expect(bank.room(LEFT)).toBe(40);
    expect(bank.room(HOME)).toBe(60);
  });

  test('a shard that is not the home refuses the commands of the home', () => {
    const bank = new Bank();
    const reply = bank.submit({ type: 'SetTenantBudget', id: 's', shard: LEFT, tenant: TENANT, capMicros: 100 });
    expect(reply).toMatchObject({ outcome: 'rejected', code: 'invalid-command' });
  });

  test('when a cap is set later, what shards hold unspent comes back', async () => {
    const bank = new Bank();
    draw(bank, LEFT, 5);
    bank.spend(LEFT, 30);
    await setTenantBudget(bank.around, TENANT, 100);
    expect(bank.room(LEFT)).toBe(0);
    expect(homeRoomMicros(bank.at(HOME))).toBe(70);
  });

  test('a grant that is on its way when a cap is set comes back, too', async () => {
    const bank = new Bank();
    const lost: AccountCommand = {
      type: 'DrawAllowance',
      id: 'd',
      shard: HOME,
      tenant: TENANT,
      drawer: LEFT,
      creditedMicros: 0,
      needMicros: 5,
    };
    bank.submit(lost); // its credit never came: the keeper died
    await setTenantBudget(bank.around, TENANT, 100);
    expect(homeRoomMicros(bank.at(HOME))).toBe(100);
    draw(bank, LEFT, 10);
    expect(bank.room(LEFT)! + bank.room(HOME)!).toBe(100);
  });

  test('the commits of an account have to follow on each other', () => {
    const commit = { tenant: TENANT, seq: 2, at: 0, cause: 'x', events: [{ type: 'BudgetSet' as const, capMicros: 1 }] };
    expect(() => foldAccountCommit(undefined, commit)).toThrow(/commit 2 came where 1 was due/);
  });
});

describe('the keeper of allowances', () => {
  function keeperFor(bank: Bank, shard: number, now = () => 0): AllowanceKeeper {
    const { sender, shards, newId } = bank.around;
    const onFault = (_tenant: string, cause: unknown) => {
      throw cause;
    };
    return new AllowanceKeeper({ shard, shards, sender, newId, now, onFault, signal: new AbortController().signal });
  }
  const settled = async () => {
    for (let i = 0; i < 50; i += 1) await Promise.resolve();
  };

  test('draws and credits what is wanted', async () => {
    const bank = new Bank();
    bank.submit({ type: 'SetTenantBudget', id: 's', shard: HOME, tenant: TENANT, capMicros: 100 });
    keeperFor(bank, LEFT).want(TENANT, 0, 10);
    await settled();
    expect(bank.room(LEFT)).toBe(25);
  });

  test('fetches back what another shard does not use, before it gives up', async () => {
    const bank = new Bank();
    bank.submit({ type: 'SetTenantBudget', id: 's', shard: HOME, tenant: TENANT, capMicros: 100 });
    draw(bank, RIGHT, 90);
    keeperFor(bank, LEFT).want(TENANT, 0, 50);
    await settled();
    expect(bank.room(LEFT)).toBe(50);
    expect(bank.room(RIGHT)).toBe(0);
  });

  test('believes a refusal for a while only', async () => {
    const bank = new Bank();
    let now = 0;
    bank.submit({ type: 'SetTenantBudget', id: 's', shard: HOME, tenant: TENANT, capMicros: 100 });
    const keeper = keeperFor(bank, LEFT, () => now);
    keeper.want(TENANT, 0, 101);
    await settled();
    expect(keeper.isDenied(TENANT, 101)).toBe(true);
    expect(keeper.isDenied(TENANT, 50)).toBe(false);
    now = 3000;
    expect(keeper.isDenied(TENANT, 101)).toBe(false);
  });
});

type Step =
  | { do: 'spend'; shard: number; micros: number }
  | { do: 'settle'; shard: number; part: number }
  | { do: 'draw'; shard: number; micros: number }
  | { do: 'reclaim' }
  | { do: 'late'; pick: number };

const shard = fc.integer({ min: 0, max: SHARDS - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('spend' as const), shard, micros: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ do: fc.constant('settle' as const), shard, part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ do: fc.constant('draw' as const), shard, micros: fc.integer({ min: 1, max: 80 }) }),
  fc.record({ do: fc.constant('reclaim' as const) }),
  fc.record({ do: fc.constant('late' as const), pick: fc.nat() }),
);

test('whatever is lost, repeated or late: all shards together never pass the cap, and what is unspent can be fetched back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 500 }), fc.array(step, { maxLength: 80 }), async (cap, steps) => {
      const bank = new Bank();
      const sent: AccountCommand[] = [];
      const keep = { send: async (commands: AccountCommand[]) => (sent.push(...commands), commands.map((c) => bank.submit(c))) };
      const around = { ...bank.around, sender: keep };
      await setTenantBudget(around, TENANT, cap);
      for (const next of steps) {
        if (next.do === 'spend') bank.spend(next.shard, next.micros);
        else if (next.do === 'settle') {
          const { reservedMicros } = bank.at(next.shard);
          bank.settle(next.shard, reservedMicros, Math.floor(reservedMicros * next.part));
        } else if (next.do === 'draw' && next.shard !== HOME) {
          const keeper = new AllowanceKeeper({
            shard: next.shard,
            shards: SHARDS,
            sender: keep,
            newId: () => 'id',
            now: () => 0,
            onFault: () => undefined,
            signal: new AbortController().signal,
          });
          keeper.want(TENANT, bank.at(next.shard).creditedMicros, next.micros);
          for (let i = 0; i < 40; i += 1) await Promise.resolve();
        } else if (next.do === 'reclaim') await reclaimAllowances(around, TENANT);
        else if (next.do === 'late' && sent.length > 0) bank.submit(sent[next.pick % sent.length] as AccountCommand);
        expect(bank.spent).toBeLessThanOrEqual(cap);
      }
      await reclaimAllowances(around, TENANT);
      expect(homeRoomMicros(bank.at(HOME))).toBe(cap - bank.spent);
    }),
    { numRuns: 300 },
  );
});
