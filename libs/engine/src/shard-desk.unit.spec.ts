import { expect, test } from '@jest/globals';
import type { AccountCommand, Block, Command, CommandReply, ShardCommand } from '@cadre/contracts';
import { makeRunId } from '@cadre/contracts';
import { AllowanceKeeper } from './account/allowance-keeper.js';
import { homeShard } from './account/account-state.js';
import { setTenantBudget } from './account/reclaim.js';
import { BlockDraft } from './block-draft.js';
import { decideInShard } from './decide/decide.js';
import { withoutDraft } from './decision.js';
import { emptyShard, foldBlock } from './fold-shard.js';
import { AccountAudit, compareAccounts } from './invariants/account-audit.js';
import type { Violation } from './invariants/violation.js';
import { ShardDesk } from './shard-desk.js';
import type { DecideInShard } from './shard-desk.js';
import { reservation, settlement, startBody, task } from './testing/engine-rig.js';

const TENANT = 'default';
const SHARDS = 2;
const HOME = homeShard(TENANT, SHARDS);
const AWAY = 1 - HOME;

/** The desks of all shards, each command a block of its own, with senders that repeat what was not answered. */
class Desks {
  readonly blocks: { seq: number; block: Block }[][] = [[], []];
  readonly desks: ShardDesk[] = [0, 1].map((shard) => {
    const chance = { now: () => 1000, random: () => 0 };
    const allowances = new AllowanceKeeper({
      shard,
      shards: SHARDS,
      sender: this.sender,
      now: () => 1000,
      newId: () => 'id',
      onFault: (_tenant, cause) => {
        throw cause;
      },
      signal: new AbortController().signal,
    });
    return new ShardDesk({ shard, shards: SHARDS, allowances, ...chance }, emptyShard());
  });

  get sender() {
    return { send: async (commands: ShardCommand[]) => Promise.all(commands.map((command) => this.send(command))) };
  }

  async send(command: ShardCommand): Promise<CommandReply> {
    const shard = 'runId' in command ? Number(command.runId.slice(1, 3)) : command.shard;
    for (let tries = 0; tries < 20; tries += 1) {
      const reply = this.decide(shard, command);
      if (reply.outcome !== 'unavailable') return reply;
      for (let i = 0; i < 50; i += 1) await Promise.resolve();
    }
    throw new Error(`no answer to ${command.type}`);
  }

  decide(shard: number, command: ShardCommand): CommandReply {
    const draft = new BlockDraft();
    const reply = this.desks[shard]!.decide(command, draft);
    if (reply === 'later') throw new Error('an empty block has room');
    if (!draft.isEmpty) {
      const seq = this.blocks[shard]!.length + 1;
      const block: Block = { v: 1, id: `b${seq}`, shard, owner: 'o', kind: 'commits', at: 1000, ...draft.parts() };
      this.blocks[shard]!.push({ seq, block: JSON.parse(draft.jsonOf(block)) as Block });
    }
    return reply;
  }

  violations(): Violation[] {
    const found: Violation[] = [];
    const audits = this.blocks.map((blocks, shard) => {
      const audit = new AccountAudit(shard, SHARDS, (violation) => found.push(violation));
      for (const { seq, block } of blocks) audit.block(seq, block);
      return audit;
    });
    compareAccounts(audits, (violation) => found.push(violation));
    return found;
  }
}

/** A run of one task in a shard, its attempt begun. */
async function begun(desks: Desks, shard: number, number = 1): Promise<string> {
  const runId = makeRunId(shard, `00000000-0000-7000-8000-${number.toString().padStart(12, '0')}`);
  const held = { runId, taskId: 'a', attempt: 1, workerId: 'w1' };
  await desks.send({ ...startBody([task('a')]), id: `s${number}`, runId } as Command);
  await desks.send({ type: 'StartAttempt', id: `b${number}`, ...held, agent: 'generalist', tools: [] });
  return runId;
}

function reserve(desks: Desks, runId: string, name: string, maxCostMicros: number): Promise<CommandReply> {
  const held = { runId, taskId: 'a', attempt: 1, workerId: 'w1' };
  return desks.send({ type: 'RecordCalls', id: name, ...held, settle: [], reserve: [reservation(name, { maxCostMicros })] });
}

const granted = { outcome: 'accepted', result: { grants: [{ grant: 'granted' }] } };
const refused = { outcome: 'accepted', result: { ended: { code: 'budget-exceeded' } } };

test("runs in two shards together stay within their tenant's cap", async () => {
  const desks = new Desks();
  await setTenantBudget({ sender: desks.sender, shards: SHARDS, newId: () => 'id' }, TENANT, 1000);
  const home = await begun(desks, HOME);
  const away = await begun(desks, AWAY);
  expect(await reserve(desks, home, 'h1', 400)).toMatchObject(granted);
  expect(await reserve(desks, away, 'a1', 500)).toMatchObject(granted);
  expect(await reserve(desks, home, 'h2', 101)).toMatchObject(refused);
  expect(await reserve(desks, away, 'a2', 101)).toMatchObject(refused);
  expect(desks.violations()).toEqual([]);
});

test('what a settled call did not cost can be spent elsewhere', async () => {
  const desks = new Desks();
  await setTenantBudget({ sender: desks.sender, shards: SHARDS, newId: () => 'id' }, TENANT, 1000);
  const away = await begun(desks, AWAY);
  const home = await begun(desks, HOME);
  expect(await reserve(desks, away, 'a1', 900)).toMatchObject(granted);
  const held = { runId: away, taskId: 'a', attempt: 1, workerId: 'w1' };
  await desks.send({ type: 'RecordCalls', id: 'settle', ...held, settle: [settlement('a1', { costMicros: 10 })], reserve: [] });
  const other = await begun(desks, AWAY, 2);
  expect(await reserve(desks, other, 'a2', 950)).toMatchObject(granted);
  expect(await reserve(desks, home, 'h1', 50)).toMatchObject(refused);
  expect(desks.violations()).toEqual([]);
});

test('what the same command settles is not drawn again', async () => {
  const desks = new Desks();
  await setTenantBudget({ sender: desks.sender, shards: SHARDS, newId: () => 'id' }, TENANT, 1000);
  expect(await reserve(desks, await begun(desks, HOME), 'h1', 250)).toMatchObject(granted);
  const away = await begun(desks, AWAY);
  expect(await reserve(desks, away, 'a1', 600)).toMatchObject(granted);
  const held = { runId: away, taskId: 'a', attempt: 1, workerId: 'w1' };
  const settle = [settlement('a1', { costMicros: 10 })];
  const next = await desks.send({ type: 'RecordCalls', id: 'x', ...held, settle, reserve: [reservation('a2', { maxCostMicros: 740 })] });
  expect(next).toMatchObject(granted);
  expect(desks.violations()).toEqual([]);
});

test('a cap set while another shard holds an allowance holds at once', async () => {
  const desks = new Desks();
  const away = await begun(desks, AWAY);
  expect(await reserve(desks, away, 'a1', 300)).toMatchObject(granted);
  await setTenantBudget({ sender: desks.sender, shards: SHARDS, newId: () => 'id' }, TENANT, 350);
  expect(await reserve(desks, away, 'a2', 51)).toMatchObject(refused);
  expect(desks.violations()).toEqual([]);
});

test('what a server bills beyond the reservation is drawn from the home at once, and no shard spends it again', async () => {
  const desks = new Desks();
  await setTenantBudget({ sender: desks.sender, shards: SHARDS, newId: () => 'id' }, TENANT, 1000);
  const home = await begun(desks, HOME);
  const away = await begun(desks, AWAY);
  expect(await reserve(desks, away, 'a1', 300)).toMatchObject(granted);
  const held = { runId: away, taskId: 'a', attempt: 1, workerId: 'w1' };
  await desks.send({ type: 'RecordCalls', id: 'settle', ...held, settle: [settlement('a1', { costMicros: 700 })], reserve: [] });
  for (let i = 0; i < 50; i += 1) await Promise.resolve();
  expect(await reserve(desks, home, 'h1', 301)).toMatchObject(refused);
  expect(await reserve(desks, await begun(desks, HOME, 2), 'h2', 200)).toMatchObject(granted);
  expect(await reserve(desks, away, 'a2', 101)).toMatchObject(refused);
  expect(desks.violations()).toEqual([]);
});

test('a call that does not fit whole makes do with less only when the home has no more to give', async () => {
  const desks = new Desks();
  await setTenantBudget({ sender: desks.sender, shards: SHARDS, newId: () => 'id' }, TENANT, 1000);
  const ask = async (shard: number, number: number, maxCostMicros: number) => {
    const held = { runId: await begun(desks, shard, number), taskId: 'a', attempt: 1, workerId: 'w1' };
    const call = reservation('x', { maxCostMicros, minCostMicros: 100 });
    return desks.send({ type: 'RecordCalls', id: `x${number}`, ...held, settle: [], reserve: [call] });
  };
  expect(await ask(AWAY, 1, 600)).toEqual(expect.objectContaining({ result: { grants: [{ key: expect.any(String), grant: 'granted' }] } }));
  const less = { result: { grants: [{ grant: 'granted', maxCostMicros: expect.any(Number) }] } };
  expect(await ask(AWAY, 2, 900)).toMatchObject(less);
  expect(await ask(HOME, 3, 900)).toMatchObject(less);
  expect(desks.violations()).toEqual([]);
});

test('a shard that spends from an allowance knows whether there is a cap: a model without a price may be called where there is none', async () => {
  const desks = new Desks();
  const around = { sender: desks.sender, shards: SHARDS, newId: () => 'id' };
  const priceless = async (shard: number, number: number) => {
    const runId = await begun(desks, shard, number);
    const held = { runId, taskId: 'a', attempt: 1, workerId: 'w1' };
    const call = reservation('x', { unpriced: true, maxCostMicros: 0 });
    return desks.send({ type: 'RecordCalls', id: `x${number}`, ...held, settle: [], reserve: [call] });
  };
  const unpriced = { outcome: 'accepted', result: { ended: { code: 'model-unpriced' } } };
  expect(await Promise.all([priceless(HOME, 1), priceless(AWAY, 2)])).toMatchObject([granted, granted]);
  await setTenantBudget(around, TENANT, 1000);
  expect(await Promise.all([priceless(HOME, 3), priceless(AWAY, 4)])).toMatchObject([unpriced, unpriced]);
  await setTenantBudget(around, TENANT, null);
  expect(await Promise.all([priceless(HOME, 5), priceless(AWAY, 6)])).toMatchObject([granted, granted]);
  expect(desks.violations()).toEqual([]);
});

test('the state is the fold of the blocks', async () => {
  const desks = new Desks();
  await setTenantBudget({ sender: desks.sender, shards: SHARDS, newId: () => 'id' }, TENANT, 1000);
  await reserve(desks, await begun(desks, AWAY), 'a1', 300);
  for (const shard of [HOME, AWAY]) {
    let state = emptyShard();
    for (const { block } of desks.blocks[shard]!) state = foldBlock(state, block);
    expect(state).toEqual(desks.desks[shard]!.state);
  }
});

test('a decision that comes without its draft is folded', () => {
  const start = { ...startBody([task('a')]), id: 's', runId: makeRunId(0, '00000000-0000-7000-8000-000000000001') } as Command;
  const undrafted: DecideInShard = (...given) => withoutDraft(decideInShard(...given));
  const states = [decideInShard, undrafted].map((decide) => {
    const desk = new ShardDesk({ shard: 0, shards: 1, now: () => 1000, random: () => 0, decide }, emptyShard());
    expect(desk.decide(start, new BlockDraft())).toMatchObject({ outcome: 'accepted' });
    return desk.state;
  });
  expect(Object.keys(states[1]!.open)).toEqual([start.runId]);
  expect(states[1]).toEqual(states[0]);
});

test('a block holds no account after its first commit of a run', () => {
  const desks = new Desks();
  const draft = new BlockDraft();
  const runId = makeRunId(HOME, '00000000-0000-7000-8000-000000000001');
  const set: AccountCommand = { type: 'SetTenantBudget', id: 'x', shard: HOME, tenant: TENANT, capMicros: 5 };
  expect(desks.desks[HOME]!.decide({ ...startBody([task('a')]), id: 's', runId } as Command, draft)).toMatchObject({ outcome: 'accepted' });
  expect(desks.desks[HOME]!.decide(set, draft)).toBe('later');
});

test('a planted breach of the cap is found', async () => {
  const desks = new Desks();
  await setTenantBudget({ sender: desks.sender, shards: SHARDS, newId: () => 'id' }, TENANT, 1000);
  await reserve(desks, await begun(desks, AWAY), 'a1', 300);
  const reserving = desks.blocks[AWAY]!.flatMap(({ block }) => block.commits.flatMap((commit) => commit.events));
  for (const event of reserving) if (event.type === 'CallsReserved') event.calls[0]!.maxCostMicros = 1001;
  expect(desks.violations()).toMatchObject([{ invariant: 6, clause: 'tenant-cap' }]);
});
