/** The tools by which an agent asks others, gives them tasks or hands its own task over; and the same for agents that are code. */
import { CadreError, TOOLS, TaskSpec } from '@cadre/contracts';
import type { Delegated, DelegatingTool, Delegation, Json, ToolArgs } from '@cadre/contracts';
import type { z } from 'zod';
import type { CallDesk } from './call-desk.js';
import { describeFaults } from './describe-faults.js';
import type { Tool } from './ports.js';

type Peer = { agent?: string | undefined; skills: string[] };

function whom({ agent, skills }: Peer): { agent?: string; skills: string[] } {
  return agent === undefined ? { skills } : { agent, skills: [] };
}

function titleOf(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 120).toWellFormed() || 'Work for another agent';
}

function withInput<T extends object>(rest: T, input: Json | undefined): T & { input?: Json } {
  return input === undefined ? rest : { ...rest, input };
}

/** What the arguments of each tool ask for, as tasks of the run. */
const DELEGATIONS: { [N in DelegatingTool]: (args: ToolArgs<N>) => Delegation } = {
  ask_agent: ({ question, input, ...peer }) => {
    const spec = { id: 'ask', title: titleOf(question), instructions: question, ...whom(peer) };
    return { tasks: [TaskSpec.parse(withInput(spec, input))] };
  },
  delegate: ({ tasks }) => ({
    tasks: tasks.map(({ id, title, instructions, input, dependsOn, ...peer }) => {
      const spec = { id, title: title ?? titleOf(instructions), instructions, dependsOn, ...whom(peer) };
      return TaskSpec.parse(withInput(spec, input));
    }),
  }),
  hand_off: ({ instructions, input, ...peer }) => {
    const spec = { id: 'heir', title: titleOf(instructions), instructions, ...whom(peer) };
    return { tasks: [TaskSpec.parse(withInput(spec, input))], handOff: true };
  },
};

function delegatingTool<N extends DelegatingTool>(name: N, calls: CallDesk): Tool {
  const { description, args } = TOOLS[name];
  return {
    name,
    description,
    parameters: args as z.ZodType<unknown>,
    // On the world there is none: the tasks are the engine's, and a call that is repeated finds what came of them.
    effect: 'none',
    run: (given, { key }) => calls.delegate(key, DELEGATIONS[name](given as ToolArgs<N>)),
  };
}

/** @param calls of the attempt that they are for */
export function delegatingTools(calls: CallDesk): Tool[] {
  return (Object.keys(DELEGATIONS) as DelegatingTool[]).map((name) => delegatingTool(name, calls));
}

/**
 * For agents that are code: gives work to other agents, as the tool of that name does, which must be granted. The attempt ends with it, and
 * the code runs anew when the work has ended; then this resolves. Errors: `invalid-arguments`, and those of `CallDesk.call`. A refusal
 * resolves to `{error}`.
 */
export async function delegateWork<N extends DelegatingTool>(
  calls: CallDesk,
  name: N,
  args: z.input<(typeof TOOLS)[N]['args']>,
): Promise<Delegated | { error: string }> {
  const parsed = TOOLS[name].args.safeParse(args);
  if (!parsed.success) throw new CadreError('invalid-arguments', `The arguments of ${name} are wrong. ${describeFaults(parsed.error)}`);
  const delegation = DELEGATIONS[name](parsed.data as ToolArgs<N>);
  return calls.call({ name, input: args as Json, run: ({ key }) => calls.delegate(key, delegation) });
}
