/** What makes two tasks ask the same of the same agent. */
import type { AgentDefinition, ArtifactRef, Assignment, Content, Json, TaskId, TaskOutcome } from '@cadre/contracts';
import { canonicalJson } from './canonical.js';
import { systemText } from './conversation.js';

/** Of the parts and their order below: another one, and what was kept before is not found any more. */
const VERSION = 1;

/**
 * All that an agent is told and all of its definition that decides on what it does; what names the run, the attempt and its time is left
 * out. An item of a list keeps its result when it moves: of the ids of tasks within scopes the numbers are left out.
 * @param setting what else of the worker decides on results
 * @param digest of a text, the same in every process
 */
export function cacheKey(assignment: Assignment, agent: AgentDefinition, setting: string, digest: (text: string) => string): string {
  const {
    tenant,
    kind,
    taskId,
    goal,
    title,
    instructions,
    input,
    inputs,
    results,
    tools,
    model,
    previousError,
    resultSchema,
    peers,
    shares,
  } = assignment;
  const asked = [kind, nameOf(taskId), goal, title, instructions, input ?? null, previousError ?? null];
  const given = [inputs.map(fileOf), results.map(outcomeOf)];
  // Tasks without wishes keep their keys.
  const wishes = [resultSchema ?? null, peers ?? null, shares ?? null];
  const form = wishes.every((wish) => wish === null) ? [] : wishes;
  return digest(
    canonicalJson([VERSION, tenant, definitionOf(agent, assignment), setting, model ?? null, [...tools].sort(), asked, given, ...form]),
  );
}

function definitionOf(agent: AgentDefinition, assignment: Assignment): Json {
  const { name, tools, restsOn, model, fallbackModels, underLoad, temperature, limits, thinking, batch } = agent;
  const { maxSteps, maxTokens, maxMs, maxCostMicros, maxOutputTokens } = limits;
  const text = systemText(agent, assignment);
  const models = [model ?? null, fallbackModels, underLoad ? underLoadOf(underLoad) : null, temperature];
  // What the text does not tell. Agents that neither think nor batch keep their keys.
  const thought: Json[] = thinking ? [[thinking.reflect, thinking.effort ?? null]] : [];
  const together: Json[] = batch ? [['batch', batch.maxTasks, batch.waitMs]] : [];
  const rest: Json[] = restsOn ? [['restsOn', ...[...restsOn].sort()]] : [];
  const written: Json[] = maxOutputTokens === undefined ? [] : [['output', maxOutputTokens]];
  return [
    name,
    text,
    [...tools].sort(),
    models,
    [maxSteps, maxTokens, maxMs ?? null, maxCostMicros ?? null],
    ...thought,
    ...together,
    ...rest,
    ...written,
  ];
}

/** Of one that names a model alone the key is what it was before less thought could be said. */
function underLoadOf({ waitMs, model, effort, reflect, alternatives }: NonNullable<AgentDefinition['underLoad']>): Json[] {
  const less = [effort ?? null, reflect ?? null, alternatives ?? null];
  return [waitMs ?? null, model ?? null, ...(less.every((given) => given === null) ? [] : [less])];
}

function nameOf(taskId: TaskId): string {
  return taskId.replace(/~\d+~/g, '~');
}

function fileOf({ name, sha256, size, mediaType }: ArtifactRef): Json {
  return [name, sha256, size, mediaType];
}

function contentOf(content: Content): Json {
  return 'text' in content ? ['text', content.text] : ['ref', content.ref.sha256];
}

function outcomeOf({ taskId, title, agent, status, answer, confidence, artifacts, error }: TaskOutcome): Json {
  const brought = [answer === undefined ? null : contentOf(answer), confidence ?? null, artifacts.map(fileOf)];
  return [nameOf(taskId), title, agent ?? null, status, brought, error ?? null];
}
