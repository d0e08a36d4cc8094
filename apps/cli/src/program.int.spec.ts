import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunView } from '@cadre/contracts';
import { CadreClient } from '@cadre/sdk';
import { StandInGateway, type StandInOptions } from '@cadre/sdk/testing';
import { runProgram } from './program.js';
import { type RecordedTerminal, recordedTerminal } from './testing/recorded-terminal.js';

let gateway: StandInGateway;
let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'cli-spec-'));
  await writeFile(join(cwd, 'rain.csv'), 'day,mm\n1,2\n');
});
afterEach(async () => {
  await gateway?.stop();
  await rm(cwd, { recursive: true, force: true });
});

async function terminalFor(options: StandInOptions = {}): Promise<RecordedTerminal> {
  gateway = await StandInGateway.start(options);
  return recordedTerminal({ cwd, env: { CADRE_URL: gateway.url } });
}

/** Starts a run without waiting for it. */
async function started(goal: string, terminal: RecordedTerminal): Promise<string> {
  const other = recordedTerminal({ cwd, env: terminal.env });
  expect(await runProgram(['run', goal, '--detach'], other)).toBe(0);
  return other.stdout[0]!;
}

describe('run', () => {
  test('uploads, shows progress on stderr, prints the answer on stdout, saves the artifacts', async () => {
    const terminal = await terminalFor({ breakAfter: 6 });
    const args = ['run', 'count rain', '--input', 'rain.csv', '--priority', 'high', '--deadline', '5m', '--idempotency-key', 'k'];
    expect(await runProgram(args, terminal)).toBe(0);
    expect(terminal.stdout).toEqual(['# Answer', '', 'It rained on **641** days.']);
    expect(gateway.uploads.get('rain.csv')).toBe('day,mm\n1,2\n');
    const runId = terminal.stderr[0]!.slice('Run '.length);
    expect(terminal.stderr).toEqual([
      `Run ${runId}`,
      '> running   plan         Plan the work · planner',
      '+ completed plan         Plan the work · planner · 120 ms · 770 tokens, $0.0008',
      '> running   analyse      Analyse the data · data-analyst',
      '+ completed analyse      Analyse the data · data-analyst · 120 ms · 770 tokens, $0.0008',
      '> running   tests        Write tests · test-writer',
      '+ completed tests        Write tests · test-writer · 120 ms · 770 tokens, $0.0008',
      expect.stringMatching(/^Completed \(3 of 3 tasks, 2,310 tokens, \$0\.0022, /),
      `2 artifacts in ${join(cwd, 'cadre-output', runId)}`,
    ]);
    expect(await readFile(join(cwd, 'cadre-output', runId, 'charts/rain.svg'), 'utf8')).toContain('<svg');
  });

  test('-o json prints one document, the run', async () => {
    const terminal = await terminalFor();
    expect(await runProgram(['run', 'x', '-o', 'json', '--out', 'here', '-q'], terminal)).toBe(0);
    expect(RunView.parse(JSON.parse(terminal.stdout.join('\n')))).toMatchObject({ status: 'completed', goal: 'x' });
    expect(terminal.stderr).toEqual([]);
    expect((await readdir(join(cwd, 'here'))).sort()).toEqual(['charts', 'report.md']);
  });

  test('a long answer, of which the view holds only the beginning, is fetched whole', async () => {
    const terminal = await terminalFor();
    expect(await runProgram(['run', 'tell me at length', '-q', '--no-download'], terminal)).toBe(0);
    expect(terminal.stdout).toEqual(['# Answer', '', 'The whole of a long answer.']);
    const json = recordedTerminal({ env: terminal.env });
    await runProgram(['run', 'tell me at length', '-q', '--no-download', '-o', 'json'], json);
    expect(JSON.parse(json.stdout.join('\n'))).toMatchObject({ answer: { text: '# Answer\n\nThe whole of a long answer.' } });
  });

  test('the exit code tells a failed run from one that completed in part', async () => {
    const terminal = await terminalFor();
    expect(await runProgram(['run', 'this will fail'], terminal)).toBe(1);
    expect(terminal.stderr.join('\n')).toMatch(/! failed {4}tests .*: the tests did not pass\n/);
    expect(terminal.stderr).toContain('The run failed: the tests did not pass (tool-failed)');
    expect(await runProgram(['run', 'this is partial', '--no-download'], terminal)).toBe(3);
    expect(terminal.stdout.join('\n')).toContain('641');
  });

  test('Ctrl-C leaves the run and says how to go on', async () => {
    const terminal = await terminalFor();
    setTimeout(() => terminal.interrupt(), 300);
    expect(await runProgram(['run', 'this will hang'], terminal)).toBe(130);
    expect(terminal.stderr.join('\n')).toMatch(/The run goes on\. To see it again: cadre watch r00-/);
    expect(gateway.requests.some(({ path }) => path.endsWith('/cancel'))).toBe(false);
  });

  test('a refused request names the faults; a missing file is found before anything is sent', async () => {
    const terminal = await terminalFor();
    expect(await runProgram(['run', ' '], terminal)).toBe(2);
    expect(terminal.stderr).toEqual([
      'cadre: The request is not valid.',
      '  - goal: the goal is empty; say what is to be done',
      '  To do: correct the fields named under errors',
    ]);
    expect(await runProgram(['run', 'x', '--input', 'none.csv'], terminal)).toBe(2);
    expect(gateway.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('nobody there: what to do, no stack trace unless asked for', async () => {
    const terminal = recordedTerminal({ cwd, env: { CADRE_URL: 'http://127.0.0.1:1' } });
    expect(await runProgram(['run', 'x'], terminal)).toBe(5);
    expect(terminal.stderr).toEqual([
      'cadre: No Cadre gateway answers at http://127.0.0.1:1.',
      expect.stringMatching(/To do: Start Cadre with `cadre dev`/),
    ]);
    const debug = recordedTerminal({ cwd, env: { CADRE_URL: 'http://127.0.0.1:1', CADRE_DEBUG: '1' } });
    await runProgram(['run', 'x'], debug);
    expect(debug.stderr.join('\n')).toMatch(/\n {4}at /);
  });
});

describe('watch and runs', () => {
  test('watch shows a run from its start, and a cancelled one ends with 4', async () => {
    const terminal = await terminalFor();
    const runId = await started('this will hang', terminal);
    const canceller = recordedTerminal({ cwd, env: terminal.env });
    const cancelled = sleep(200).then(() => runProgram(['runs', 'cancel', runId, '--reason', 'enough'], canceller));
    expect(await runProgram(['watch', runId], terminal)).toBe(4);
    expect(await cancelled).toBe(0);
    expect(terminal.stderr[0]).toMatch(/^> running {3}plan /);
    expect(terminal.stderr).toContain('Cancelling: asked');
    expect(terminal.stderr.at(-1)).toMatch(/^Cancelled: asked \(0 of 1 tasks, 770 tokens, \$0\.0008, /);
  });

  test('cancel waits for the end, and says so when there is nothing to cancel', async () => {
    const terminal = await terminalFor();
    const runId = await started('this will hang', terminal);
    expect(await runProgram(['runs', 'cancel', runId], terminal)).toBe(0);
    expect(terminal.stderr).toEqual([`${runId} is being cancelled; what runs may wind up …`, `${runId} is cancelled.`]);
    expect(await runProgram(['runs', 'cancel', runId], terminal)).toBe(2);
    expect(terminal.stderr.at(-1)).toBe('cadre: The run has already ended.');
  });

  test('list, with pages and as JSON', async () => {
    const terminal = await terminalFor();
    await started('first goal', terminal);
    const second = await started('second goal', terminal);
    expect(await runProgram(['runs', 'list', '--limit', '1'], terminal)).toBe(0);
    expect(terminal.stdout[0]).toMatch(/^RUN +STATUS +STARTED +TASKS +USED +GOAL$/);
    expect(terminal.stdout[1]).toMatch(new RegExp(`^${second}  completed  .*  3/3 .* second goal$`));
    expect(terminal.stderr).toEqual(['There are more: --cursor 1']);
    const json = recordedTerminal({ env: terminal.env });
    await runProgram(['runs', 'list', '-o', 'json', '--status', 'completed'], json);
    expect(JSON.parse(json.stdout.join('\n'))).toMatchObject({ runs: [{ goal: 'second goal' }, { goal: 'first goal' }] });
    expect(await runProgram(['runs', 'list', '--status', 'done'], terminal)).toBe(2);
  });

  test('get shows tasks, artifacts and the answer', async () => {
    const terminal = await terminalFor();
    const runId = await started('count', terminal);
    expect(await runProgram(['runs', 'get', runId], terminal)).toBe(0);
    const text = terminal.stdout.join('\n');
    expect(text).toMatch(/Status {3}completed/);
    expect(text).toMatch(/analyse +completed +data-analyst/);
    expect(text).toMatch(/charts\/rain\.svg +42 B/);
    expect(text).toMatch(/641/);
    expect(await runProgram(['runs', 'get', 'nonsense'], terminal)).toBe(2);
    expect(await runProgram(['runs', 'get', 'r00-00000000-0000-7000-8000-00000000ffff'], terminal)).toBe(2);
  });

  test('events of a run that goes on: those so far, or all until its end', async () => {
    const terminal = await terminalFor();
    const runId = await started('this will hang', terminal);
    expect(await runProgram(['runs', 'events', runId], terminal)).toBe(0);
    expect(terminal.stdout).toHaveLength(6);
    expect(terminal.stdout[1]).toMatch(/^2\.0 +\S+ {2}TasksAdded \(engine\): plan$/);
    const json = recordedTerminal({ env: terminal.env });
    const cancelled = sleep(100).then(() => runProgram(['runs', 'cancel', runId], recordedTerminal({ env: terminal.env })));
    expect(await runProgram(['runs', 'events', runId, '--follow', '--after', '4.0', '-o', 'json'], json)).toBe(0);
    expect(await cancelled).toBe(0);
    const types = json.stdout.map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types).toEqual(['cadre.CallsReserved', 'cadre.CallsSettled', 'cadre.CancelRequested', 'cadre.RunCancelled']);
  });
});

describe('money and questions', () => {
  const answered = async (args: string[], terminal: RecordedTerminal): Promise<RecordedTerminal> => {
    const other = recordedTerminal({ cwd, env: { ...terminal.env, USER: 'ada' } });
    expect([await runProgram(args, other), other.stderr]).toEqual([0, expect.anything()]);
    return other;
  };

  test('a budget goes with the run, in millionths', async () => {
    const terminal = await terminalFor();
    const args = ['run', 'this will hang', '-d', '--budget', '2', '--task-budget', '$0.50', '--agent-budget', 'planner=0.000001'];
    await runProgram([...args, '--degrade-to', 'small', '--allow-unpriced', '--cancel-grace', '2s', '--question-timeout', '1h'], terminal);
    const run = await new CadreClient({ baseUrl: gateway.url }).getRun(terminal.stdout[0]!);
    expect(run.options).toMatchObject({
      budget: {
        ...{ runMicros: 2_000_000, taskMicros: 500_000, agentMicros: { planner: 1 } },
        ...{ onLimit: 'degrade', degradeTo: 'small', unpricedModels: 'allow' },
      },
      cancelGraceMs: 2000,
      questionTimeoutMs: 3_600_000,
    });
    const text = await answered(['runs', 'get', run.runId], terminal);
    expect(text.stdout).toContain(
      'Budget   $2.00 for the run, $0.5000 for each task, $0.000001 for planner; then it goes on with small; models without a price are allowed',
    );
  });

  test('a run that asks: seen while it is watched, in lists and in the run; answered; it goes on', async () => {
    const terminal = await terminalFor();
    const runId = await started('this will ask', terminal);
    const hint = `cadre answer ${runId} q1 approve|deny`;
    const watching = runProgram(['watch', runId], terminal);
    await sleep(200);
    expect(terminal.stderr.slice(-2)).toEqual([
      '? asking    tests        Write tests · test-writer: The next call may cost $0.0020; $0.0015 of the run are left. Raise the cap?',
      `            waits for an answer: ${hint}`,
    ]);
    const list = await answered(['questions'], terminal);
    expect(list.stdout).toEqual([
      `Run ${runId}`,
      expect.stringMatching(/^ {2}q1 {2}tests \(Write tests\), about money, open until /),
      '      The next call may cost $0.0020; $0.0015 of the run are left. Raise the cap?',
      `      ${hint}`,
    ]);
    expect(JSON.parse((await answered(['questions', runId, '-o', 'json'], terminal)).stdout.join(''))).toMatchObject({
      questions: [{ runId, questionId: 'q1', limit: 'run' }],
    });
    const get = (await answered(['runs', 'get', runId], terminal)).stdout.join('\n');
    expect(get).toMatch(/Status {3}running, waits for an answer\n/);
    expect(get).toMatch(new RegExp(`It waits for an answer:\n {2}q1 .*\n.*\n {6}cadre answer ${runId} q1 approve\\|deny`));
    const answer = await answered(['answer', runId, 'q1', 'approve', '--raise', '0.5', '--note', 'worth it'], terminal);
    expect(answer.stderr).toEqual([`q1 is answered: approve. To see how the run goes on: cadre watch ${runId}`]);
    expect(await watching).toBe(0);
    expect(terminal.stderr).toContain('+ completed tests        Write tests · test-writer · attempt 2 · 120 ms · 770 tokens, $0.0008');
    const events = (await answered(['runs', 'events', runId], terminal)).stdout.join('\n');
    expect(events).toMatch(/QuestionAnswered tests q1: approve, by ada/);
    expect((await answered(['questions'], terminal)).stderr).toEqual(['No run waits for an answer.']);
    expect((await answered(['questions', runId], terminal)).stderr).toEqual(['The run waits for no answer.']);
  });

  test('an answer that is refused says what would be right', async () => {
    const terminal = await terminalFor();
    const runId = await started('this will ask', terminal);
    for (const [args, word] of [
      [['answer', runId, 'q1', 'maybe'], 'Choose one of approve, deny, done, repeat'],
      [['answer', runId, 'first', 'deny'], '`cadre questions` shows'],
      [['answer', 'nonsense', 'q1', 'deny'], 'A run id looks like'],
      [['answer', runId, 'q1', 'deny', '--raise', '1'], 'answer approve'],
      [['answer', runId, 'q1', 'approve', '--raise', 'much'], 'Write US dollars'],
      [['answer', runId, 'q1', 'approve', '--result', '1'], 'answer done'],
      [['answer', runId, 'q1', 'done', '--result', '{'], 'is not JSON'],
      [['answer', runId, 'q1', 'repeat'], 'choose one of approve, deny'],
      [['answer', runId, 'q7', 'deny'], 'no open question "q7"'],
    ] as const) {
      const other = recordedTerminal({ cwd, env: terminal.env });
      expect([args, await runProgram([...args], other)]).toEqual([args, 2]);
      expect(other.stderr.join('\n')).toContain(word);
    }
    expect((await answered(['questions'], terminal)).stdout).toHaveLength(4);
  });

  test('the calls of a run, with what each cost', async () => {
    const terminal = await terminalFor();
    const runId = await started('this will ask', terminal);
    const table = await answered(['runs', 'calls', runId], terminal);
    expect(table.stdout).toEqual([
      'TASK     ATTEMPT  CALL            OUTCOME  TIME   TOKENS  COST     USED AGAIN  NOTE',
      'plan     1        model stand-in  done     12 ms  770     $0.0008              thinking',
      'analyse  1        model stand-in  done     12 ms  770     $0.0008              thinking',
    ]);
    expect(table.stderr).toEqual(['2 calls, $0.0015']);
    const json = await answered(['runs', 'calls', runId, '-o', 'json'], terminal);
    expect(JSON.parse(json.stdout.join('\n'))).toMatchObject({ calls: [{ outcome: 'done', costMicros: 750 }, {}] });
  });

  test('what the agent of a task thought, when the run has collected it', async () => {
    const terminal = await terminalFor();
    const runId = (await answered(['run', 'count', '--collect-thinking', '--no-download', '-d'], terminal)).stdout[0]!;
    const shown = (await answered(['runs', 'thinking', runId, 'analyse'], terminal)).stdout;
    expect(shown).toEqual([
      'Thinking critical, 120 tokens',
      '',
      'First answer, confidence 0.6',
      '  1. Read the file.',
      '  2. Fit a line.',
      '  not taken: A median (It hides [2Jthe trend.)',
      '',
      'Review 1, confidence 0.8',
      '  reflection: The unit was wrong.',
      '',
      'The budget for thinking is spent.',
      '',
      'Reasoning of the model server, call 2',
      '  Is it Kelvin?',
    ]);
    const json = (await answered(['runs', 'thinking', runId, 'analyse', '-o', 'json'], terminal)).stdout.join('\n');
    expect(JSON.parse(json)).toMatchObject({ style: 'critical' });
    const other = recordedTerminal({ cwd, env: terminal.env });
    expect(await runProgram(['runs', 'thinking', runId, 'tests'], other)).not.toBe(0);
    expect(other.stderr.join()).toContain('no trace');
  });

  test('the cap over all runs is set, shown and taken away', async () => {
    const terminal = await terminalFor();
    await started('count', terminal);
    expect((await answered(['budget'], terminal)).stdout).toEqual(['Cap    none', 'Spent  $0.0022']);
    expect((await answered(['budget', 'set', '5'], terminal)).stdout).toEqual([
      'Cap    $5.00 for all runs together',
      'Spent  $0.0022',
      'Left   $5.00',
    ]);
    expect(JSON.parse((await answered(['budget', '-o', 'json'], terminal)).stdout.join(''))).toMatchObject({ capMicros: 5_000_000 });
    expect((await answered(['budget', 'clear'], terminal)).stdout[0]).toBe('Cap    none');
    expect(await runProgram(['budget', 'set', 'much'], recordedTerminal({ env: terminal.env }))).toBe(2);
  });

  test.each([
    [['--budget', '-1'], 'Write US dollars'],
    [['--budget', '1e3'], 'Write US dollars'],
    [['--budget', '0.0000001'], 'six decimals'],
    [['--on-limit', 'wait'], 'stop, degrade, ask'],
    [['--on-limit', 'degrade'], '--degrade-to MODEL'],
    [['--on-limit', 'ask', '--degrade-to', 'small'], 'Leave one of them out'],
    [['--agent-budget', 'planner'], '--agent-budget data-analyst=0.50'],
  ])('run %p is refused before anything is sent', async (flags, word) => {
    const terminal = await terminalFor();
    expect(await runProgram(['run', 'x', ...flags], terminal)).toBe(2);
    expect(terminal.stderr.join('\n')).toContain(word);
    expect(gateway.requests).toEqual([]);
  });
});

test('agents list', async () => {
  const terminal = await terminalFor();
  expect(await runProgram(['agents', 'list'], terminal)).toBe(0);
  expect(terminal.stderr).toEqual(['No worker is heard. Start them with `cadre dev`.']);
  const agent = { name: 'data-analyst', description: 'd', skills: ['data-analysis'] };
  const life = { startedAt: 0, at: 5000, lastSeenAt: 5000, lost: false, state: 'idle' as const };
  gateway.workers = [{ workerId: 'w1', epoch: 'e', specialty: 'data-analyst', agents: [agent], slots: 2, held: 1, ...life }];
  expect(await runProgram(['agents', 'list'], terminal)).toBe(0);
  expect(terminal.stdout).toEqual([
    'AGENT         STATE  BUSY  UP     SKILLS         WORKER',
    'data-analyst  idle   1/2   5.0 s  data-analysis  w1',
  ]);
});

describe('doctor', () => {
  test('finds what is wrong and says what to do', async () => {
    const terminal = await terminalFor({ ready: false });
    expect(await runProgram(['doctor', '-o', 'json'], terminal)).toBe(1);
    const { healthy, checks } = JSON.parse(terminal.stdout.join('\n')) as {
      healthy: boolean;
      checks: { name: string; status: string; fix?: string }[];
    };
    expect(healthy).toBe(false);
    const byName = Object.fromEntries(checks.map(({ name, status }) => [name, status]));
    expect(byName).toMatchObject({ Node: 'ok', 'Data folder': 'ok', Gateway: 'ok', Services: 'fail', Agents: 'fail' });
    for (const { status, fix } of checks) expect(status === 'ok' || fix !== undefined).toBe(true);
    expect(await readdir(cwd)).toEqual(['rain.csv']);
  });

  test('names an old nats-server and an absent gateway', async () => {
    await writeFile(join(cwd, 'nats-server'), '#!/bin/sh\necho nats-server: v2.10.0\n', { mode: 0o755 });
    const terminal = recordedTerminal({ cwd, env: { CADRE_URL: 'http://127.0.0.1:9', CADRE_NATS_SERVER: join(cwd, 'nats-server') } });
    expect(await runProgram(['doctor'], terminal)).toBe(1);
    const text = terminal.stdout.join('\n');
    expect(text).toMatch(/fail {2}nats-server: .* is nats-server 2\.10\.0; Cadre needs 2\.14\.4 or newer\.\n {6}To do: /);
    expect(text).toMatch(
      /fail {2}Gateway: nothing runs at http:\/\/127\.0\.0\.1:9; its ports are free\n {6}To do: Start Cadre with `cadre dev`\./,
    );
  });
});

describe('usage', () => {
  test('unknown commands, options and values end with 2', async () => {
    for (const args of [
      ['walk'],
      ['run'],
      ['run', 'x', '--colour'],
      ['run', 'x', '-o', 'yaml'],
      ['dev', '--port', 'x'],
      ['watch', 'abc'],
    ]) {
      const terminal = recordedTerminal({ cwd });
      expect([args, await runProgram(args, terminal)]).toEqual([args, 2]);
      expect(terminal.stderr.length).toBeGreaterThan(0);
    }
  });

  test('--help lists the exit codes', async () => {
    const terminal = recordedTerminal({ cwd });
    expect(await runProgram(['--help'], terminal)).toBe(0);
    expect(terminal.stdout.join('\n')).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n {2}4 .*\n {2}5 .*\n {2}130 /);
  });
});

describe('aggregate', () => {
  test('starts a run of its own by a rule with its options, and shows what it comes to', async () => {
    const terminal = await terminalFor();
    const runs = [await started('one', terminal), await started('two', terminal)];
    const rule = [
      '--by',
      'vote',
      '--weighted',
      '--quorum',
      '0.5',
      '--min-confidence',
      '0.6',
      '--need',
      '60%',
      '--partial',
      '--label',
      'a=b',
    ];
    expect(await runProgram(['aggregate', ...runs, ...rule, '--no-download'], terminal)).toBe(0);
    expect(terminal.stdout.join('\n')).toContain('641');
    expect(gateway.aggregations).toMatchObject([
      {
        runs,
        combine: { by: 'vote', weighted: true, quorum: 0.5, tie: 'first' },
        ...{ gate: { minConfidence: 0.6 }, need: { share: 0.6 }, partial: true, options: { labels: { a: 'b' } } },
      },
    ]);
    const agent = recordedTerminal({ cwd, env: terminal.env });
    expect(await runProgram(['aggregate', ...runs, '--agent', 'blender', '--detach'], agent)).toBe(0);
    expect(agent.stdout[0]).toMatch(/^r00-/);
    await runProgram(['aggregate', ...runs, '-q'], agent);
    expect(gateway.aggregations.slice(1)).toMatchObject([{ combine: { by: 'custom', agent: 'blender' } }, { combine: { by: 'summary' } }]);
  });

  test.each([
    [['--by', 'magic'], 'There is no rule "magic"'],
    [['--by', 'custom'], '--agent'],
    [['--by', 'list', '--quorum', '0.5'], 'quorum'],
    [['--by', 'vote', '--quorum', '7'], '--quorum'],
    [['--by', 'vote', '--quorum', 'most'], '--quorum is "most", not a number'],
    [['--need', 'some'], '--need is "some"'],
  ])('%j is refused before anything is sent', async (args, word) => {
    const terminal = await terminalFor();
    expect(await runProgram(['aggregate', 'r00-00000000-0000-7000-8000-000000000001', ...args], terminal)).toBe(2);
    expect(terminal.stderr.join('\n')).toContain(word);
    expect(gateway.requests).toEqual([]);
  });

  test('runs without a result are named', async () => {
    const terminal = await terminalFor();
    const open = await started('this will hang', terminal);
    expect(await runProgram(['aggregate', open, '--by', 'list'], terminal)).toBe(2);
    expect(terminal.stderr.join('\n')).toContain(open);
  });
});
