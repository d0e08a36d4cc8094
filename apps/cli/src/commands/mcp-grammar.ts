/** The grammar of `cadre mcp`. What it does is loaded when it is asked for: the client of MCP is large. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.js';
import { outputOption, type Finish } from '../usual-options.js';
import type { McpFlags } from './mcp-command.js';

const FILE = ['-f, --file <file>', 'what is declared of MCP servers (default: CADRE_MCP_SERVERS)'] as const;

const commands = () => import('./mcp-command.js');

export function addMcp(program: Command, terminal: Terminal, finish: Finish): void {
  const mcp = program.command('mcp').description('tools of MCP servers: what is declared, what the servers have, what is approved');
  mcp
    .command('check')
    .description('read what is declared, and name every fault; no server is started')
    .option(...FILE)
    .action(async (flags: McpFlags) => finish((await commands()).checkMcp(flags, terminal)));
  mcp
    .command('list [server]')
    .description('ask the servers from here what they have, and show how that stands to what was approved; 1 when something is withheld')
    .option(...FILE)
    .addOption(outputOption())
    .action(async (server: string | undefined, flags: McpFlags) => finish(await (await commands()).listMcp(server, flags, terminal)));
  mcp
    .command('approve <server> [tool...]')
    .description('show what a server says of its tools now, and approve that; workers have it within seconds')
    .option(...FILE)
    .action(async (server: string, tools: string[], flags: McpFlags) =>
      finish(await (await commands()).approveMcp(server, tools, flags, terminal)),
    );
}
