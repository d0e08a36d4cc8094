/** What becomes of calls that a worker wants to make. */
import type { CallGrant, CallReservation, TaskId } from '@cadre/contracts';
import type { TaskState } from '../state.js';
import { overstepOf, roomOf } from './caps.js';
import type { Overstep } from './caps.js';
import { CLOSED_BY } from './close-attempt.js';
import type { Closing } from './close-attempt.js';
import type { Draft } from './draft.js';
import { usd } from './questions.js';

/** `refused`: no call of the command may be made, and the attempt is closed so. */
export type Reserved = { grants: CallGrant[]; refused?: undefined } | { refused: Closing };

/** `reserve`: what is set aside for it. */
type Judged = { grant: CallGrant; reserve?: CallReservation } | { overstep: Overstep };

function openGrant(open: Pick<CallReservation, 'try' | 'maxCostMicros'>, wanted: CallReservation): CallGrant {
  const { key } = wanted;
  if (open.try !== wanted.try) return { key, grant: 'retry', try: open.try };
  const isLess = wanted.minCostMicros !== undefined && open.maxCostMicros < wanted.maxCostMicros;
  return { key, grant: 'granted', ...(isLess ? { maxCostMicros: open.maxCostMicros } : {}) };
}

/**
 * What the record says of a call. Only the try that follows the last one is new; every other reservation is a late or repeated message and
 * opens nothing. A call that must happen once and of which nobody knows whether it has is not on record here: its task waits for a person.
 */
function recorded(draft: Draft, taskId: TaskId, reservation: CallReservation): CallGrant | undefined {
  const { key, try: wanted } = reservation;
  const call = draft.call(taskId, key);
  if (!call) return wanted === 1 ? undefined : { key, grant: 'retry', try: 1 };
  switch (call.status) {
    case 'done': {
      const { ok = false, body, files } = call;
      return { key, grant: 'recorded', ok, ...(body === undefined ? {} : { body }), ...(files === undefined ? {} : { files }) };
    }
    case 'open':
      return openGrant(call, reservation);
    default:
      return call.try + 1 === wanted ? undefined : { key, grant: 'retry', try: call.try + 1 };
  }
}

function judge(draft: Draft, task: TaskState, wanted: CallReservation, pendingMicros: number): Judged {
  const { key } = wanted;
  const known = recorded(draft, task.spec.id, wanted);
  if (known) return { grant: known };
  const { degradedTo } = task;
  if (degradedTo !== undefined && wanted.kind === 'model' && wanted.name !== degradedTo) {
    return { grant: { key, grant: 'degrade', model: degradedTo } };
  }
  const overstep = overstepOf(draft, task, wanted, pendingMicros);
  const { minCostMicros: least, ...reserve } = wanted;
  if (!overstep) return { grant: { key, grant: 'granted' }, reserve };
  if (least === undefined || overstep.limit === 'price' || wanted.optional || cheaperFor(draft, task, wanted)) return { overstep };
  const room = roomOf(draft, task, pendingMicros, least);
  if (!room || room.soonMicros < least) return { overstep };
  if (room.micros < least) return { grant: { key, grant: 'later' } };
  const { micros: maxCostMicros } = room;
  return { grant: { key, grant: 'granted', maxCostMicros }, reserve: { ...reserve, maxCostMicros } };
}

/** The model that the run goes on with when a call does not fit, if it has not come to that yet. */
function cheaperFor(draft: Draft, { degradedTo }: TaskState, { kind, name }: CallReservation): string | undefined {
  const { onLimit, degradeTo } = draft.run.options.budget;
  return onLimit === 'degrade' && degradedTo === undefined && kind === 'model' && name !== degradeTo ? degradeTo : undefined;
}

function describe(call: CallReservation, { limit, capMicros, neededMicros, passedMicros }: Overstep, explicit: boolean): string {
  if (limit === 'price') {
    if (explicit) return `The price of model ${call.name} is not known, and the run does not allow models without a price.`;
    const ways = 'Set its price in CADRE_PRICES (0 for a model of your own), or allow models without a price with --allow-unpriced.';
    return `The price of the model ${call.name} is not known, and there is a budget, which cannot be kept without it. ${ways}`;
  }
  if (passedMicros > 0) {
    const passed = limit === 'tenant' ? "the tenant's budget" : `the ${limit}'s cap of ${usd(capMicros)}`;
    return `What is spent and set aside passes ${passed} by ${usd(passedMicros)}, so ${call.name} is not called.`;
  }
  const whose = limit === 'tenant' ? "what is left of the tenant's budget" : `the ${limit}'s cap`;
  return `A call of ${call.name} may cost ${usd(call.maxCostMicros)}, which is ${usd(neededMicros)} beyond ${whose} of ${usd(capMicros)}.`;
}

/** Notes the refusal. @returns how the attempt closes for it, or the cheaper model to go on with */
function refuse(draft: Draft, task: TaskState, call: CallReservation, overstep: Overstep): { model: string } | Closing {
  const { onLimit, unpricedModels } = draft.run.options.budget;
  const { limit, neededMicros } = overstep;
  const { key, kind, name, maxCostMicros } = call;
  const taskId = task.spec.id;
  const noted = { type: 'CallRefused' as const, taskId, attempt: task.attempt, key, kind, name, maxCostMicros, limit };
  const text = describe(call, overstep, unpricedModels === 'refuse');
  if (onLimit === 'ask') {
    draft.emit({ ...noted, then: 'ask' });
    const error = { code: CLOSED_BY.asked, message: `${text} A person is asked.`, retriable: true };
    return { error, counted: false, next: 'resume', question: { limit, neededMicros, text: `${text} May it go on?` } };
  }
  const cheaper = cheaperFor(draft, task, call);
  if (cheaper !== undefined) {
    draft.emit({ ...noted, then: 'degrade', model: cheaper });
    return { model: cheaper };
  }
  draft.emit({ ...noted, then: 'stop' });
  const code = limit === 'price' ? CLOSED_BY.unpriced : CLOSED_BY.budget;
  return { error: { code, message: text, retriable: false }, counted: true, next: 'resume' };
}

/**
 * Reserves what fits, in one event. All or nothing where the attempt is closed for one of them: a reservation that is closed in its own
 * commit would be billed without having been granted.
 */
export function reserveCalls(draft: Draft, taskId: TaskId, wanted: readonly CallReservation[]): Reserved {
  const grants: CallGrant[] = [];
  const calls = new Map<string, CallReservation>();
  let pendingMicros = 0;
  for (const call of wanted) {
    const task = draft.need(taskId);
    const twin = calls.get(call.key);
    const judged: Judged = twin ? { grant: openGrant(twin, call) } : judge(draft, task, call, pendingMicros);
    if ('overstep' in judged && call.optional) {
      grants.push({ key: call.key, grant: 'unaffordable' });
      continue;
    }
    if ('overstep' in judged) {
      const refused = refuse(draft, task, call, judged.overstep);
      if (!('model' in refused)) return { refused };
      grants.push({ key: call.key, grant: 'degrade', model: refused.model });
      continue;
    }
    grants.push(judged.grant);
    if (!judged.reserve) continue;
    calls.set(call.key, judged.reserve);
    pendingMicros += judged.reserve.maxCostMicros;
  }
  const { attempt } = draft.need(taskId);
  if (calls.size > 0) draft.emit({ type: 'CallsReserved', taskId, attempt, calls: [...calls.values()] });
  return { grants };
}
