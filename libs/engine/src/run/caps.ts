/** What a call may cost at most, and which cap it does not fit under. */
import type { CallReservation, SpendLimit } from '@cadre/contracts';
import { NOTHING_SPENT } from '../state.js';
import type { Spent, TaskState } from '../state.js';
import type { Draft } from './draft.js';

export interface Overstep {
  limit: SpendLimit;
  /** The cap with what people have added, and how much more the call would need; for `price` both are zero. */
  capMicros: number;
  neededMicros: number;
  /** How far the cap is passed without the call: a server has billed more than was set aside. */
  passedMicros: number;
}

interface Cap {
  limit: SpendLimit;
  micros: number | undefined;
  spent: Spent;
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

function capsOf(draft: Draft, task: TaskState): Cap[] {
  const { budget } = draft.run.options;
  const { agent } = task;
  const agentCap = agent !== undefined && Object.hasOwn(budget.agentMicros, agent) ? budget.agentMicros[agent] : undefined;
  return [
    { limit: 'run', micros: budget.runMicros, spent: draft.run.spent },
    { limit: 'task', micros: task.spec.budgetMicros ?? budget.taskMicros, spent: task.spent },
    {
      limit: 'agent',
      micros: smaller(agentCap, task.agentCapMicros),
      spent: agent === undefined ? NOTHING_SPENT : draft.agentSpent(agent),
    },
  ];
}

/** Whether the call may not be made because nobody knows what it costs. */
function isPriceMissing(draft: Draft, task: TaskState, call: CallReservation): boolean {
  if (!call.unpriced || task.unpricedAllowed) return false;
  const { unpricedModels } = draft.run.options.budget;
  if (unpricedModels !== 'if-uncapped') return unpricedModels === 'refuse';
  const { tenantRoomMicros, tenantCapped = tenantRoomMicros !== undefined } = draft.context;
  return tenantCapped || capsOf(draft, task).some(({ micros }) => micros !== undefined);
}

/**
 * The first cap under which the call does not fit beside what has been spent and set aside; undefined: it may be made.
 * @param pendingMicros of calls that the same decision is about to reserve for the task
 */
export function overstepOf(draft: Draft, task: TaskState, call: CallReservation, pendingMicros: number): Overstep | undefined {
  if (isPriceMissing(draft, task, call)) return { limit: 'price', capMicros: 0, neededMicros: 0, passedMicros: 0 };
  const wantedMicros = pendingMicros + call.maxCostMicros;
  for (const { limit, micros, spent } of capsOf(draft, task)) {
    if (micros === undefined) continue;
    const capMicros = micros + (spent.raisedMicros ?? 0);
    const beyondMicros = spent.settledMicros + spent.reservedMicros - capMicros;
    const neededMicros = beyondMicros + wantedMicros;
    if (neededMicros > 0) return { limit, capMicros, neededMicros, passedMicros: Math.max(0, beyondMicros) };
  }
  const room = draft.context.tenantRoomMicros;
  if (room === undefined) return undefined;
  const beyondMicros = draft.boundMicros() - room;
  const neededMicros = beyondMicros + wantedMicros;
  return neededMicros > 0 ? { limit: 'tenant', capMicros: room, neededMicros, passedMicros: Math.max(0, beyondMicros) } : undefined;
}

/** What a call may cost under every cap that applies. */
export interface Room {
  micros: number;
  /** What it will be when all that is set aside has been given back: at the most so much. */
  soonMicros: number;
}

/**
 * @param pendingMicros as in `overstepOf`
 * @param leastMicros what the call takes at the least
 * @returns undefined: more of the tenant's money may be on its way
 */
export function roomOf(draft: Draft, task: TaskState, pendingMicros: number, leastMicros: number): Room | undefined {
  const room: Room = { micros: Infinity, soonMicros: Infinity };
  for (const { micros, spent } of capsOf(draft, task)) {
    if (micros === undefined) continue;
    const soon = micros + (spent.raisedMicros ?? 0) - spent.settledMicros - pendingMicros;
    room.micros = Math.min(room.micros, soon - spent.reservedMicros);
    room.soonMicros = Math.min(room.soonMicros, soon);
  }
  const { tenantRoomMicros, tenantMayDraw } = draft.context;
  if (tenantRoomMicros === undefined) return room;
  const left = tenantRoomMicros - draft.boundMicros() - pendingMicros;
  if (tenantMayDraw && left < room.micros) return undefined;
  // Other runs spend from it, too: one that makes do with less leaves them as much again.
  const share = left < room.micros ? Math.max(Math.floor(left / 2), Math.min(left, leastMicros)) : left;
  return { micros: Math.min(room.micros, share), soonMicros: Math.min(room.soonMicros, share) };
}

/** The cap of that name, without what people have added; 0 when there is none. */
export function capMicros(draft: Draft, task: TaskState, limit: SpendLimit): number {
  return capsOf(draft, task).find((cap) => cap.limit === limit)?.micros ?? 0;
}
