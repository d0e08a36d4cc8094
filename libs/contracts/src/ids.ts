/**
 * Identifiers. A run id carries its shard (`r00-<uuid>`), so that every sender finds the owner without a lookup.
 * Fresh ids use uuid v7; an id made from an idempotency key uses the key's digest instead.
 */
import { z } from 'zod';

const uuidPattern = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const runIdPattern = new RegExp(`^r[0-9]{2}-${uuidPattern}$`);

export const RunId = z.string().regex(runIdPattern, 'a run id looks like r00-<uuid>');
export type RunId = z.infer<typeof RunId>;

/**
 * A task's name, unique within its run: letters, digits, `-` and `_`, at most 64 characters. A task within a scope is named by the scope,
 * the number of its item and its own name there: `map~3~analyze`. Only the engine makes such names.
 */
export const TaskId = z
  .string()
  .max(240)
  .regex(
    /^[A-Za-z][A-Za-z0-9_-]{0,63}(~(0|[1-9][0-9]{0,4})~[A-Za-z][A-Za-z0-9_-]{0,63}){0,8}$/,
    'a task id starts with a letter and holds letters, digits, - and _ (at most 64)',
  );
export type TaskId = z.infer<typeof TaskId>;

/** The id of a task within an item of a scope. @param item from 0 */
export function childId(scope: TaskId, item: number, name: string): TaskId {
  return `${scope}~${item}~${name}`;
}

/** Where a task stands: in which item of which scope, and its name there. Undefined: in the plan itself. */
export function placeOf(id: TaskId): { scope: TaskId; item: number; name: string } | undefined {
  const end = id.lastIndexOf('~');
  if (end === -1) return undefined;
  const middle = id.lastIndexOf('~', end - 1);
  return { scope: id.slice(0, middle), item: Number(id.slice(middle + 1, end)), name: id.slice(end + 1) };
}

/** A tenant: one NATS subject token. */
export const TenantId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'a tenant is lower-case letters, digits and -, at most 40');
export type TenantId = z.infer<typeof TenantId>;

/** A worker process: one NATS subject token. */
export const WorkerId = z.string().regex(/^[A-Za-z0-9_-]{1,80}$/);
export type WorkerId = z.infer<typeof WorkerId>;

export const AgentName = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'an agent name is lower-case letters, digits and -');
export type AgentName = z.infer<typeof AgentName>;

/** Tasks that the engine adds by itself; a submitted plan may not use these names. */
export const PLAN_TASK = 'plan';
export const ANSWER_TASK = 'answer';

/** @param shard 0 to 99 @param uuid lower-case uuid */
export function makeRunId(shard: number, uuid: string): RunId {
  return `r${shard.toString().padStart(2, '0')}-${uuid}`;
}

/** The shard of a run, 0 to 99. */
export function shardOf(runId: RunId): number {
  return Number(runId.slice(1, 3));
}

/** @param shard 0 to 99, as written in subject and stream names: two digits. */
export function shardName(shard: number): string {
  return shard.toString().padStart(2, '0');
}
