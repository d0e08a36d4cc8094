/** Reads a planner's last message: one JSON object with a plan that can be carried out. */
import type { AgentSummary } from '@cadre/contracts';
import type { FinalReading } from './final-reading.js';
import { isObject, objectsIn } from './loose-json.js';
import type { JsonObject } from './loose-json.js';
import { readPlan } from './planned/read-plan.js';
import { readConfidence } from './stated-confidence.js';

/** @param catalogue the agents that may be counted on; without it skills and names are not checked */
export function readPlanReply(text: string, catalogue: readonly AgentSummary[] | undefined): FinalReading {
  const found = planObject(text);
  if (!found) return { ok: false, fault: 'malformed', why: 'Your message was not one JSON object. Send only {"plan": {"tasks": [...]}}.' };
  const { confidence: stated, ...rest } = found;
  const reading = readPlan(rest, catalogue);
  if (!reading.ok) return { ok: false, fault: 'invalid-plan', why: reading.why };
  const { plan, note } = reading.read;
  const answer =
    note ??
    `A plan of ${plan.tasks.length} ${plan.tasks.length === 1 ? 'task' : 'tasks'}: ${plan.tasks.map((task) => task.title).join(', ')}.`;
  // Planners are not asked how sure they are.
  const confidence = stated === undefined || stated === null ? 1 : readConfidence(stated);
  return {
    ok: true,
    reply: { answer, ...(confidence !== undefined && { confidence }), plan: { plan, ...(note !== undefined && { note }) } },
  };
}

/** The last object of the text that speaks of a plan, else its last one. */
function planObject(text: string): JsonObject | undefined {
  const objects = objectsIn(text).map(({ value }) => value);
  return objects.find(({ plan, tasks }) => isObject(plan) || Array.isArray(plan) || Array.isArray(tasks)) ?? objects[0];
}
