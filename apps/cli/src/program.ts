/** The command line's grammar. */
import { Command, CommanderError, Option } from 'commander';
import { aggregateCommand, type AggregateFlags, AGGREGATION_RULES } from './commands/aggregate-command.js';
import { addAgents } from './commands/agents-grammar.js';
import { setBudget, showBudget } from './commands/budget-command.js';
import { addContext } from './commands/context-grammar.js';
import { addMcp } from './commands/mcp-grammar.js';
import { addMemory } from './commands/memory-command.js';
import { listCalls } from './commands/calls-command.js';
import { addChannels } from './commands/channels-grammar.js';
import { demoCommand, type DemoFlags, DEMO_GOAL } from './commands/demo-command.js';
import { devCommand, type DevFlags } from './commands/dev-command.js';
import { doctorCommand } from './commands/doctor-command.js';
import { DEFAULT_URL, gather, parseProfile, parseWhole } from './commands/options.js';
import { sendEvent, type SendFlags } from './commands/event-command.js';
import { planCommand } from './commands/plan-command.js';
import { addModels } from './commands/models-command.js';
import { addPrices } from './commands/prices-command.js';
import { answerQuestion, type AnswerFlags, listQuestions } from './commands/questions-command.js';
import { runCommand, watchCommand } from './commands/run-command.js';
import type { RunFlags } from './commands/run-flags.js';
import { cancelRun, type EventFlags, getRun, type ListFlags, listEvents, listRuns } from './commands/runs-command.js';
import { showThinking } from './commands/thinking-command.js';
import { getWorkflow, listWorkflows, putWorkflow, runWorkflow, type WorkflowFlags } from './commands/workflows-command.js';
import { outputOption, urlOption, type Finish } from './usual-options.js';
import { EXIT, EXIT_HELP } from './exit-codes.js';
import { exitCodeOf, reportFailure } from './failure.js';
import { DEFAULT_PORT } from '@cadre/local-system';
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
    // A goal may be a list, which begins with a dash; no option has one before a space.
    await program.parseAsync(
      args.map((arg) => (/^-\s/.test(arg) ? ` ${arg}` : arg)),
      { from: 'user' },
    );
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    reportFailure(error, terminal);
    return exitCodeOf(error);
  }
}

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
  addAggregate(program, terminal, finish);
  addQuestions(program, terminal, finish);
  addEvent(program, terminal, finish);
  addChannels(program, { terminal, finish, urlOption, outputOption });
  addWorkflows(program, terminal, finish);
  addContext(program, terminal, finish);
  addMemory(program, terminal, finish);
  addBudget(program, terminal, finish);
  addModels(program, terminal, finish);
  addPrices(program, terminal, finish);
  addRuns(program, terminal, finish);
  addAgents(program, terminal, finish);
  addMcp(program, terminal, finish);
  addLocal(program, terminal, finish);
  return program;
}

function addRun(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('run <goal>')
    .description('start a run, show its progress on stderr and its answer on stdout')
    .option('-i, --input <file>', 'a data file to work on (CSV, TSV, JSON, NDJSON, Parquet, text); may be repeated', gather)
    .option('--plan <file>', 'the tasks to do, as YAML or JSON, instead of having them planned')
    .option('--preview', 'show the plan and ask before any of it is done: run it, edit it (EDITOR), or not')
    .option('--param <name=value>', 'what expressions of the plan see as params.name, as JSON or text; may be repeated', gather)
    .option('--deadline <time>', 'longest time of the whole run: 90s, 10m, 2h')
    .option(
      '--server-wait <time>',
      'how long tasks wait for a model server in passing trouble (default: until the deadline); 0: not at all',
    )
    .option('--priority <priority>', 'critical, high, medium, low or background')
    .option('--max-parallel <n>', 'how many of its tasks may be at work at once; as many as there are slots when left out')
    .option('--model <name>', 'the model that the agents use')
    .option('--budget <usd>', 'the most that the whole run may cost, in US dollars')
    .option('--task-budget <usd>', 'the most that each task may cost')
    .option('--agent-budget <name=usd>', 'the most that one agent may spend; may be repeated', gather)
    .option('--on-limit <what>', 'when a call does not fit: stop (the task fails, the default), degrade or ask')
    .option('--degrade-to <model>', 'the cheaper model to go on with')
    .option('--allow-unpriced', 'under a budget, also use models whose price is not known; what they cost counts under no cap')
    .option('--question-timeout <time>', 'how long a question stays open (default: until the deadline); then it counts as denied')
    .option('--cancel-grace <time>', 'how long attempts that run may wind up after a cancel (default 5s)')
    .option('--continue-on-failure', 'a failed task skips what depends on it instead of failing the run')
    .option('--collect-thinking', 'keep what thinking agents thought; `cadre runs thinking` shows it')
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
    .command('plan <goal>')
    .description('have a goal planned, and print the plan as YAML; nothing of it is done')
    .option('-i, --input <file>', 'a data file that the goal is about; may be repeated', gather)
    .option('--out <file>', 'write the plan there, as YAML, or as JSON when the name ends so')
    .option('--deadline <time>', 'longest time of the planning: 90s, 10m')
    .option('--priority <priority>', 'critical, high, medium, low or background')
    .option('--model <name>', 'the model that plans')
    .option('--budget <usd>', 'the most that the planning may cost, in US dollars')
    .option('--allow-unpriced', 'under a budget, also use models whose price is not known; what they cost counts under no cap')
    .option('--label <name=value>', 'a label for the run; may be repeated', gather)
    .option('--idempotency-key <key>', 'the same key with the same request gives the same run')
    .option('-q, --quiet', 'no progress and no table')
    .addOption(outputOption())
    .addOption(urlOption())
    .addHelpText('after', '\nChange the file as you like; `cadre run GOAL --plan FILE` does what it says.')
    .action(async (goal: string, flags: RunFlags) => finish(await planCommand(goal, flags, terminal)));
  program
    .command('watch <run>')
    .description('show the progress of a run from its start, and its answer')
    .option('--out <folder>', 'also save the artifacts there')
    .option('-q, --quiet', 'no progress')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (runId: string, flags: RunFlags) => finish(await watchCommand(runId, flags, terminal)));
}

function addAggregate(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('aggregate <run...>')
    .description('put together what finished runs have come to, in a run of its own')
    .option('--by <rule>', `${AGGREGATION_RULES.join(', ')} (default: summary; with --agent custom)`)
    .option('--agent <name>', 'with custom: the agent that combines')
    .option('--instructions <text>', 'with summary and custom: what to make of the results')
    .option('--score <expression>', 'with best and rank: over value, answer and confidence (default: the confidence)')
    .option('--weighted', 'with vote: by confidence')
    .option('--quorum <share>', 'with vote: which part of the runs must have voted')
    .option('--threshold <share>', 'with vote: which part of the votes the winner needs')
    .option('--tie <what>', 'with vote: first or fail')
    .option('--on-conflict <what>', 'with merge: confidence, first, last or fail')
    .option('--min-confidence <n>', 'only results that are as sure as this count')
    .option('--unknown-confidence <pass|fail>', 'whether results that do not say how sure they are count then (default: fail)')
    .option('--where <expression>', 'only results for which it is true count')
    .option('--need <n>', 'how many must count: all, any, a number or a share such as 60%')
    .option('--partial', 'leave out runs that failed or have not ended, instead of refusing')
    .option('--goal <text>', 'what the aggregation is for')
    .option('--label <name=value>', 'a label for the run; may be repeated', gather)
    .option('--out <folder>', 'where the artifacts go (default: cadre-output/<run>)')
    .option('--no-download', 'leave the artifacts where they are')
    .option('--idempotency-key <key>', 'the same key with the same request gives the same run')
    .option('-d, --detach', 'print the run id and do not wait')
    .option('-q, --quiet', 'no progress')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (runs: string[], flags: AggregateFlags) => finish(await aggregateCommand(runs, flags, terminal)));
}

function addQuestions(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('questions [run]')
    .description('what runs ask people: open questions, and what to type to answer them')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (runId: string | undefined, flags: ListFlags) => finish(await listQuestions(runId, flags, terminal)));
  program
    .command('answer <run> <question> <choice>')
    .description('answer a question of a run: approve, deny, done or repeat')
    .option('--raise <usd>', 'with approve: how far the cap is raised (default: by its own size)')
    .option('--result <json>', 'with done: what the call answered')
    .option('--note <text>', 'why, for those who read its history')
    .option('--by <name>', 'who answers (default: your user name)')
    .addOption(urlOption())
    .addHelpText(
      'after',
      `\nAbout money:      approve raises the cap that was hit; deny fails the task.\nAbout an effect:  done means that the call has happened; repeat, that it has not and is to be made; deny fails the task.`,
    )
    .action(async (runId: string, question: string, choice: string, flags: AnswerFlags) =>
      finish(await answerQuestion([runId, question, choice], flags, terminal)),
    );
}

function addEvent(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('event <type>')
    .description('send an event to the tasks that wait for its type')
    .option('--data <json>', 'what it says')
    .option('--source <uri>', 'who sends it (default: /cli)')
    .option('--id <id>', 'the same id and source again are the same event (default: a new one)')
    .addOption(urlOption())
    .action(async (type: string, flags: SendFlags) => finish(await sendEvent(type, flags, terminal)));
}

function addWorkflows(program: Command, terminal: Terminal, finish: Finish): void {
  const workflows = program.command('workflows').description('plans that are kept under a name, in versions, and started with parameters');
  const version = (): Option =>
    new Option('--use-version <n>', 'a version of it (default: the newest)').argParser(parseWhole('--use-version', 1, 1e9));
  workflows
    .command('list')
    .description('the newest version of each')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (flags: WorkflowFlags) => finish(await listWorkflows(flags, terminal)));
  workflows
    .command('put <file>')
    .description('keep a definition, YAML or JSON, as the next version of its workflow')
    .addOption(urlOption())
    .action(async (file: string, flags: WorkflowFlags) => finish(await putWorkflow(file, flags, terminal)));
  workflows
    .command('get <name>')
    .description('print a definition, as JSON')
    .addOption(version())
    .addOption(urlOption())
    .action(async (name: string, flags: WorkflowFlags) => finish(await getWorkflow(name, flags, terminal)));
  workflows
    .command('run <name>')
    .description('start a run of it, show its progress on stderr and its answer on stdout')
    .option('--param <name=value>', 'a parameter, as JSON or text; may be repeated', gather)
    .option('--goal <text>', "instead of the definition's")
    .addOption(version())
    .option('--out <folder>', 'also save the artifacts there')
    .option('--idempotency-key <key>', 'the same key with the same request gives the same run')
    .option('-d, --detach', 'print the run id and do not wait')
    .option('-q, --quiet', 'no progress')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (name: string, flags: WorkflowFlags) => finish(await runWorkflow(name, flags, terminal)));
}

function addBudget(program: Command, terminal: Terminal, finish: Finish): void {
  const budget = program.command('budget').description('the most that all runs together may cost, and what they have cost');
  budget
    .command('show', { isDefault: true })
    .description('the cap, and what is spent and left')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (flags: ListFlags) => finish(await showBudget(flags, terminal)));
  budget
    .command('set <usd>')
    .description('set the cap, in US dollars; what has been spent counts')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (amount: string, flags: ListFlags) => finish(await setBudget(amount, flags, terminal)));
  budget
    .command('clear')
    .description('take the cap away')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (flags: ListFlags) => finish(await setBudget(undefined, flags, terminal)));
}

function addRuns(program: Command, terminal: Terminal, finish: Finish): void {
  const runs = program.command('runs').description('list and inspect runs');
  runs
    .command('list')
    .description('runs, newest first')
    .option('--status <status>', 'planning, running, cancelling, completed, failed or cancelled')
    .option('--limit <n>', 'how many (default 50)', parseWhole('--limit', 1, 200))
    .option('--cursor <cursor>', 'the next page, as the last one said')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (flags: ListFlags) => finish(await listRuns(flags, terminal)));
  runs
    .command('get <run>')
    .description('one run: status, budget, bill, open questions, tasks, artifacts, answer')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (runId: string, flags: ListFlags) => finish(await getRun(runId, flags, terminal)));
  runs
    .command('calls <run>')
    .description('its model and tool calls: outcome, tokens, cost, and whether a later attempt used them again')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (runId: string, flags: ListFlags) => finish(await listCalls(runId, flags, terminal)));
  runs
    .command('thinking <run> <task>')
    .description('what the agent of a task thought, of a run with --collect-thinking')
    .addOption(outputOption())
    .addOption(urlOption())
    .action(async (runId: string, taskId: string, flags: ListFlags) => finish(await showThinking(runId, taskId, flags, terminal)));
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
    .description('end a run; what runs may wind up for a moment')
    .option('--reason <text>', 'why, for those who read its history')
    .addOption(urlOption())
    .action(async (runId: string, flags: { url?: string; reason?: string }) => finish(await cancelRun(runId, flags, terminal)));
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
    .option('--profile <profile>', 'durable (default; each write is on disk before it counts) or fast (in the background)', parseProfile)
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
