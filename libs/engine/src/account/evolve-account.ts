/** The fold of a tenant's account. Returns a new object; the old one stays as it was. */
import { CadreError } from '@cadre/contracts';
import type { AccountCommit, AccountEvent } from '@cadre/contracts';
import { newAccount } from './account-state.js';
import type { Account, Drawer } from './account-state.js';

const NEW_DRAWER: Drawer = { drawnMicros: 0, returnedMicros: 0 };

function withDrawer(account: Account, shard: number, change: Partial<Drawer>): Account {
  const before = account.drawers[shard] ?? NEW_DRAWER;
  return { ...account, drawers: { ...account.drawers, [shard]: { ...before, ...change } } };
}

function evolveAccount(account: Account, event: AccountEvent): Account {
  switch (event.type) {
    case 'BudgetSet':
      return { ...account, capMicros: event.capMicros };
    case 'AllowanceGranted':
      return withDrawer(account, event.drawer, { drawnMicros: event.drawnMicros });
    case 'AllowanceRestored':
      return withDrawer(account, event.drawer, { returnedMicros: event.returnedMicros });
    case 'AllowanceCredited':
      return { ...account, creditedMicros: event.drawnMicros };
    case 'AllowanceReturned':
      return { ...account, returnedMicros: event.returnedMicros, ...(event.capped !== undefined && { capped: event.capped }) };
  }
}

/** All events of a commit. Error `log-corrupt` when the commit does not follow on the account. */
export function foldAccountCommit(account: Account | undefined, commit: AccountCommit): Account {
  let state = account ?? newAccount(commit.tenant);
  if (commit.seq !== state.seq + 1) {
    throw new CadreError('log-corrupt', `Account ${commit.tenant}: commit ${commit.seq} came where ${state.seq + 1} was due.`, {
      remedy: 'The log was not written by this engine, or was changed; restore it from a copy.',
    });
  }
  for (const event of commit.events) state = evolveAccount(state, event);
  return { ...state, seq: commit.seq };
}
