/**
 * The agent of an attempt as its task wants it: a specialist for this task alone, with what it is to think of. What it may call the log
 * says, not this.
 */
import { Thinking } from '@cadre/contracts';
import type { AgentDefinition, Assignment, TaskThinking } from '@cadre/contracts';

const MOST_DIRECTIVES = 10;

export function agentForTask(agent: AgentDefinition, { specialist, thinking, tools, kind }: Assignment): AgentDefinition {
  if (kind !== 'work' || !(specialist ?? thinking)) return agent;
  const { memory, restsOn, ...base } = agent;
  const thought = thinking ? thinkingOf(agent.thinking, thinking) : agent.thinking;
  const made = { ...base, ...(thought && { thinking: thought }) };
  if (!specialist) return { ...made, ...(memory && { memory }), ...(restsOn && { restsOn }) };
  // What the agent remembers is not the specialist's, and what is not granted to it is no tool of its: its results cannot rest on that
  // either.
  const { instructions, description, skills } = specialist;
  const needed = (restsOn ?? []).filter((tool) => tools.includes(tool));
  const own = { instructions, description, skills, tools: base.tools.filter((tool) => tools.includes(tool)) };
  return { ...made, ...own, ...(needed.length > 0 && { restsOn: needed }) };
}

/** The task's words go first; directives add up, the agent's own before those of the task. */
function thinkingOf(own: Thinking | undefined, wanted: TaskThinking): Thinking {
  const directives = [...new Set([...(own?.directives ?? []), ...(wanted.directives ?? [])])];
  const given = Object.fromEntries(Object.entries(wanted).filter(([, field]) => field !== undefined));
  return Thinking.parse({ ...own, ...given, directives: directives.slice(-MOST_DIRECTIVES) });
}
