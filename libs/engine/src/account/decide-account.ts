/**
 * What follows from a command about a tenant's account. What a shard has drawn and what it has given back are sums that only grow, so every
 * command may be repeated or come late: the larger sum holds.
 */
import type {
  AccountCommand,
  AccountEvent,
  CreditAllowance,
  DrawAllowance,
  Json,
  Rejection,
  RestoreAllowance,
  ReturnAllowance,
  SetTenantBudget,
} from '@cadre/contracts';
import { homeRoomMicros, homeShard, newAccount, spentMicros } from './account-state.js';
import type { Account } from './account-state.js';

export type AccountDecision =
  | { outcome: 'accepted'; events: AccountEvent[]; result?: Json }
  | { outcome: 'duplicate'; result?: Json }
  | { outcome: 'rejected'; code: Rejection; message: string };

/** Where there is no cap, a shard draws this much at a time: 1,000 US dollars. */
const UNCAPPED_DRAW_MICROS = 1_000_000_000;
/** Of what is left a draw takes at most this part, so that several shards can draw; but always what it needs. */
const DRAW_PART = 4;

const notHome = (tenant: string): AccountDecision => ({
  outcome: 'rejected',
  code: 'invalid-command',
  message: `Another shard keeps the budget of tenant ${tenant}; do all services have the same CADRE_SHARDS?`,
});

function setBudget(account: Account, { capMicros }: SetTenantBudget): AccountDecision {
  const drawnMicros = Object.fromEntries(Object.entries(account.drawers).map(([shard, drawer]) => [shard, drawer.drawnMicros]));
  const result = { drawnMicros };
  if (account.seq > 0 && account.capMicros === capMicros) return { outcome: 'duplicate', result };
  return { outcome: 'accepted', events: [{ type: 'BudgetSet', capMicros }], result };
}

function drawAllowance(account: Account, command: DrawAllowance): AccountDecision {
  const { drawer, creditedMicros, needMicros, tenant } = command;
  const drawn = account.drawers[drawer]?.drawnMicros ?? 0;
  // Granted before, and not known to have arrived.
  if (drawn > creditedMicros) return { outcome: 'duplicate', result: { drawnMicros: drawn } };
  const room = homeRoomMicros(account);
  if (room !== undefined && room < needMicros) {
    const message = `Tenant ${tenant} has ${Math.max(0, room)} micro-dollars left of its budget; ${needMicros} are needed.`;
    return { outcome: 'rejected', code: 'budget-exceeded', message };
  }
  const wanted = room === undefined ? UNCAPPED_DRAW_MICROS : Math.floor(room / DRAW_PART);
  const drawnMicros = drawn + Math.max(needMicros, wanted);
  return { outcome: 'accepted', events: [{ type: 'AllowanceGranted', drawer, drawnMicros }], result: { drawnMicros } };
}

function creditAllowance(account: Account, { drawnMicros }: CreditAllowance): AccountDecision {
  if (drawnMicros <= account.creditedMicros) return { outcome: 'duplicate' };
  return { outcome: 'accepted', events: [{ type: 'AllowanceCredited', drawnMicros }] };
}

function returnAllowance(account: Account, command: ReturnAllowance): AccountDecision {
  const returnedMicros = Math.max(account.returnedMicros, account.creditedMicros - spentMicros(account));
  const told = command.capped !== undefined && command.capped !== account.capped ? { capped: command.capped } : {};
  if (returnedMicros === account.returnedMicros && !('capped' in told)) return { outcome: 'duplicate', result: { returnedMicros } };
  return { outcome: 'accepted', events: [{ type: 'AllowanceReturned', returnedMicros, ...told }], result: { returnedMicros } };
}

function restoreAllowance(account: Account, { drawer, returnedMicros }: RestoreAllowance): AccountDecision {
  if (returnedMicros <= (account.drawers[drawer]?.returnedMicros ?? 0)) return { outcome: 'duplicate' };
  return { outcome: 'accepted', events: [{ type: 'AllowanceRestored', drawer, returnedMicros }] };
}

/**
 * Decides on a command about an account. Pure.
 * @param account the tenant's account in this shard; undefined: nothing has happened yet
 * @param shards how many shards there are
 */
export function decideAccount(account: Account | undefined, command: AccountCommand, shards: number): AccountDecision {
  const state = account ?? newAccount(command.tenant);
  const isHome = homeShard(command.tenant, shards) === command.shard;
  switch (command.type) {
    case 'SetTenantBudget':
      return isHome ? setBudget(state, command) : notHome(command.tenant);
    case 'DrawAllowance':
      return isHome ? drawAllowance(state, command) : notHome(command.tenant);
    case 'RestoreAllowance':
      return isHome ? restoreAllowance(state, command) : notHome(command.tenant);
    case 'CreditAllowance':
      return creditAllowance(state, command);
    case 'ReturnAllowance':
      return returnAllowance(state, command);
  }
}
