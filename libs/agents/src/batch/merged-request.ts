/**
 * One request for several tasks: what all of them are told is said once, then each one with what it has of its own. The deterministic model
 * server reads the same shapes, so a change here is a change of its input.
 */
import type { Json } from '@cadre/contracts';
import type { ModelMessage, ModelRequest } from '../ports.js';

type JsonObject = { [key: string]: Json };

const PROTOCOL = `

# Several tasks at once
The user message describes several tasks of the run at once: what they have in common, and "tasks", a list of what each has beside that, with its "number". Do each of them by itself, as if it were the only one: what one task says or shows is nothing to another. Where you were told to finish with ONE JSON object, send ONE JSON object that holds such an object for every task, with the task's number: {"answers": [{"task": 1, ...}, {"task": 2, ...}]}.`;

/** Which requests may be asked together: those that differ in their task only. */
export function groupOf(request: ModelRequest): string {
  const { batch, model, temperature, effort, tools, responseSchema, messages } = request;
  return JSON.stringify([batch?.group, model, temperature, effort, tools, responseSchema, messages.slice(0, -1)]);
}

/** What a task adds to a request for several. */
export function ownText({ messages }: ModelRequest): string {
  return messages.at(-1)?.text ?? '';
}

/**
 * @param requests at least two of one group
 * @returns undefined when they are not as this knows them: then each is asked for by itself
 */
export function mergeRequests(requests: readonly ModelRequest[]): ModelRequest | undefined {
  const [first] = requests;
  const [system, ...between] = first?.messages.slice(0, -1) ?? [];
  const tasks = requests.map((request) => readTask(request));
  if (!first || system?.role !== 'system' || !tasks.every((task) => task !== undefined)) return undefined;
  const { shared, own } = partedBy(tasks);
  const user = { ...shared, tasks: own.map((task, place) => ({ number: place + 1, ...task })) };
  const { callKey: _, batch: __, onHeld: ___, responseSchema, ...rest } = first;
  const messages: ModelMessage[] = [{ ...system, text: system.text + PROTOCOL }, ...between, { role: 'user', text: JSON.stringify(user) }];
  return {
    ...rest,
    messages,
    // What is asked for one task is known to be allowed.
    maxOutputTokens: Math.max(...requests.map(({ maxOutputTokens }) => maxOutputTokens)),
    ...(responseSchema && { responseSchema: { name: 'replies', schema: schemaOfAll(responseSchema.schema) } }),
  };
}

function readTask(request: ModelRequest): JsonObject | undefined {
  const last = request.messages.at(-1);
  if (last?.role !== 'user') return undefined;
  try {
    return asObject(JSON.parse(last.text) as Json);
  } catch {
    return undefined;
  }
}

function asObject(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

/** What is the same in all of them, also within a field that is an object in all of them, and what each has of its own. */
function partedBy(objects: readonly JsonObject[], depth = 2): { shared: JsonObject; own: JsonObject[] } {
  const [first = {}] = objects;
  const shared: JsonObject = {};
  const own = objects.map((): JsonObject => ({}));
  const keys = new Set(objects.flatMap((object) => Object.keys(object)));
  for (const key of keys) {
    const inner = objects.map((object) => asObject(object[key]));
    if (objects.every((object) => key in object && JSON.stringify(object[key]) === JSON.stringify(first[key]))) shared[key] = first[key]!;
    else if (depth > 1 && inner.every((object) => object !== undefined)) {
      const parted = partedBy(inner, depth - 1);
      if (Object.keys(parted.shared).length > 0) shared[key] = parted.shared;
      for (const [place, object] of parted.own.entries()) if (Object.keys(object).length > 0) own[place]![key] = object;
    } else for (const [place, object] of objects.entries()) if (key in object) own[place]![key] = object[key]!;
  }
  return { shared, own };
}

function schemaOfAll(schema: JsonObject): JsonObject {
  const properties = { task: { type: 'integer' }, ...asObject(schema['properties']) };
  const required = ['task', ...(Array.isArray(schema['required']) ? schema['required'] : [])];
  return {
    type: 'object',
    properties: { answers: { type: 'array', items: { ...schema, properties, required } } },
    required: ['answers'],
  };
}
