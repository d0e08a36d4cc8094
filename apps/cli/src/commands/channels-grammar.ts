/** The grammar of `cadre channels`. */
import type { Command, Option } from 'commander';
import type { Terminal } from '../terminal.js';
import {
  createChannel,
  type CreateFlags,
  listChannels,
  listenToChannel,
  type ListenFlags,
  type MessageFlags,
  removeChannel,
  requestReply,
  sendMessage,
} from './channels-command.js';
import { gather, parseWhole } from './options.js';

export interface GrammarParts {
  terminal: Terminal;
  finish: (code: number) => void;
  urlOption: () => Option;
  outputOption: () => Option;
}

export function addChannels(program: Command, parts: GrammarParts): void {
  const channels = program.command('channels').description('channels in which agents and people tell each other things');
  addDefinitions(channels, parts);
  addMessages(channels, parts);
}

function addDefinitions(channels: Command, { terminal, finish, urlOption, outputOption }: GrammarParts): void {
  channels
    .command('list')
    .description('all of them, with their members')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (flags: { url?: string; output?: string }) => finish(await listChannels(flags, terminal)));
  channels
    .command('create <name>')
    .description('make a channel, or change one: all but its kind and whether it is durable')
    .requiredOption('--kind <kind>', 'who gets a message: direct, multicast, broadcast or topic')
    .option('--durable', 'keep messages, so that they can be read later')
    .option('--member <name=right>', "who may: name=send, =receive or =both, '*' is everybody (the default); may be repeated", gather)
    .option('--schema <file>', 'what the data of a message must be, as JSON Schema')
    .option('--check <expression>', 'what must hold for a message to be taken, over message')
    .option('--max-messages <n>', 'how many are kept (default 1000)', parseWhole('--max-messages', 1, 10_000))
    .option('--max-bytes <n>', 'longest data of a message (default 65536)', parseWhole('--max-bytes', 1, 65_536))
    .option('--max-age <time>', 'how long a message is kept (default 7d)')
    .option('--description <text>', 'what it is for')
    .addOption(urlOption())
    .action(async (name: string, flags: CreateFlags) => finish(await createChannel(name, flags, terminal)));
  channels
    .command('remove <name>')
    .description('remove a channel, with the messages that it keeps')
    .addOption(urlOption())
    .action(async (name: string, flags: { url?: string }) => finish(await removeChannel(name, flags, terminal)));
}

function addMessages(channels: Command, { terminal, finish, urlOption, outputOption }: GrammarParts): void {
  const message = (command: Command): Command =>
    command
      .option('--data <json>', 'what it says')
      .option('--from <name>', 'who sends it (default: cli)')
      .option('--to <name>', 'who gets it, in direct and multicast channels; may be repeated', gather)
      .option('--audience <expression>', 'who of the others gets it, over subscriber')
      .option('--reply-to <channel>', 'where a reply is looked for, if not in the same channel')
      .option('--id <id>', 'in a durable channel the same id again is the same message (default: a new one)')
      .addOption(urlOption());
  message(channels.command('send <name> <type>').description('send a message'))
    .option('--answers <id>', 'the message that it answers')
    .action(async (name: string, type: string, flags: MessageFlags) => finish(await sendMessage(name, type, flags, terminal)));
  message(channels.command('request <name> <type>').description('send a message and print the first reply'))
    .option('--timeout <time>', 'how long to wait, at most 60s (default 10s)')
    .addOption(outputOption())
    .action(async (name: string, type: string, flags: MessageFlags) => finish(await requestReply(name, type, flags, terminal)));
  channels
    .command('listen <name>')
    .description('print messages until Ctrl-C; with -o json one per line')
    .option('--as <name>', 'who listens (default: cli)')
    .option('--types <patterns>', 'with commas between them; * is any word, > the rest')
    .option('--where <expression>', 'which messages, over message')
    .option('--after <position>', 'of a durable channel, what is after this; 0 is all', parseWhole('--after', 0, Number.MAX_SAFE_INTEGER))
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (name: string, flags: ListenFlags) => finish(await listenToChannel(name, flags, terminal)));
}
