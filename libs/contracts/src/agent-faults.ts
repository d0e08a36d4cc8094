/** What is wrong with a definition although each of its fields is as it should be. */
import type { AgentDefinition } from './agents.js';
import type { AgentName } from './ids.js';
import { ReasoningEffort } from './thinking.js';
import type { QueueRelief, UnderLoad } from './under-load.js';

const EFFORTS = ReasoningEffort.options;
/** What servers take who are told no effort. */
const USUAL_EFFORT: ReasoningEffort = 'medium';

/** One sentence for each fault; none: the agent can be hosted. @param doneBy who does its work */
export function agentFaults(agent: AgentDefinition, doneBy: 'model' | 'code' = 'model'): string[] {
  const { batch, memory, tools } = agent;
  const batched = batch && doneBy === 'model' && tools.length > 0;
  return [
    ...underLoadFaults(agent),
    ...restsOnFaults(agent),
    ...(agent.restsOn && doneBy === 'code' ? ['restsOn is for agents that a model plays; code knows what it has called.'] : []),
    ...(memory && doneBy === 'code' ? ['only agents that a model plays have a memory; code has the context store.'] : []),
    ...(batched ? ['batch is for agents without tools: one call for several tasks cannot call the tools of one of them.'] : []),
  ];
}

/** The tools that results are said to rest on although the agent cannot call them. */
export function restsOnFaults({ restsOn = [], tools }: Pick<AgentDefinition, 'restsOn' | 'tools'>): string[] {
  const without = restsOn.filter((tool) => !tools.includes(tool));
  return without.length === 0 ? [] : [`restsOn names what is not among the agent's tools: ${without.join(', ')}.`];
}

const NOTHING_GIVEN_UP = 'underLoad gives nothing up; name a cheaper model, a lower effort, or less to reflect or fewer alternatives.';
const NOBODY_INSTEAD = 'underLoad.queueMs changes nothing; name the agent that then does the tasks, a cheaper model, or a lower effort.';

/** Whether anything is left out of what the agent does itself. */
function doesLess({ waitMs: _waitMs, queueMs: _queueMs, agent: _agent, ...given }: UnderLoad): boolean {
  return Object.values(given).some((each) => each !== undefined);
}

/** What the scheduler is told of it; undefined: it says nothing of tasks that wait for a slot. */
export function queueReliefOf({ underLoad }: Pick<AgentDefinition, 'underLoad'>): QueueRelief | undefined {
  if (underLoad?.queueMs === undefined) return undefined;
  const { queueMs, agent } = underLoad;
  return { queueMs, ...(agent !== undefined && { agent }), ...(doesLess(underLoad) && { less: true as const }) };
}

/** Why it makes no sense, as far as that can be said without the rest of the definition. @param name of the agent */
export function underLoadFault(underLoad: UnderLoad, name: AgentName): string | undefined {
  const { waitMs, queueMs, agent } = underLoad;
  if (agent === name) return 'underLoad.agent is the agent itself; name another one.';
  if (agent !== undefined && queueMs === undefined)
    return 'underLoad.agent needs queueMs: how long a task waits for a slot before it does it.';
  if (waitMs === undefined && queueMs === undefined)
    return 'underLoad says no time; set waitMs, how long calls wait for their model server, queueMs, how long tasks wait for a slot, or both.';
  if (doesLess(underLoad)) return undefined;
  if (waitMs !== undefined) return NOTHING_GIVEN_UP;
  return agent === undefined ? NOBODY_INSTEAD : undefined;
}

/** Why it would give up nothing, or less than it says. */
function underLoadFaults({ name, underLoad, model: own, thinking }: AgentDefinition): string[] {
  if (!underLoad) return [];
  const { model, effort, reflect, alternatives } = underLoad;
  const fault = underLoadFault(underLoad, name);
  if (fault !== undefined) return [fault];
  const usual = thinking?.effort ?? USUAL_EFFORT;
  const fewer = (name: 'reflect' | 'alternatives', given: number | undefined): string[] => {
    const wanted = thinking?.[name] ?? 0;
    return given === undefined || given < wanted ? [] : [`underLoad.${name} must be less than the agent's own, which is ${wanted}.`];
  };
  return [
    ...(model !== undefined && model === own ? [`underLoad.model is the agent's own model, ${model}; name a cheaper one.`] : []),
    ...(effort !== undefined && EFFORTS.indexOf(effort) >= EFFORTS.indexOf(usual)
      ? [
          `underLoad.effort must be lower than the agent's own, which is ${usual}${thinking?.effort === undefined ? ' unless it says so' : ''}.`,
        ]
      : []),
    ...fewer('reflect', reflect),
    ...fewer('alternatives', alternatives),
  ];
}
