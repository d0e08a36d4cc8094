import type { AgentSummary, Plan, TaskSpec } from '@cadre/contracts';

/** Tasks that no agent of the catalogue could take, those within scopes included; they would wait for ever. */
export function unstaffed(plan: Plan, catalogue: readonly AgentSummary[]): string[] {
  const byName = new Map(catalogue.map((agent) => [agent.name, agent]));
  return plan.tasks.flatMap((task) => faultsOf(task, byName, catalogue));
}

function faultsOf(task: TaskSpec, byName: ReadonlyMap<string, AgentSummary>, catalogue: readonly AgentSummary[]): string[] {
  const within = (task.scope?.body ?? []).flatMap((each) => faultsOf(each, byName, catalogue).map((fault) => `In ${task.id}: ${fault}`));
  // The engine does it, or whoever an expression names.
  if (task.wait || task.given || task.agentFrom !== undefined || (task.scope && task.scope.combine.by !== 'custom')) return within;
  const unknown = [task.agent, ...task.fallbackAgents].filter((name) => name !== undefined && !byName.has(name));
  if (unknown.length > 0) return [...within, `Task ${task.id} names unknown agents: ${unknown.join(', ')}.`];
  const able = catalogue.filter((agent) => task.agent === undefined || agent.name === task.agent);
  if (able.some((agent) => task.skills.every((skill) => agent.skills.includes(skill)))) return within;
  return [...within, `No agent of the catalogue has all skills of task ${task.id} (${task.skills.join(', ')}).`];
}
