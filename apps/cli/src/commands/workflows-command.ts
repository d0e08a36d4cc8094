/** `cadre workflows list|put|get|run`. */
import { EXIT } from '../exit-codes.js';
import { moment, oneLine } from '../output/figures.js';
import { table } from '../output/table.js';
import type { Terminal } from '../terminal.js';
import { clientFor, parseFormat, parseParams } from './options.js';
import { readWorkflow } from './plan-file.js';
import { watchCommand } from './run-command.js';
import type { RunFlags } from './run-flags.js';

export interface WorkflowFlags extends RunFlags {
  useVersion?: number;
  goal?: string;
}

export async function listWorkflows(flags: WorkflowFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const workflows = await clientFor(flags.url, terminal).workflows();
  if (format === 'json') terminal.out(JSON.stringify({ workflows }, null, 2));
  else if (workflows.length === 0) terminal.err('There are no workflows. Keep one with `cadre workflows put FILE`.');
  else {
    const rows = workflows.map(({ name, version, createdAt, description = '' }) => [
      ...[name, String(version), moment(createdAt), oneLine(description, 60)],
    ]);
    table(['WORKFLOW', 'VERSION', 'KEPT', 'DESCRIPTION'], rows).forEach((line) => terminal.out(line));
  }
  return EXIT.ok;
}

export async function putWorkflow(path: string, flags: WorkflowFlags, terminal: Terminal): Promise<number> {
  const workflow = await readWorkflow(path, terminal.cwd);
  const { name, version } = await clientFor(flags.url, terminal).putWorkflow(workflow);
  terminal.err(`Workflow ${name} is kept as version ${version}. To start it: cadre workflows run ${name}`);
  return EXIT.ok;
}

export async function getWorkflow(name: string, flags: WorkflowFlags, terminal: Terminal): Promise<number> {
  const { workflow } = await clientFor(flags.url, terminal).workflow(name, flags.useVersion);
  terminal.out(JSON.stringify(workflow, null, 2));
  return EXIT.ok;
}

export async function runWorkflow(name: string, flags: WorkflowFlags, terminal: Terminal): Promise<number> {
  const { useVersion: version, goal, idempotencyKey } = flags;
  const request = {
    ...(version === undefined ? {} : { version }),
    ...(goal === undefined ? {} : { goal }),
    ...(flags.param === undefined ? {} : { params: parseParams(flags.param) }),
  };
  const { runId } = await clientFor(flags.url, terminal).runWorkflow(name, request, idempotencyKey === undefined ? {} : { idempotencyKey });
  if (flags.detach === true) {
    terminal.out(flags.output === 'json' ? JSON.stringify({ runId }) : runId);
    return EXIT.ok;
  }
  if (flags.quiet !== true) terminal.err(`Run ${runId}`);
  return watchCommand(runId, flags, terminal);
}
