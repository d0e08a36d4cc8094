/** The grammar of `cadre context`. */
import { Option, type Command } from 'commander';
import type { Terminal } from '../terminal.js';
import { outputOption, urlOption, type Finish } from '../usual-options.js';
import { deleteContext, getContext, listContext, putContext, showLineage, type ContextFlags } from './context-command.js';
import { grantContext, listGrants, revokeContext } from './context-grants-command.js';
import { gather, parseWhole } from './options.js';

export function addContext(program: Command, terminal: Terminal, finish: Finish): void {
  const context = program.command('context').description('artifacts that outlive a run, shared by runs and agents, in versions');
  addArtifacts(context, terminal, finish);
  addGrants(context, terminal, finish);
}

const version = (): Option =>
  new Option('--use-version <n>', 'a version of it (default: the newest)').argParser(parseWhole('--use-version', 1, 1e9));

function addArtifacts(context: Command, terminal: Terminal, finish: Finish): void {
  context
    .command('put <name> [file]')
    .description('keep a file, or --text, as the next version of an artifact')
    .option('--text <text>', 'the content itself, instead of a file')
    .option('--type <type>', 'its media type (default: by the extension of the name, then of the file)')
    .option('--tag <tag>', 'a tag; may be repeated', gather)
    .option('--expects <n>', 'only if this is the newest version; 0: only if there is none', parseWhole('--expects', 0, 1e9))
    .option('--ttl <time>', 'how long it lives on after this version: 90s, 12h, 30d, or forever (default: as before)')
    .option('--keep <n>', 'versions kept, 1 to 64 (default: as before, at first 10)', parseWhole('--keep', 1, 64))
    .addOption(urlOption())
    .action(async (name: string, file: string | undefined, flags: ContextFlags) => finish(await putContext(name, file, flags, terminal)));
  context
    .command('get <name>')
    .description('print the content of an artifact, or save it')
    .option('--out <file>', 'where it goes, instead of stdout')
    .addOption(version())
    .addOption(urlOption())
    .action(async (name: string, flags: ContextFlags) => finish(await getContext(name, flags, terminal)));
  context
    .command('list [prefix]')
    .description('artifacts, by name: all, or those whose names begin with the prefix')
    .option('--tag <tag>', 'only those with this tag', gather)
    .option('--limit <n>', 'how many (default 50)', parseWhole('--limit', 1, 200))
    .option('--cursor <cursor>', 'the next page, as the last one said')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (prefix: string | undefined, flags: ContextFlags) => finish(await listContext(prefix, flags, terminal)));
  context
    .command('delete <name>')
    .description('delete an artifact with all its versions')
    .option('--expects <n>', 'only if this is the newest version', parseWhole('--expects', 1, 1e9))
    .addOption(urlOption())
    .action(async (name: string, flags: ContextFlags) => finish(await deleteContext(name, flags, terminal)));
  context
    .command('lineage <what>')
    .description('who made an artifact and from what, and so on back; of a run: what its answer rests on')
    .addOption(version())
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (what: string, flags: ContextFlags) => finish(await showLineage(what, flags, terminal)));
}

function addGrants(context: Command, terminal: Terminal, finish: Finish): void {
  context
    .command('grants')
    .description('what agents may do; what is not granted is forbidden')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (flags: ContextFlags) => finish(await listGrants(flags, terminal)));
  context
    .command('grant <agent> <access> <pattern>')
    .description('let an agent do something more with what the pattern names')
    .addOption(urlOption())
    .addHelpText(
      'after',
      '\nAccess:   read, write or delete, or several with commas: read,write\nPattern:  a name, a folder with / at its end (reports/), or "*" for everything',
    )
    .action(async (agent: string, access: string, pattern: string, flags: ContextFlags) =>
      finish(await grantContext([agent, access, pattern], flags, terminal)),
    );
  context
    .command('revoke <agent> <pattern>')
    .description('take away what an agent was granted with this pattern')
    .addOption(urlOption())
    .action(async (agent: string, pattern: string, flags: ContextFlags) => finish(await revokeContext([agent, pattern], flags, terminal)));
}
