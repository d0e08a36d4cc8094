/** Events, parameters and workflows: what is sent, and what is refused before anything is. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StandInGateway } from '@cadre/sdk/testing';
import { runProgram } from '../program.js';
import { type RecordedTerminal, recordedTerminal } from '../testing/recorded-terminal.js';

let gateway: StandInGateway;
let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'cli-spec-'));
  gateway = await StandInGateway.start();
});
afterEach(async () => {
  await gateway.stop();
  await rm(cwd, { recursive: true, force: true });
});

const terminalFor = (): RecordedTerminal => recordedTerminal({ cwd, env: { CADRE_URL: gateway.url } });

describe('event', () => {
  test('sends what it is told', async () => {
    const terminal = terminalFor();
    expect(await runProgram(['event', 'order.paid', '--data', '{"amount": 120}', '--id', 'o1', '--source', '/shop'], terminal)).toBe(0);
    expect(gateway.events).toEqual([{ type: 'order.paid', source: '/shop', id: 'o1', data: { amount: 120 } }]);
    expect(terminal.stderr).toEqual(['Event o1 is stored; who waits for order.paid gets it.']);
  });

  test.each([
    [['event', 'not a type'], 'is no type of an event'],
    [['event', 'order.paid', '--data', '{amount}'], '--data is not JSON'],
    [['run', 'x', '--param', 'noValue'], 'has no value'],
    [['run', 'x', '--param', '1st=2'], 'a parameter name is letters'],
  ])('%j is refused', async (args, message) => {
    const terminal = terminalFor();
    expect(await runProgram(args, terminal)).toBe(2);
    expect(terminal.stderr.join(' ')).toContain(message);
    expect(gateway.requests).toEqual([]);
  });
});

describe('workflows', () => {
  const FILE = `apiVersion: cadre/v1
kind: Workflow
metadata: { name: count, description: Counts words }
spec:
  goal: count
  params: { texts: {} }
  tasks:
    - { id: a, title: A, instructions: Do it. }
`;

  test('put, list, get and run', async () => {
    await writeFile(join(cwd, 'count.yaml'), FILE);
    const run = async (...args: string[]) => {
      const each = terminalFor();
      expect(await runProgram(['workflows', ...args], each)).toBe(0);
      return each;
    };
    expect((await run('list')).stderr).toEqual(['There are no workflows. Keep one with `cadre workflows put FILE`.']);
    expect((await run('put', 'count.yaml')).stderr).toEqual([
      'Workflow count is kept as version 1. To start it: cadre workflows run count',
    ]);
    expect((await run('list')).stdout.join('\n')).toMatch(/WORKFLOW +VERSION.*\ncount +1 .* Counts words/);
    expect(JSON.parse((await run('get', 'count')).stdout.join(''))).toMatchObject({ kind: 'Workflow', spec: { goal: 'count' } });
    const watched = await run('run', 'count', '--param', 'texts=["a", "b"]', '--use-version', '1');
    expect(watched.stdout).toEqual(['# Answer', '', 'It rained on **641** days.']);
    expect(gateway.workflowRuns).toMatchObject([{ version: 1, params: { texts: ['a', 'b'] } }]);
    expect((await run('run', 'count', '--goal', 'other', '-d')).stdout).toEqual([expect.stringMatching(/^r00-/)]);
  });

  test('a fault is told with its line, and nothing is sent', async () => {
    await writeFile(join(cwd, 'bad.yaml'), FILE.replace('goal: count', 'gaol: count'));
    const terminal = terminalFor();
    expect(await runProgram(['workflows', 'put', 'bad.yaml'], terminal)).toBe(2);
    expect(terminal.stderr.join('\n')).toContain('line 5, spec.goal');
    expect(gateway.requests).toEqual([]);
  });

  test('one that nobody knows', async () => {
    const terminal = terminalFor();
    expect(await runProgram(['workflows', 'run', 'nothing'], terminal)).not.toBe(0);
    expect(terminal.stderr.join(' ')).toContain('There is no workflow');
  });
});
