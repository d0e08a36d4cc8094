import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunView } from '@cadre/contracts';
import { runProgram } from './program.js';
import { ProgramStage } from './testing/program-stage.js';
import { recordedTerminal } from './testing/recorded-terminal.js';

let stage: ProgramStage;
beforeEach(async () => {
  stage = await ProgramStage.open();
});
afterEach(() => stage.close());

describe('run', () => {
  test('uploads, shows progress on stderr, prints the answer on stdout, saves the artifacts', async () => {
    const terminal = await stage.terminalFor({ breakAfter: 6 });
    const args = ['run', 'count rain', '--input', 'rain.csv', '--priority', 'high', '--deadline', '5m', '--idempotency-key', 'k'];
    expect(await runProgram(args, terminal)).toBe(0);
    expect(terminal.stdout).toEqual(['# Answer', '', 'It rained on **641** days.']);
    expect(stage.gateway.uploads.get('rain.csv')).toBe('day,mm\n1,2\n');
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
      `2 artifacts in ${join(stage.cwd, 'cadre-output', runId)}`,
    ]);
    expect(await readFile(join(stage.cwd, 'cadre-output', runId, 'charts/rain.svg'), 'utf8')).toContain('<svg');
  });

  test('-o json prints one document, the run', async () => {
    const terminal = await stage.terminalFor();
    expect(await runProgram(['run', 'x', '-o', 'json', '--out', 'here', '-q'], terminal)).toBe(0);
    expect(RunView.parse(JSON.parse(terminal.stdout.join('\n')))).toMatchObject({ status: 'completed', goal: 'x' });
    expect(terminal.stderr).toEqual([]);
    expect((await readdir(join(stage.cwd, 'here'))).sort()).toEqual(['charts', 'report.md']);
  });

  test('a long answer, of which the view holds only the beginning, is fetched whole', async () => {
    const terminal = await stage.terminalFor();
    expect(await runProgram(['run', 'tell me at length', '-q', '--no-download'], terminal)).toBe(0);
    expect(terminal.stdout).toEqual(['# Answer', '', 'The whole of a long answer.']);
    const json = recordedTerminal({ env: terminal.env });
    await runProgram(['run', 'tell me at length', '-q', '--no-download', '-o', 'json'], json);
    expect(JSON.parse(json.stdout.join('\n'))).toMatchObject({ answer: { text: '# Answer\n\nThe whole of a long answer.' } });
  });

  test('the exit code tells a failed run from one that completed in part', async () => {
    const terminal = await stage.terminalFor();
    expect(await runProgram(['run', 'this will fail'], terminal)).toBe(1);
    expect(terminal.stderr.join('\n')).toMatch(/! failed {4}tests .*: the tests did not pass\n/);
    expect(terminal.stderr).toContain('The run failed: the tests did not pass (tool-failed)');
    expect(await runProgram(['run', 'this is partial', '--no-download'], terminal)).toBe(3);
    expect(terminal.stdout.join('\n')).toContain('641');
    expect(terminal.stderr.join('\n')).toMatch(/Completed in part: not done: in French \(/);
    const runId = [...terminal.stderr.join('\n').matchAll(/r00-[\w-]+/g)].at(-1)?.[0] ?? '';
    expect(await runProgram(['runs', 'get', runId], terminal)).toBe(3);
    expect(terminal.stdout).toContain('Missing  in French');
  });

  test('Ctrl-C leaves the run and says how to go on', async () => {
    const terminal = await stage.terminalFor();
    setTimeout(() => terminal.interrupt(), 300);
    expect(await runProgram(['run', 'this will hang'], terminal)).toBe(130);
    expect(terminal.stderr.join('\n')).toMatch(/The run goes on\. To see it again: cadre watch r00-/);
    expect(stage.gateway.requests.some(({ path }) => path.endsWith('/cancel'))).toBe(false);
  });

  test('a refused request names the faults; a missing file is found before anything is sent', async () => {
    const terminal = await stage.terminalFor();
    expect(await runProgram(['run', ' '], terminal)).toBe(2);
    expect(terminal.stderr).toEqual([
      'cadre: The request is not valid.',
      '  - goal: the goal is empty; say what is to be done',
      '  To do: correct the fields named under errors',
    ]);
    expect(await runProgram(['run', 'x', '--input', 'none.csv'], terminal)).toBe(2);
    expect(stage.gateway.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('nobody there: what to do, no stack trace unless asked for', async () => {
    const terminal = recordedTerminal({ cwd: stage.cwd, env: { CADRE_URL: 'http://127.0.0.1:1' } });
    expect(await runProgram(['run', 'x'], terminal)).toBe(5);
    expect(terminal.stderr).toEqual([
      'cadre: No Cadre gateway answers at http://127.0.0.1:1.',
      expect.stringMatching(/To do: Start Cadre with `cadre dev`/),
    ]);
    const debug = recordedTerminal({ cwd: stage.cwd, env: { CADRE_URL: 'http://127.0.0.1:1', CADRE_DEBUG: '1' } });
    await runProgram(['run', 'x'], debug);
    expect(debug.stderr.join('\n')).toMatch(/\n {4}at /);
  });
});

describe('watch and runs', () => {
  test('watch shows a run from its start, and a cancelled one ends with 4', async () => {
    const terminal = await stage.terminalFor();
    const runId = await stage.started('this will hang', terminal);
    const canceller = recordedTerminal({ cwd: stage.cwd, env: terminal.env });
    const cancelled = sleep(200).then(() => runProgram(['runs', 'cancel', runId, '--reason', 'enough'], canceller));
    expect(await runProgram(['watch', runId], terminal)).toBe(4);
    expect(await cancelled).toBe(0);
    expect(terminal.stderr[0]).toMatch(/^> running {3}plan /);
    expect(terminal.stderr).toContain('Cancelling: asked');
    expect(terminal.stderr.at(-1)).toMatch(/^Cancelled: asked \(0 of 1 tasks, 770 tokens, \$0\.0008, /);
  });

  test('cancel waits for the end, and says so when there is nothing to cancel', async () => {
    const terminal = await stage.terminalFor();
    const runId = await stage.started('this will hang', terminal);
    expect(await runProgram(['runs', 'cancel', runId], terminal)).toBe(0);
    expect(terminal.stderr).toEqual([`${runId} is being cancelled; what runs may wind up …`, `${runId} is cancelled.`]);
    expect(await runProgram(['runs', 'cancel', runId], terminal)).toBe(2);
    expect(terminal.stderr.at(-1)).toBe('cadre: The run has already ended.');
  });

  test('list, with pages and as JSON', async () => {
    const terminal = await stage.terminalFor();
    await stage.started('first goal', terminal);
    const second = await stage.started('second goal', terminal);
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
    const terminal = await stage.terminalFor();
    const runId = await stage.started('count', terminal);
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
    const terminal = await stage.terminalFor();
    const runId = await stage.started('this will hang', terminal);
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

test('agents list', async () => {
  const terminal = await stage.terminalFor();
  expect(await runProgram(['agents', 'list'], terminal)).toBe(0);
  expect(terminal.stderr).toEqual(['No worker is heard. Start them with `cadre dev`.']);
  const agent = { name: 'data-analyst', description: 'd', skills: ['data-analysis'] };
  const life = { startedAt: 0, at: 5000, lastSeenAt: 5000, lost: false, state: 'idle' as const };
  stage.gateway.workers = [{ workerId: 'w1', epoch: 'e', specialty: 'data-analyst', agents: [agent], slots: 2, held: 1, ...life }];
  expect(await runProgram(['agents', 'list'], terminal)).toBe(0);
  expect(terminal.stdout).toEqual([
    'AGENT         STATE  BUSY  UP     SKILLS         WORKER',
    'data-analyst  idle   1/2   5.0 s  data-analysis  w1',
  ]);
});

describe('doctor', () => {
  test('finds what is wrong and says what to do', async () => {
    const terminal = await stage.terminalFor({ ready: false });
    expect(await runProgram(['doctor', '-o', 'json'], terminal)).toBe(1);
    const { healthy, checks } = JSON.parse(terminal.stdout.join('\n')) as {
      healthy: boolean;
      checks: { name: string; status: string; fix?: string }[];
    };
    expect(healthy).toBe(false);
    const byName = Object.fromEntries(checks.map(({ name, status }) => [name, status]));
    expect(byName).toMatchObject({ Node: 'ok', 'Data folder': 'ok', Gateway: 'ok', Services: 'fail', Agents: 'fail' });
    for (const { status, fix } of checks) expect(status === 'ok' || fix !== undefined).toBe(true);
    expect(await readdir(stage.cwd)).toEqual(['rain.csv']);
  });

  test('names an old nats-server and an absent gateway', async () => {
    await writeFile(join(stage.cwd, 'nats-server'), '#!/bin/sh\necho nats-server: v2.10.0\n', { mode: 0o755 });
    const terminal = recordedTerminal({
      cwd: stage.cwd,
      env: { CADRE_URL: 'http://127.0.0.1:9', CADRE_NATS_SERVER: join(stage.cwd, 'nats-server') },
    });
    expect(await runProgram(['doctor'], terminal)).toBe(1);
    const text = terminal.stdout.join('\n');
    expect(text).toMatch(/fail {2}nats-server: .* is nats-server 2\.10\.0; Cadre needs 2\.14\.4 or newer\.\n {6}To do: /);
    expect(text).toMatch(
      /fail {2}Gateway: nothing runs at http:\/\/127\.0\.0\.1:9; its ports are free\n {6}To do: Start Cadre with `cadre dev`\./,
    );
    expect(text).not.toMatch(/Model/);
  });

  test("tries a model server of one's own also before Cadre runs", async () => {
    const env = { CADRE_URL: 'http://127.0.0.1:9', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1', CADRE_MODEL: 'mine' };
    const terminal = recordedTerminal({ cwd: stage.cwd, env });
    expect(await runProgram(['doctor'], terminal)).toBe(1);
    expect(terminal.stdout.join('\n')).toMatch(/fail {2}Model default\/mine: nothing answers at http:\/\/127\.0\.0\.1:9\/v1/);
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
      const terminal = recordedTerminal({ cwd: stage.cwd });
      expect([args, await runProgram(args, terminal)]).toEqual([args, 2]);
      expect(terminal.stderr.length).toBeGreaterThan(0);
    }
  });

  test('--help lists the exit codes', async () => {
    const terminal = recordedTerminal({ cwd: stage.cwd });
    expect(await runProgram(['--help'], terminal)).toBe(0);
    expect(terminal.stdout.join('\n')).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n {2}4 .*\n {2}5 .*\n {2}130 /);
  });
});
