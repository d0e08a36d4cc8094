/** The MCP servers of a worker, as its operator declared them. */
import type { AddedGrants } from '@cadre/agents';
import { CadreError, agentFaults } from '@cadre/contracts';
import type { AgentDefinition, McpServerState } from '@cadre/contracts';
import type { McpTools } from '@cadre/mcp';
import type { ServiceContext } from '@cadre/service-kit';
import type { WorkerConfig } from './worker.config.js';

/** Undefined: none is declared. Errors: `mcp-servers-invalid`, `mcp-pins-invalid`, `agent-invalid`. */
export async function openMcp(
  context: ServiceContext<WorkerConfig>,
  worker: { specialty: string; agents: readonly AgentDefinition[] },
  env: NodeJS.ProcessEnv,
): Promise<McpTools | undefined> {
  const setting = context.config.CADRE_MCP_SERVERS;
  if (setting === undefined) return undefined;
  // The client is large, and most workers do without.
  const { McpTools } = await import('@cadre/mcp');
  const mcp = new McpTools({ setting, folder: process.cwd(), env, specialty: worker.specialty, log: context.log });
  refuseFaults(worker.agents, mcp);
  return mcp;
}

/** For heartbeats. */
export function statesOf(mcp: McpTools): McpServerState[] {
  return mcp.states().map(({ server, state, trouble, tools, withheld }) => ({
    ...{ server, state, tools },
    ...(trouble !== undefined && { trouble: trouble.slice(0, 300).toWellFormed() }),
    ...(withheld.length > 0 && { withheld: withheld.map(({ tool }) => tool) }),
  }));
}

/** An agent that cannot have tools is not to be granted some. */
function refuseFaults(agents: readonly AgentDefinition[], added: AddedGrants): void {
  for (const agent of agents) {
    const tools = added.forAgent(agent.name);
    const [fault] = tools.length > 0 ? agentFaults({ ...agent, tools: [...agent.tools, ...tools] }) : [];
    if (fault === undefined) continue;
    throw new CadreError('agent-invalid', `CADRE_MCP_SERVERS grants tools to the agent ${agent.name}, which cannot have them: ${fault}`);
  }
}
