/** The command line's grammar. */
import { Command, CommanderError, Option } from 'commander';
import { listAgents } from './commands/agents-command.js';
import { demoCommand, type DemoFlags, DEMO_GOAL } from './commands/demo-command.js';
import { devCommand, type DevFlags } from './commands/dev-command.js';
import { doctorCommand } from './commands/doctor-command.js';
import { DEFAULT_URL, gather, parseWhole } from './commands/options.js';
import { runCommand, type RunFlags, watchCommand } from './commands/run-command.js';
import { cancelRun, type EventFlags, getRun, type ListFlags, listEvents, listRuns } from './commands/runs-command.js';
import { EXIT, EXIT_HELP } from './exit-codes.js';
import { exitCodeOf, reportFailure } from './failure.js';
import { DEFAULT_PORT } from './local/ports.js';
import type { Terminal } from './terminal.js';

const VERSION = '0.1.0';

/**
 * Runs one command line.
 * @param args without the program's name
 * @returns the exit code
 */
export async function runProgram(args: string[], terminal: Terminal): Promise<number> {
  let code: number = EXIT.ok;
  const program = grammar(terminal, (result) => (code = result));
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    reportFailure(error, terminal);
    return exitCodeOf(error);
  }
}

type Finish = (code: number) => void;

function grammar(terminal: Terminal, finish: Finish): Command {
  const program = new Command('cadre')
    .description('A control plane for teams of LLM agents: give it a goal and data, get one answer and its artifacts.')
    .version(VERSION)
    .showHelpAfterError('(cadre --help, or cadre help <command>, shows what there is)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text.trimEnd()), writeErr: (text) => terminal.err(text.trimEnd()) })
    .addHelpText(
      'after',
      `\nEnvironment:\n  CADRE_URL    address of the gateway (default ${DEFAULT_URL})\n  CADRE_DEBUG  1 shows stack traces of errors\n  NO_COLOR     1 shows no colours\n\n${EXIT_HELP}`,
    );
  addRun(program, terminal, finish);
  addRuns(program, terminal, finish);
  addLocal(program, terminal, finish);
  return program;
}

const urlOption = (): Option => new Option('--url <address>', `the gateway (default: CADRE_URL, else ${DEFAULT_URL})`);
const outputOption = (): Option => new Option('-o, --output <format>', 'json or text').default('text');

function addRun(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('run <goal>')
    .description('start a run, show its progress on stderr and its answer on stdout')
    .option('-i, --input <file>', 'a data file to work on (CSV, TSV, JSON, NDJSON, Parquet, text); may be repeated', gather)
    .option('--plan <file>', 'the tasks to do, as JSON, instead of having them planned')
    .option('--deadline <time>', 'longest time of the whole run: 90s, 10m, 2h')
    .option('--priority <priority>', 'critical, high, medium, low or background')
    .option('--model <name>', 'the model that the agents use')
    .option('--continue-on-failure', 'a failed task skips what depends on it instead of failing the run')
    .option('--no-summary', 'list the results instead of making one answer of them')
    .option('--label <name=value>', 'a label for the run; may be repeated', gather)
    .option('--out <folder>', 'where the artifacts go (default: cadre-output/<run>)')
    .option('--no-download', 'leave the artifacts where they are')
    .option('--idempotency-key <key>', 'the same key with the same request gives the same run')
    .option('-d, --detach', 'print the run id and do not wait')
    .option('-q, --quiet', 'no progress')
    .addOption(outputOption())
    .addOption(urlOption())
    .addHelpText('after', '\nCtrl-C stops the watching, not the run: `cadre watch` goes on, `cadre runs cancel` ends it.')
    .action(async (goal: string, flags: RunFlags) => finish(await runCommand(goal, flags, terminal)));
  program
    .command('watch <run>')
    .description('show the progress of a run from its start, and its answer')
    .option('--out <folder>', 'also save the artifacts there')
    .option('-q, --quiet', 'no progress')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (runId: string, flags: RunFlags) => finish(await watchCommand(runId, flags, terminal)));
}

function addRuns(program: Command, terminal: Terminal, finish: Finish): void {
  const runs = program.command('runs').description('list and inspect runs');
  runs
    .command('list')
    .description('runs, newest first')
    .option('--status <status>', 'planning, running, completed, failed or cancelled')
    .option('--limit <n>', 'how many (default 50)', parseWhole('--limit', 1, 200))
    .option('--cursor <cursor>', 'the next page, as the last one said')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (flags: ListFlags) => finish(await listRuns(flags, terminal)));
  runs
    .command('get <run>')
    .description('one run: status, tasks, artifacts, answer')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (runId: string, flags: ListFlags) => finish(await getRun(runId, flags, terminal)));
  runs
    .command('events <run>')
    .description("a run's events; with -o json one JSON document per line")
    .option('-f, --follow', 'go on until the run ends')
    .option('--after <position>', 'only events after this one, for example 12.0')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (runId: string, flags: EventFlags) => finish(await listEvents(runId, flags, terminal)));
  runs
    .command('cancel <run>')
    .description('end a run')
    .option('--reason <text>', 'why, for those who read its history')
    .addOption(urlOption())
    .action(async (runId: string, flags: { url?: string; reason?: string }) => finish(await cancelRun(runId, flags, terminal)));
  program
    .command('agents')
    .description('agents and the workers that host them')
    .command('list')
    .description('who is there and what they can do')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (flags: { url?: string; output?: string }) => finish(await listAgents(flags, terminal)));
}

function addLocal(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('dev')
    .description('run the whole system on this machine until Ctrl-C')
    .option(
      '--port <port>',
      `the gateway's port (default ${DEFAULT_PORT}); the others follow it, NATS is 22 above`,
      parseWhole('--port', 1, 65_500),
    )
    .option('--data <folder>', 'where data and logs are kept (default .cadre)')
    .option('--reset', 'remove the data of earlier runs first')
    .action(async (flags: DevFlags) => finish(await devCommand(flags, terminal)));
  program
    .command('demo')
    .description('start everything on free ports, do one real job, show the answer, stop everything')
    .option('--goal <goal>', `default: ${DEMO_GOAL}`)
    .option('-i, --input <file>', "your own data instead of the demo's; may be repeated", gather)
    .option('--out <folder>', 'where the artifacts go (default: cadre-output/demo-<time>)')
    .action(async (flags: DemoFlags) => finish(await demoCommand(flags, terminal)));
  program
    .command('doctor')
    .description('check the installation and the running system, and say what to do')
    .option('--data <folder>', 'the data folder of `cadre dev` (default .cadre)')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (flags: { url?: string; data?: string; output?: string }) => finish(await doctorCommand(flags, terminal)));
}
