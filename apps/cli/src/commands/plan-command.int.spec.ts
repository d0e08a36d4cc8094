import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Plan, type RunRequest } from '@cadre/contracts';
import { StandInGateway } from '@cadre/sdk/testing';
import { parse } from 'yaml';
import { runProgram } from '../program.js';
import { recordedTerminal, type RecordedTerminal } from '../testing/recorded-terminal.js';

let gateway: StandInGateway;
let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'plan-spec-'));
  await writeFile(join(cwd, 'rain.csv'), 'day,mm\n1,2\n');
  gateway = await StandInGateway.start();
});
afterEach(async () => {
  await gateway.stop();
  await rm(cwd, { recursive: true, force: true });
});

/** @param answers to the questions, in order @param edits what the editor makes of the file, in order */
function terminalFor(answers?: string[], edits: ((text: string) => string)[] = []): RecordedTerminal {
  const dialog = answers && {
    ask: (question: string) => Promise.resolve((terminal.err(question), answers.shift() ?? 'n')),
    edit: async (path: string) => writeFile(path, edits.shift()!(await readFile(path, 'utf8'))),
  };
  const terminal: RecordedTerminal = recordedTerminal({ cwd, env: { CADRE_URL: gateway.url }, ...(dialog && { dialog }) });
  return terminal;
}

const bodies = (): RunRequest[] => gateway.bodies as RunRequest[];

describe('plan', () => {
  test('prints the plan as YAML, and beside it what people look at', async () => {
    const terminal = terminalFor();
    expect(await runProgram(['plan', 'count rain', '--input', 'rain.csv', '--budget', '0.5'], terminal)).toBe(0);
    expect(parse(terminal.stdout.join('\n'))).toEqual({
      tasks: [
        { id: 'analyse', title: 'Analyse the data', instructions: 'Analyse the data' },
        { id: 'tests', title: 'Write tests', instructions: 'Write tests', dependsOn: ['analyse'] },
      ],
    });
    const shown = terminal.stderr.join('\n');
    expect(shown).toMatch(
      /TASK +PRIORITY +ESTIMATE +WHO +AFTER +WHAT\nanalyse +medium +anyone +Analyse the data\ntests +medium +anyone +analyse +Write tests/,
    );
    expect(shown).toMatch(/Planned by a template for 770 tokens, \$0\.0008\nNote: No model was asked\.$/);
    expect(bodies()).toMatchObject([{ goal: 'count rain', options: { planOnly: true, budget: { runMicros: 500_000 } } }]);
    expect(gateway.uploads.get('rain.csv')).toBe('day,mm\n1,2\n');
  });

  test('writes it to a file, and says how to run it', async () => {
    const terminal = terminalFor();
    expect(await runProgram(['plan', 'count rain', '--input', 'rain.csv', '--out', 'plan.yaml', '-q'], terminal)).toBe(0);
    expect(terminal.stderr).toEqual(['The plan is in plan.yaml. To run it: cadre run "count rain" --input rain.csv --plan plan.yaml']);
    expect(terminal.stdout).toEqual([]);
    expect(await runProgram(['run', 'count rain', '--plan', 'plan.yaml', '-q', '--no-download'], terminal)).toBe(0);
    const { plan } = bodies()[1]!;
    expect(Plan.parse(plan).tasks.map(({ id }) => id)).toEqual(['analyse', 'tests']);
    const json = terminalFor();
    expect(await runProgram(['plan', 'count rain', '--out', 'plan.json', '-o', 'json', '-q'], json)).toBe(0);
    expect(JSON.parse(json.stdout.join('\n'))).toMatchObject({ source: 'template', tasks: { length: 2 }, usage: { modelCalls: 1 } });
    expect(Plan.parse(JSON.parse(await readFile(join(cwd, 'plan.json'), 'utf8'))).tasks).toHaveLength(2);
  });

  test('a plan that did not come, and a file that cannot be written', async () => {
    const terminal = terminalFor();
    expect(await runProgram(['plan', 'x', '--out', 'no/such/folder.yaml', '-q'], terminal)).toBe(2);
    expect(terminal.stderr.join('\n')).toContain('there is no such file');
    setTimeout(() => terminal.interrupt(), 300);
    expect(await runProgram(['plan', 'this will hang'], terminal)).toBe(130);
    expect(terminal.stderr.join('\n')).toContain('The planning goes on');
  });
});

describe('run --preview', () => {
  test('runs what was shown when that is wanted, with the files of the planning', async () => {
    const terminal = terminalFor(['what?', 'y']);
    expect(await runProgram(['run', 'count rain', '--input', 'rain.csv', '--preview', '--no-download', '--label', 'a=b'], terminal)).toBe(
      0,
    );
    expect(terminal.stdout.join('\n')).toContain('641');
    expect(terminal.stderr.filter((line) => line.startsWith('Run it?'))).toHaveLength(2);
    const [planning, run] = bodies();
    expect(planning).toMatchObject({ options: { planOnly: true, labels: { a: 'b' } } });
    expect(run).toMatchObject({
      goal: 'count rain',
      options: { labels: { a: 'b' } },
      inputs: [{ name: 'rain.csv' }],
      plan: { tasks: { length: 2 } },
    });
    expect(run!.options).not.toHaveProperty('planOnly');
  });

  test('runs nothing when it is declined', async () => {
    const terminal = terminalFor(['n']);
    expect(await runProgram(['run', 'count rain', '--preview'], terminal)).toBe(4);
    expect(terminal.stderr.at(-1)).toBe('Nothing of it was started.');
    expect(bodies()).toHaveLength(1);
  });

  test('runs the plan as it was edited; faults are told with their line, and nothing is lost', async () => {
    const edits = [
      (text: string) => text.replace('title: Write tests', 'titel: Write tests'),
      (text: string) => text.replace('titel: Write tests', 'title: Write better tests'),
    ];
    const terminal = terminalFor(['e', 'y', 'y'], edits);
    expect(await runProgram(['run', 'count rain', '--preview', '-q', '--no-download'], terminal)).toBe(0);
    expect(terminal.stderr.join('\n')).toMatch(/plan\.yaml is not valid:\n {2}- line \d+, tasks\.1\.title: /);
    expect(terminal.stderr.join('\n')).toContain('Write better tests');
    expect(bodies()[1]?.plan?.tasks[1]).toMatchObject({ title: 'Write better tests', dependsOn: ['analyse'] });
  });

  test('a given plan is shown without having it planned', async () => {
    const terminal = terminalFor(['y']);
    const task = (id: string, more = '') => `  - { id: ${id}, title: ${id}, instructions: Do it., estimatedMs: 60000${more} }\n`;
    const scope =
      '  - { id: c, title: c, instructions: x, dependsOn: [a, b], scope: { over: params.x, body: [{ id: d, title: d, instructions: x }] } }\n';
    await writeFile(
      join(cwd, 'plan.yaml'),
      `tasks:\n${task('a', ', why: It comes first.')}${task('b', ', skills: [testing], agent: tester')}${scope}`,
    );
    expect(await runProgram(['run', 'x', '--plan', 'plan.yaml', '--preview', '-q', '--no-download'], terminal)).toBe(0);
    const shown = terminal.stderr.join('\n');
    expect(shown).toMatch(/b +medium +1 min 0 s +tester +b\nc +medium +1 task for each of params\.x +a, b +c/);
    expect(shown).toContain('a: It comes first.');
    expect(shown).toContain('3 tasks, about 2 min 0 s of work, at least 1 min 0 s from start to end');
    expect(bodies()).toHaveLength(1);
  });

  test('without a terminal it is refused before anything is done', async () => {
    const terminal = terminalFor();
    expect(await runProgram(['run', 'x', '--preview'], terminal)).toBe(2);
    expect(terminal.stderr.join('\n')).toContain('there is no terminal to ask at');
    expect(gateway.requests).toEqual([]);
  });
});

test('what the gateway finds wrong with a plan is told with the line of the file', async () => {
  gateway.refusedPlan = { path: 'plan.tasks[1]', message: 'Task b depends on nowhere, which is not in the plan.' };
  const terminal = terminalFor(['y', 'n']);
  await writeFile(
    join(cwd, 'plan.yaml'),
    'tasks:\n  - { id: a, title: a, instructions: x }\n  - { id: b, title: b, instructions: x, dependsOn: [nowhere] }\n',
  );
  expect(await runProgram(['run', 'x', '--plan', 'plan.yaml'], terminal)).toBe(2);
  expect(terminal.stderr.slice(0, 2)).toEqual([
    'cadre: The plan plan.yaml cannot be run:',
    '  - line 3, tasks.1: Task b depends on nowhere, which is not in the plan.',
  ]);
  expect(await runProgram(['run', 'x', '--plan', 'plan.yaml', '--preview'], terminal)).toBe(4);
  expect(terminal.stderr.join('\n')).toContain('The plan cannot be run:\n  - line 5, tasks.1: Task b depends on nowhere');
});
