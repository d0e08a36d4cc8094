/**
 * `npm run demo:crash`: one goal twice. Undisturbed; and with the worker that holds a task, then the orchestrator and the scheduler killed.
 * Both bills are laid side by side. Exit code 1 when they differ.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunView } from '@cadre/contracts';
import { installationRoot, LOCAL_SERVICES } from '@cadre/local-system';
import type { InputFile, RunRequestInput } from '@cadre/sdk';
import { auditCalls } from './call-audit.js';
import { CHAOS_WORKER } from './cast.js';
import { logFaults } from './checks.js';
import { modelReport } from './model-report.js';
import { OutsideWorld } from './outside-world.js';
import { table } from './result-table.js';
import { Stage } from './stage.js';
import { Submitter } from './submitter.js';

const HELP = `Usage: npm run demo:crash
Runs one goal undisturbed, and once more while the worker that holds a task, the orchestrator and the scheduler are killed (SIGKILL).
`;
if (parseArgs({ options: { help: { type: 'boolean', default: false } } }).values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const GOAL = 'Analyze the weather data, generate report code, write tests, and tell the world';
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const task = (id: string, title: string, skill: string, dependsOn: string[], instructions: string) => {
  return { id, title, instructions, dependsOn, skills: [skill] };
};
const REQUEST: RunRequestInput = {
  goal: GOAL,
  plan: {
    tasks: [
      task(
        'analyze',
        'Analyze the data',
        'data-analysis',
        [],
        'Profile the data, find trends and unusual values. Write report.md and data/profile.json.',
      ),
      task(
        'code',
        'Write the report code',
        'code-generation',
        ['analyze'],
        'Write TypeScript that reads the data file and makes the report. Type-check it.',
      ),
      task('test', 'Write and run tests', 'testing', ['code'], 'Write tests of the code. Run them and report the result.'),
      task('tell', 'Tell the world', 'striking', ['test'], 'Say, once, that the report is there.'),
    ],
  },
};
const DATA = 'seattle-weather.csv';
const files: InputFile[] = [{ name: DATA, data: readFileSync(join(installationRoot, 'node_modules/vega-datasets/data', DATA), 'utf8') }];

/** What a run has cost and done, as everybody outside saw it. */
interface Account {
  view: RunView;
  modelCalls: number;
  inputTokens: number;
  outputTokens: number;
  /** What the model server worked for, in millionths of a dollar. */
  serverMicros: number;
  effects: string;
  tookMs: number;
}

async function accountOf(stage: Stage, world: OutsideWorld, work: () => Promise<RunView>): Promise<Account> {
  const before = (await modelReport(stage)).total;
  const startedAt = Date.now();
  const view = await work();
  const { total } = await modelReport(stage);
  const effects = [...world.calls.values()].filter(({ runId }) => runId === view.runId).map(({ name, times }) => `${name} ×${times}`);
  return {
    view,
    modelCalls: total.done - before.done,
    inputTokens: total.inputTokens - before.inputTokens,
    outputTokens: total.outputTokens - before.outputTokens,
    serverMicros: total.costMicros - before.costMicros,
    effects: effects.join(', '),
    tookMs: Date.now() - startedAt,
  };
}

/** The worker dies in the middle of a tool call, with its task's earlier calls on record; then those who own and schedule the run. */
async function disturb(stage: Stage, runId: string): Promise<void> {
  const held = await stage.live.until(
    'the tests run',
    async () => {
      return stage.witness.firstEvent(
        (event, commit) => commit.runId === runId && event.type === 'CallsReserved' && event.calls.some(({ name }) => name === 'run_tests'),
      );
    },
    90_000,
  );
  const from = stage.witness.blocks.length;
  say(`  kill -9 worker-test-writer, which runs the tests it has written`);
  stage.signal('worker-test-writer', 'SIGKILL');
  await stage.live.until('another attempt begins', async () =>
    stage.witness.firstEvent((event, commit) => commit.runId === held.runId && event.type === 'AttemptStarted', from),
  );
  say('  its task is being done again from the record; kill -9 orchestrator, kill -9 scheduler');
  stage.signal('orchestrator', 'SIGKILL');
  stage.signal('scheduler', 'SIGKILL');
}

const dollars = (micros: number): string => `$${(micros / 1e6).toFixed(6)}`;

/** Rows that must be equal, and rows for information. */
function rows(undisturbed: Account, disturbed: Account): { name: string; values: [string, string]; equal?: boolean }[] {
  const row = (name: string, of: (account: Account) => string | number, mustBeEqual = true) => {
    const values: [string, string] = [String(of(undisturbed)), String(of(disturbed))];
    return { name, values, ...(mustBeEqual ? { equal: values[0] === values[1] } : {}) };
  };
  const artifacts = ({ view }: Account): string => {
    const names = view.artifacts.map(({ name }) => name).sort();
    return `${names.length} files (names: ${createHash('sha256').update(names.join()).digest('hex').slice(0, 8)})`;
  };
  return [
    row('outcome', ({ view }) => view.status),
    row('model calls made, as the model server counts', ({ modelCalls }) => modelCalls),
    row('tokens in, as the model server counts', ({ inputTokens }) => inputTokens),
    row('tokens out, as the model server counts', ({ outputTokens }) => outputTokens),
    row('tokens in and out, as Cadre bills', ({ view }) => `${view.usage.inputTokens} ${view.usage.outputTokens}`),
    row('bill of the model server', ({ serverMicros }) => dollars(serverMicros)),
    row('bill of Cadre, tools included', ({ view }) => dollars(view.usage.costMicros)),
    row('effects in the outside world', ({ effects }) => effects),
    row('artifacts', artifacts),
    row('free tool calls, the interrupted one included', ({ view }) => view.usage.toolCalls, false),
    row('attempts', ({ view }) => view.tasks.reduce((sum, { attempt }) => sum + attempt, 0), false),
    row('time', ({ tookMs }) => `${(tookMs / 1000).toFixed(1)} s`, false),
  ];
}

async function demo(): Promise<number> {
  const world = await OutsideWorld.start(30);
  say('Starting all services …');
  const services = [...LOCAL_SERVICES, CHAOS_WORKER];
  const stage = await Stage.start({ services, env: { CHAOS_WORLD_URL: world.url, MODEL_SIM_LATENCY_MS: '40' } });
  try {
    const submitter = new Submitter(stage.live.client);
    const run = async (during: (runId: string) => Promise<void>): Promise<RunView> => {
      const runId = await submitter.start(REQUEST, files);
      await during(runId);
      return (await submitter.ended(runId, 120_000)).view;
    };
    say(`Goal: ${GOAL}\n1. undisturbed`);
    const undisturbed = await accountOf(stage, world, () => run(async () => undefined));
    say('2. disturbed');
    const disturbed = await accountOf(stage, world, () => run((runId) => disturb(stage, runId)));
    const compared = rows(undisturbed, disturbed);
    const verdict = (equal?: boolean): string => (equal === undefined ? '' : equal ? 'equal' : 'DIFFERENT');
    say(
      `\n${table(
        ['', 'undisturbed', 'disturbed', ''],
        compared.map(({ name, values, equal }) => [name, ...values, verdict(equal)]),
      )}`,
    );
    const faults = await logFaults(stage.witness, { submissions: submitter.acknowledged, commands: [] }, [
      undisturbed.view,
      disturbed.view,
    ]);
    faults.push(...auditCalls(stage.witness.commits(), (await modelReport(stage)).byKey, world.calls.values()).faults);
    for (const fault of faults) say(`FAULT ${fault}`);
    const equal = compared.every((row) => row.equal !== false) && undisturbed.view.status === 'completed' && faults.length === 0;
    say(equal ? '\nThe kills cost nothing: calls, tokens, bill and effects are equal.' : '\nThe two runs are NOT equal.');
    return equal ? 0 : 1;
  } finally {
    await stage.stop();
    await world.stop();
  }
}

process.exit(await demo());
