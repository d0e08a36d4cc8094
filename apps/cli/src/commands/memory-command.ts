/** `cadre memory get|clear`: what an agent remembers across tasks. */
import type { MemoryView } from '@cadre/contracts';
import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { moment } from '../output/figures.js';
import type { Terminal } from '../terminal.js';
import { outputOption, urlOption, type Finish } from '../usual-options.js';
import { clientFor, parseFormat } from './options.js';

interface MemoryFlags {
  url?: string;
  output?: string;
  run?: string;
}

export function addMemory(program: Command, terminal: Terminal, finish: Finish): void {
  const memory = program.command('memory').description('what agents remember across tasks');
  memory
    .command('get <agent>')
    .description('what it was asked and answered in earlier tasks, and the summary of older ones')
    .option('--run <run>', 'of this run, for an agent whose memory is by run')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (agent: string, flags: MemoryFlags) => finish(await showMemory(agent, flags, terminal)));
  memory
    .command('clear <agent>')
    .description('make it forget')
    .option('--run <run>', 'of this run, for an agent whose memory is by run')
    .addOption(urlOption())
    .action(async (agent: string, flags: MemoryFlags) => finish(await clearMemory(agent, flags, terminal)));
}

async function showMemory(agent: string, { url, output, run }: MemoryFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(output ?? 'text');
  const memory = await clientFor(url, terminal).memory.get(agent, run);
  if (format === 'json') terminal.out(JSON.stringify(memory, null, 2));
  else memoryLines(memory).forEach((line) => terminal.out(line));
  return EXIT.ok;
}

async function clearMemory(agent: string, { url, run }: MemoryFlags, terminal: Terminal): Promise<number> {
  const { messages, summarised } = await clientFor(url, terminal).memory.clear(agent, run);
  terminal.err(`${agent} has forgotten ${messages.length + summarised} messages.`);
  return EXIT.ok;
}

function memoryLines({ agent, tokens, messages, summary, summarised, leftOut, shareWith }: MemoryView): string[] {
  const parts = [`about ${tokens} tokens`, `${messages.length} messages`];
  if (summarised > 0) parts.push(`${summarised} older ones summed up`);
  if (leftOut > 0) parts.push(`${leftOut} left out`);
  return [
    `${agent}: ${parts.join(', ')}`,
    ...(shareWith.length > 0 ? [`Shared with ${shareWith.join(', ')}`] : []),
    ...(summary === undefined ? [] : ['', 'Summary', ...indented(summary)]),
    ...messages.flatMap(({ role, text, taskId, at }) =>
      role === 'user' ? ['', `${moment(at)}  ${taskId}`, ...indented(`Asked: ${text}`)] : indented(`Answered: ${text}`),
    ),
  ];
}

const indented = (text: string): string[] => text.split('\n').map((line) => `  ${line}`);
