/**
 * Accounts of tenants. The cap of a tenant is kept by one shard, its home. Every other shard spends from an allowance that the home has
 * granted to it and has already subtracted from what is left; so no run waits for two logs to agree, and the cap holds over all shards
 * together. What a shard has drawn and what it has given back are two sums that only grow: a message that is lost, repeated or late changes
 * nothing.
 */
import { z } from 'zod';
import { TenantId } from './ids.js';
import { Micros, Timestamp } from './values.js';

const shard = z.int().min(0).max(99);
const command = { id: z.string().min(1).max(80), shard, tenant: TenantId };

/** To the home: the tenant's cap over all its runs; null: none. Answered with the `GrantedAllowances`. */
export const SetTenantBudget = z.strictObject({ type: z.literal('SetTenantBudget'), ...command, capMicros: Micros.nullable() });
export type SetTenantBudget = z.infer<typeof SetTenantBudget>;

/**
 * To the home: another shard needs at least so much more than the sum that it has been credited with so far. Answered with a
 * `DrawnAllowance`; rejected `budget-exceeded` when it is not there.
 */
export const DrawAllowance = z.strictObject({
  type: z.literal('DrawAllowance'),
  ...command,
  drawer: shard,
  creditedMicros: Micros,
  needMicros: Micros,
});
export type DrawAllowance = z.infer<typeof DrawAllowance>;

/** To the drawer: the sum of all that the home has granted to it. */
export const CreditAllowance = z.strictObject({ type: z.literal('CreditAllowance'), ...command, drawnMicros: Micros });
export type CreditAllowance = z.infer<typeof CreditAllowance>;

/**
 * To a drawer: give back what is not spent or reserved. `capped`: whether the tenant has a cap from now on. Answered with a
 * `ReturnedAllowance`.
 */
export const ReturnAllowance = z.strictObject({ type: z.literal('ReturnAllowance'), ...command, capped: z.boolean().optional() });
export type ReturnAllowance = z.infer<typeof ReturnAllowance>;

/** To the home: the sum of all that a drawer has given back. */
export const RestoreAllowance = z.strictObject({ type: z.literal('RestoreAllowance'), ...command, drawer: shard, returnedMicros: Micros });
export type RestoreAllowance = z.infer<typeof RestoreAllowance>;

export const AccountCommand = z.discriminatedUnion('type', [
  SetTenantBudget,
  DrawAllowance,
  CreditAllowance,
  ReturnAllowance,
  RestoreAllowance,
]);
export type AccountCommand = z.infer<typeof AccountCommand>;

/** Result of a `SetTenantBudget`: by shard, the sum of all that the home has granted to it. */
export const GrantedAllowances = z.strictObject({ drawnMicros: z.record(z.string(), Micros) });
export type GrantedAllowances = z.infer<typeof GrantedAllowances>;

/** Result of a `DrawAllowance`: the sum of all that the home has granted to this shard. */
export const DrawnAllowance = z.strictObject({ drawnMicros: Micros });
export type DrawnAllowance = z.infer<typeof DrawnAllowance>;

/** Result of a `ReturnAllowance`: the sum of all that this shard has given back. */
export const ReturnedAllowance = z.strictObject({ returnedMicros: Micros });
export type ReturnedAllowance = z.infer<typeof ReturnedAllowance>;

/** In the home's log. */
export const BudgetSet = z.strictObject({ type: z.literal('BudgetSet'), capMicros: Micros.nullable() });
export const AllowanceGranted = z.strictObject({ type: z.literal('AllowanceGranted'), drawer: shard, drawnMicros: Micros });
export const AllowanceRestored = z.strictObject({ type: z.literal('AllowanceRestored'), drawer: shard, returnedMicros: Micros });
/** In a drawer's log. */
export const AllowanceCredited = z.strictObject({ type: z.literal('AllowanceCredited'), drawnMicros: Micros });
export const AllowanceReturned = z.strictObject({
  type: z.literal('AllowanceReturned'),
  returnedMicros: Micros,
  capped: z.boolean().optional(),
});

export const AccountEvent = z.discriminatedUnion('type', [
  BudgetSet,
  AllowanceGranted,
  AllowanceRestored,
  AllowanceCredited,
  AllowanceReturned,
]);
export type AccountEvent = z.infer<typeof AccountEvent>;

/** All events of one decision about a tenant's account. `seq` counts the account's commits in this shard from 1. */
export const AccountCommit = z.strictObject({
  tenant: TenantId,
  seq: z.int().min(1),
  at: Timestamp,
  cause: z.string(),
  events: z.array(AccountEvent).min(1),
});
export type AccountCommit = z.infer<typeof AccountCommit>;

/** What a tenant may spend, and has spent: `GET /v1/tenants/{tenant}/budget`. */
export const TenantBudgetView = z.strictObject({
  tenant: TenantId,
  capMicros: Micros.nullable(),
  settledMicros: Micros,
  reservedMicros: Micros,
});
export type TenantBudgetView = z.infer<typeof TenantBudgetView>;

/** Body of `PUT /v1/tenants/{tenant}/budget`; null takes the cap away. */
export const TenantBudgetRequest = z.strictObject({ capMicros: Micros.nullable() });
export type TenantBudgetRequest = z.infer<typeof TenantBudgetRequest>;
