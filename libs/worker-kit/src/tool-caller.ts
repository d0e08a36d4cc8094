/** Tools of MCP servers, for agents that are code. */
import type { Work } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import type { Json } from '@cadre/contracts';
import type { McpTools } from '@cadre/mcp';
import { keepIn } from './open-workspace.js';
import type { Workspace } from './workspace.js';

export type CallTool = <T extends Json = Json>(name: string, args?: { [key: string]: Json }) => Promise<T>;

export function toolCaller({ assignment, calls }: Work, workspace: () => Promise<Workspace>, mcp: McpTools | undefined): CallTool {
  return async <T extends Json>(name: string, args: { [key: string]: Json } = {}) => {
    const keep = async (file: string, bytes: Uint8Array) => keepIn(await workspace())(file, bytes);
    const [tool] = assignment.tools.includes(name) ? (mcp?.tools([name], keep) ?? []) : [];
    if (!tool) throw new CadreError('tool-not-granted', `The tool ${name} was not granted to this agent, or nobody has approved it.`);
    const parsed = tool.parameters.safeParse(args);
    if (!parsed.success)
      throw new CadreError('tool-arguments-invalid', `The arguments of ${name} are wrong. ${parsed.error.issues[0]?.message}`);
    const { effect } = tool;
    return calls.call<T>({ name, effect, input: args, ofTheMoment: true, run: async (context) => (await tool.run(args, context)) as T });
  };
}
