/** Ways to combine that are code: an agent for each, to be named by scopes with `combine: {by: custom}` and by aggregations. */
import { readText } from '@cadre/agents';
import { placeOf, type AgentDefinition, type ArtifactRef, type Json } from '@cadre/contracts';
import type { z } from 'zod';
import type { CodePerformer, CodeWork } from './code-agent.js';

/** What one item of the scope, or one run of the aggregation, has brought. */
export interface ReducedResult {
  /** Number of the item, from 0. */
  item: number;
  /** Of its task; in an aggregation the id of the run. */
  name: string;
  title: string;
  agent?: string;
  /** Left out: nobody has said how sure it is. */
  confidence?: number;
  /** The whole answer, however long. */
  text: string;
  /** The answer as data where it is JSON, else its text. */
  value: Json;
  artifacts: ArtifactRef[];
}

/**
 * Makes one result of those that counted, in the order of their items. The same results have to come to the same. An error fails the
 * attempt, which is tried again as the task says.
 * @returns `confidence`: default the mean of those that the results have
 */
export type Reducer = (results: ReducedResult[], work: CodeWork) => Reduced | Promise<Reduced>;
export interface Reduced {
  value: Json;
  confidence?: number;
}

/** Agents that are code: what a worker says of them, and by name what they do. */
export interface ReducerAgents {
  agents: z.input<typeof AgentDefinition>[];
  performers: Record<string, CodePerformer>;
}

/** @param reducers by the names under which plans ask for them */
export function reducerAgents(reducers: Record<string, Reducer>): ReducerAgents {
  const names = Object.keys(reducers);
  return {
    agents: names.map((name) => ({
      ...{ name, description: `Combines results: ${name}.`, skills: ['reducing'], instructions: 'None: this agent is code.', tools: [] },
    })),
    performers: Object.fromEntries(Object.entries(reducers).map(([name, reduce]) => [name, performerOf(reduce)])),
  };
}

function performerOf(reduce: Reducer): CodePerformer {
  return async (work) => {
    const results = await resultsOf(work);
    const { value, confidence = meanOf(results) } = await reduce(results, work);
    return { answer: typeof value === 'string' ? value : JSON.stringify(value), ...(confidence !== undefined && { confidence }) };
  };
}

function meanOf(results: readonly ReducedResult[]): number | undefined {
  const known = results.flatMap(({ confidence }) => (confidence === undefined ? [] : [confidence]));
  return known.length === 0 ? undefined : known.reduce((sum, confidence) => sum + confidence, 0) / known.length;
}

/** Of the items alone: the assignment also shows what the scope depends on. */
async function resultsOf({ assignment, blobs }: CodeWork): Promise<ReducedResult[]> {
  const results: ReducedResult[] = [];
  for (const { taskId, title, agent, status, answer, confidence, artifacts } of assignment.results) {
    const place = placeOf(taskId);
    if (place?.scope !== assignment.taskId || status !== 'completed' || answer === undefined) continue;
    const text = await readText(answer, blobs);
    const made = { item: place.item, name: place.name, title, text, value: dataOf(text), artifacts };
    results.push({ ...made, ...(confidence !== undefined && { confidence }), ...(agent !== undefined && { agent }) });
  }
  return results.sort((a, b) => a.item - b.item);
}

function dataOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
