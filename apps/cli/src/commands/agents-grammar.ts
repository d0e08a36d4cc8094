/** The grammar of `cadre agents`. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.js';
import { outputOption, urlOption, type Finish } from '../usual-options.js';
import { defineAgent, getAgent, keepAgent, listAgents, removeAgent, type AgentFlags } from './agents-command.js';

export function addAgents(program: Command, terminal: Terminal, finish: Finish): void {
  const agents = program.command('agents').description('agents and the workers that host them');
  agents
    .command('list')
    .description('who is there and what they can do, and the templates from which agents can be defined')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (flags: AgentFlags) => finish(await listAgents(flags, terminal)));
  agents
    .command('define <file>')
    .description('define an agent, or change one, as a YAML or JSON file says; workers have it at once')
    .addOption(urlOption())
    .action(async (file: string, flags: AgentFlags) => finish(await defineAgent(file, flags, terminal)));
  agents
    .command('keep <run> <name>')
    .description('keep an agent that the plan of a run has made for itself; otherwise it is gone with the run')
    .option('--template <name>', 'from which it is made; without it the one of the agent that it was made of, or assistant')
    .addOption(urlOption())
    .action(async (run: string, name: string, flags: AgentFlags) => finish(await keepAgent(run, name, flags, terminal)));
  agents
    .command('get <name>')
    .description('print the definition of an agent that was defined, as JSON')
    .addOption(urlOption())
    .action(async (name: string, flags: AgentFlags) => finish(await getAgent(name, flags, terminal)));
  agents
    .command('remove <name>')
    .description('remove an agent that was defined; what it has begun is done by others')
    .option('--hand-to <agent>', 'who gets the tasks that ask for it by name; without it they wait')
    .addOption(urlOption())
    .action(async (name: string, flags: AgentFlags) => finish(await removeAgent(name, flags, terminal)));
}
