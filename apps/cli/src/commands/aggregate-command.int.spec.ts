import { runProgram } from '../program.js';
import { ProgramStage } from '../testing/program-stage.js';
import { recordedTerminal } from '../testing/recorded-terminal.js';

let stage: ProgramStage;
beforeEach(async () => {
  stage = await ProgramStage.open();
});
afterEach(() => stage.close());

describe('aggregate', () => {
  test('starts a run of its own by a rule with its options, and shows what it comes to', async () => {
    const terminal = await stage.terminalFor();
    const runs = [await stage.started('one', terminal), await stage.started('two', terminal)];
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
    expect(stage.gateway.aggregations).toMatchObject([
      {
        runs,
        combine: { by: 'vote', weighted: true, quorum: 0.5, tie: 'first' },
        ...{ gate: { minConfidence: 0.6 }, need: { share: 0.6 }, partial: true, options: { labels: { a: 'b' } } },
      },
    ]);
    const agent = recordedTerminal({ cwd: stage.cwd, env: terminal.env });
    expect(await runProgram(['aggregate', ...runs, '--agent', 'blender', '--detach'], agent)).toBe(0);
    expect(agent.stdout[0]).toMatch(/^r00-/);
    await runProgram(['aggregate', ...runs, '-q'], agent);
    expect(stage.gateway.aggregations.slice(1)).toMatchObject([
      { combine: { by: 'custom', agent: 'blender' } },
      { combine: { by: 'summary' } },
    ]);
  });

  test.each([
    [['--by', 'magic'], 'There is no rule "magic"'],
    [['--by', 'custom'], '--agent'],
    [['--by', 'list', '--quorum', '0.5'], 'quorum'],
    [['--by', 'vote', '--quorum', '7'], '--quorum'],
    [['--by', 'vote', '--quorum', 'most'], '--quorum is "most", not a number'],
    [['--need', 'some'], '--need is "some"'],
  ])('%j is refused before anything is sent', async (args, word) => {
    const terminal = await stage.terminalFor();
    expect(await runProgram(['aggregate', 'r00-00000000-0000-7000-8000-000000000001', ...args], terminal)).toBe(2);
    expect(terminal.stderr.join('\n')).toContain(word);
    expect(stage.gateway.requests).toEqual([]);
  });

  test('runs without a result are named', async () => {
    const terminal = await stage.terminalFor();
    const open = await stage.started('this will hang', terminal);
    expect(await runProgram(['aggregate', open, '--by', 'list'], terminal)).toBe(2);
    expect(terminal.stderr.join('\n')).toContain(open);
  });
});
