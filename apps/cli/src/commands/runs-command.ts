/** `cadre runs list|get|events|cancel`. */
import { type CallSettlement, type FeedEvent, isTerminal, RUN_STATUSES, type RunStatus, type TaskView } from '@cadre/contracts';
import type { CadreClient } from '@cadre/sdk';
import { EXIT } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import { degradation } from '../output/degradation.js';
import { consumption, cost, moment, money, oneLine } from '../output/figures.js';
import { describeRun } from '../output/run-description.js';
import { exitCodeOfRun, runDocument, wholeAnswer } from '../output/run-output.js';
import { table } from '../output/table.js';
import type { Terminal } from '../terminal.js';
import { clientFor, parseFormat, parseRunId } from './options.js';

export interface ListFlags {
  url?: string;
  output?: string;
  status?: string;
  limit?: number;
  cursor?: string;
}

export async function listRuns(flags: ListFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const page = await clientFor(flags.url, terminal).listRuns({
    ...(flags.status === undefined ? {} : { status: parseStatus(flags.status) }),
    ...(flags.limit === undefined ? {} : { limit: flags.limit }),
    ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
  });
  if (format === 'json') terminal.out(JSON.stringify(page, null, 2));
  else if (page.runs.length === 0) terminal.err('There are no runs. Start one with `cadre run "<goal>"`.');
  else {
    const rows = page.runs.map((run) => [
      ...[
        run.runId,
        run.partial === true ? `${run.status} in part` : run.status,
        moment(run.createdAt),
        `${run.tasksDone}/${run.tasksTotal}`,
        consumption(run.usage),
        oneLine(run.goal, 60),
      ],
    ]);
    table(['RUN', 'STATUS', 'STARTED', 'TASKS', 'USED', 'GOAL'], rows).forEach((line) => terminal.out(line));
    if (page.nextCursor !== undefined) terminal.err(`There are more: --cursor ${page.nextCursor}`);
  }
  return EXIT.ok;
}

function parseStatus(text: string): RunStatus {
  const found = RUN_STATUSES.find((status) => status === text);
  if (found === undefined) throw new UsageError(`There is no status ${JSON.stringify(text)}.`, `Choose one of ${RUN_STATUSES.join(', ')}.`);
  return found;
}

export async function getRun(runId: string, flags: { url?: string; output?: string }, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const client = clientFor(flags.url, terminal);
  const run = await client.getRun(parseRunId(runId));
  if (format === 'json') terminal.out(await runDocument(run, client));
  else describeRun(run, await wholeAnswer(run, client)).forEach((line) => terminal.out(line));
  return isTerminal(run.status) ? exitCodeOfRun(run) : EXIT.ok;
}

export interface EventFlags {
  url?: string;
  output?: string;
  follow?: boolean;
  after?: string;
}

/** Prints what has happened; with `follow`, also what happens until the run ends. JSON is one event per line. */
export async function listEvents(runId: string, flags: EventFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const client = clientFor(flags.url, terminal);
  parseRunId(runId);
  const print = (event: FeedEvent): void => terminal.out(format === 'json' ? JSON.stringify(event) : describeEvent(event));
  if (flags.follow === true) return await followEvents(client, runId, flags.after, print, terminal);
  let after = flags.after;
  for (;;) {
    const page = await client.eventPage(runId, after === undefined ? {} : { after });
    page.events.forEach(print);
    if (!page.more || page.next === undefined) return EXIT.ok;
    after = page.next;
  }
}

async function followEvents(
  client: CadreClient,
  runId: string,
  after: string | undefined,
  print: (event: FeedEvent) => void,
  terminal: Terminal,
): Promise<number> {
  const abort = new AbortController();
  const release = terminal.onInterrupt(() => abort.abort(new Error('interrupted')));
  try {
    for await (const { event } of client.events(runId, { signal: abort.signal, ...(after === undefined ? {} : { after }) })) print(event);
    return EXIT.ok;
  } catch (error) {
    if (abort.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    release();
  }
}

function describeEvent({ id, time, data }: FeedEvent): string {
  const position = id.slice(id.indexOf('/') + 1);
  const task = 'taskId' in data ? ` ${data.taskId}` : '';
  const attempt = 'attempt' in data && data.attempt > 1 ? ` attempt ${data.attempt}` : '';
  return `${position.padEnd(7)} ${time}  ${oneLine(`${data.type}${task}${attempt}${detailOf(data)}`, 200)}`;
}

function describeStandIn(started: Pick<TaskView, 'insteadOf' | 'queuedMs'>): string {
  const told = degradation(started);
  return told === '' ? '' : `, ${told}`;
}

function detailOf(data: FeedEvent['data']): string {
  switch (data.type) {
    case 'RunStarted':
      return `: ${data.goal}`;
    case 'TasksAdded':
      return ` (${data.source}): ${data.tasks.map(({ id }) => id).join(', ')}`;
    case 'TaskOpened':
      return data.delegated ? `: waits for ${data.delegated.tasks.map(({ title }) => title).join('; ')}` : '';
    case 'AttemptStarted':
      return ` by ${data.agent} on ${data.workerId}${describeStandIn(data)}`;
    case 'CallsReserved':
      return `: ${data.calls.map(({ name, maxCostMicros, unpriced }) => `${name} (${unpriced ? 'cost unknown' : `at most ${money(maxCostMicros)}`})`).join(', ')}`;
    case 'CallsSettled':
      return `: ${data.calls.map(describeSettled).join(', ')}`;
    case 'CallRefused':
      return `: ${data.name} (at most ${money(data.maxCostMicros)}) does not fit under the cap of the ${data.limit}; ${data.then}`;
    case 'QuestionAsked':
      return ` ${data.question.questionId}: ${data.question.text}`;
    case 'QuestionAnswered':
      return ` ${data.questionId}: ${data.choice}, by ${data.by}`;
    case 'AttemptFailed':
    case 'TaskFailed':
    case 'RunFailed':
      return `: ${data.error.message}`;
    case 'TaskSkipped':
    case 'CancelRequested':
    case 'RunCancelled':
      return `: ${data.reason}`;
    default:
      return '';
  }
}

function describeSettled({ outcome, costMicros, unpriced, overrunMicros = 0, note }: CallSettlement): string {
  const more = overrunMicros === 0 ? '' : `, ${money(overrunMicros)} of it more than was set aside`;
  return `${outcome}, ${cost({ costMicros, unpricedCalls: unpriced ? 1 : 0 })}${more}${note === '' ? '' : ` (${note})`}`;
}

/** The longest grace time that a run may give, and some more. */
const WIND_UP_MS = 90_000;

export async function cancelRun(runId: string, flags: { url?: string; reason?: string }, terminal: Terminal): Promise<number> {
  const client = clientFor(flags.url, terminal);
  await client.cancelRun(parseRunId(runId), flags.reason);
  terminal.err(`${runId} is being cancelled; what runs may wind up …`);
  const run = await client.waitForEnd(runId, { signal: AbortSignal.timeout(WIND_UP_MS) });
  terminal.err(`${runId} is ${run.status}.`);
  return EXIT.ok;
}
