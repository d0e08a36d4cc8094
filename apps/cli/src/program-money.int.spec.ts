import { setTimeout as sleep } from 'node:timers/promises';
import { CadreClient } from '@cadre/sdk';
import { runProgram } from './program.js';
import { ProgramStage } from './testing/program-stage.js';
import { type RecordedTerminal, recordedTerminal } from './testing/recorded-terminal.js';

let stage: ProgramStage;
beforeEach(async () => {
  stage = await ProgramStage.open();
});
afterEach(() => stage.close());

describe('money and questions', () => {
  const answered = async (args: string[], terminal: RecordedTerminal): Promise<RecordedTerminal> => {
    const other = recordedTerminal({ cwd: stage.cwd, env: { ...terminal.env, USER: 'ada' } });
    expect([await runProgram(args, other), other.stderr]).toEqual([0, expect.anything()]);
    return other;
  };

  test('a budget goes with the run, in millionths', async () => {
    const terminal = await stage.terminalFor();
    const args = ['run', 'this will hang', '-d', '--budget', '2', '--task-budget', '$0.50', '--agent-budget', 'planner=0.000001'];
    await runProgram(
      [...args, '--degrade-to', 'small', '--allow-unpriced', '--cancel-grace', '2s', '--question-timeout', '1h', '--server-wait', '0'],
      terminal,
    );
    const run = await new CadreClient({ baseUrl: stage.gateway.url }).getRun(terminal.stdout[0]!);
    expect(run.options).toMatchObject({
      budget: {
        ...{ runMicros: 2_000_000, taskMicros: 500_000, agentMicros: { planner: 1 } },
        ...{ onLimit: 'degrade', degradeTo: 'small', unpricedModels: 'allow' },
      },
      cancelGraceMs: 2000,
      questionTimeoutMs: 3_600_000,
      maxServerWaitMs: 0,
    });
    const text = await answered(['runs', 'get', run.runId], terminal);
    expect(text.stdout).toContain(
      'Budget   $2.00 for the run, $0.5000 for each task, $0.000001 for planner; then it goes on with small; models without a price are allowed',
    );
  });

  test('a run that asks: seen while it is watched, in lists and in the run; answered; it goes on', async () => {
    const terminal = await stage.terminalFor();
    const runId = await stage.started('this will ask', terminal);
    const hint = `cadre answer ${runId} q1 approve|deny`;
    const watching = runProgram(['watch', runId], terminal);
    while (!terminal.stderr.at(-1)?.includes('waits for an answer')) await sleep(20);
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
    const terminal = await stage.terminalFor();
    const runId = await stage.started('this will ask', terminal);
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
      const other = recordedTerminal({ cwd: stage.cwd, env: terminal.env });
      expect([args, await runProgram([...args], other)]).toEqual([args, 2]);
      expect(other.stderr.join('\n')).toContain(word);
    }
    expect((await answered(['questions'], terminal)).stdout).toHaveLength(4);
  });

  test('the calls of a run, with what each cost', async () => {
    const terminal = await stage.terminalFor();
    const runId = await stage.started('this will ask', terminal);
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
    const terminal = await stage.terminalFor();
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
    const other = recordedTerminal({ cwd: stage.cwd, env: terminal.env });
    expect(await runProgram(['runs', 'thinking', runId, 'tests'], other)).not.toBe(0);
    expect(other.stderr.join()).toContain('no trace');
  });

  test('the cap over all runs is set, shown and taken away', async () => {
    const terminal = await stage.terminalFor();
    await stage.started('count', terminal);
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
    const terminal = await stage.terminalFor();
    expect(await runProgram(['run', 'x', ...flags], terminal)).toBe(2);
    expect(terminal.stderr.join('\n')).toContain(word);
    expect(stage.gateway.requests).toEqual([]);
  });
});
