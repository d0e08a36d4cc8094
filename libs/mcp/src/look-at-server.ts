/** A look at a server, for people: what it has, and how that stands to what was approved. */
import { CadreError } from '@cadre/contracts';
import type { ToolEffect } from '@cadre/contracts';
import type { McpServer } from './server-file.js';
import { ServerLine } from './server-line.js';
import { hashOf, whyNotPinned } from './tool-pin.js';
import type { ToldTool, ToolPin } from './tool-pin.js';

/** `new`: never approved. `changed`, `gone`: withheld. `left out`: by allow or deny. `refused`: it cannot be approved. */
export type ToolStanding = 'approved' | 'new' | 'changed' | 'gone' | 'left out' | 'refused';

export interface SeenTool {
  name: string;
  /** How agents call it, once approved. */
  as?: string;
  standing: ToolStanding;
  /** Why it cannot be approved. */
  why?: string;
  effect: ToolEffect;
  hash?: string;
  /** As the server tells it; left out: it is gone. */
  told?: ToldTool;
}

export interface SeenServer {
  server: string;
  tools: SeenTool[];
  /** Of `allow`, `deny` and `effects`: names of no tool that the server has. */
  unknown: string[];
}

/** Opens the server, asks what it has, and closes it. @param said told each line of its stderr. Errors: `mcp-unavailable`. */
export async function lookAtServer(
  name: string,
  server: McpServer,
  pins: Record<string, ToolPin>,
  { env, said = () => undefined }: { env: NodeJS.ProcessEnv; said?: (line: string) => void },
): Promise<SeenServer> {
  const nothing = () => undefined;
  const line = new ServerLine(name, server, env, { told: nothing, opened: nothing, broken: nothing, said });
  try {
    const told = await line.tools(new AbortController().signal);
    return { server: name, tools: standings(server, told, pins), unknown: unknownNames(server, told) };
  } finally {
    await line.close();
  }
}

function standings(server: McpServer, told: ToldTool[], pins: Record<string, ToolPin>): SeenTool[] {
  const effectOf = (name: string) => server.effects[name] ?? server.effect;
  const there = told.map((tool): SeenTool => {
    const [pin, hash, why] = [pins[tool.name], hashOf(tool), whyNotPinned(tool)];
    const standing = isLeftOut(server, tool.name) ? 'left out' : standingOf(pin, hash, why);
    const { name } = tool;
    return { name, standing, effect: effectOf(name), hash, told: tool, ...(pin && { as: pin.as }), ...(why !== undefined && { why }) };
  });
  const gone = Object.entries(pins).filter(([name]) => told.every((tool) => tool.name !== name));
  return [...there, ...gone.map(([name, { as }]): SeenTool => ({ name, as, standing: 'gone', effect: effectOf(name) }))];
}

function standingOf(pin: ToolPin | undefined, hash: string, why: string | undefined): ToolStanding {
  if (why !== undefined) return 'refused';
  if (pin === undefined) return 'new';
  return pin.hash === hash ? 'approved' : 'changed';
}

function isLeftOut({ allow, deny }: McpServer, name: string): boolean {
  return deny.includes(name) || !(allow?.includes(name) ?? true);
}

function unknownNames({ allow = [], deny, effects }: McpServer, told: ToldTool[]): string[] {
  const has = new Set(told.map(({ name }) => name));
  return [...new Set([...allow, ...deny, ...Object.keys(effects)])].filter((name) => !has.has(name));
}

/** Errors: `mcp-server-unknown`. */
export function serverNamed(servers: ReadonlyMap<string, McpServer>, name: string): McpServer {
  const server = servers.get(name);
  if (server) return server;
  const remedy = servers.size > 0 ? `There are: ${[...servers.keys()].join(', ')}.` : 'None is declared.';
  throw new CadreError('mcp-server-unknown', `No MCP server ${name} is declared.`, { remedy });
}
