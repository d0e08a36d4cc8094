/** `cadre run` and `cadre watch`. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { RunView } from '@cadre/contracts';
import type { CadreClient, RunRequestInput } from '@cadre/sdk';
import { EXIT } from '../exit-codes.js';
import { saveArtifacts } from '../output/artifact-folder.js';
import { count } from '../output/figures.js';
import { type OutputFormat, showResult } from '../output/run-output.js';
import { followRun } from '../progress/follow-run.js';
import type { Terminal } from '../terminal.js';
import { budgetOptions, type BudgetFlags } from './budget-options.js';
import {
  clientFor,
  openInputs,
  parseDuration,
  parseFormat,
  parseLabels,
  parseParams,
  parsePriority,
  parseRunId,
  parseWhole,
} from './options.js';
import { readPlan } from './plan-file.js';

export interface RunFlags extends BudgetFlags {
  url?: string;
  input?: string[];
  plan?: string;
  param?: string[];
  deadline?: string;
  priority?: string;
  maxParallel?: string;
  model?: string;
  continueOnFailure?: boolean;
  summary?: boolean;
  label?: string[];
  out?: string;
  download?: boolean;
  output?: string;
  idempotencyKey?: string;
  quiet?: boolean;
  detach?: boolean;
}

export async function runCommand(goal: string, flags: RunFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const client = clientFor(flags.url, terminal);
  const request = await requestOf(goal, flags, terminal);
  const files = await openInputs(flags.input ?? [], terminal.cwd, (line) => terminal.err(line));
  const { runId } = await client.startRun(request, {
    files,
    // A key of our own makes it safe to ask again when an answer does not come.
    idempotencyKey: flags.idempotencyKey ?? randomUUID(),
  });
  if (flags.detach === true) {
    terminal.out(format === 'json' ? JSON.stringify({ runId }) : runId);
    return EXIT.ok;
  }
  if (flags.quiet !== true) terminal.err(`Run ${runId}`);
  return await watchToEnd(client, runId, format, flags, terminal);
}

export async function watchCommand(runId: string, flags: RunFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const client = clientFor(flags.url, terminal);
  await client.getRun(parseRunId(runId));
  return await watchToEnd(client, runId, format, { ...flags, download: flags.out !== undefined }, terminal);
}

async function requestOf(goal: string, flags: RunFlags, terminal: Terminal): Promise<RunRequestInput> {
  return {
    goal,
    ...(flags.plan === undefined ? {} : { plan: await readPlan(flags.plan, terminal.cwd) }),
    ...(flags.param === undefined ? {} : { params: parseParams(flags.param) }),
    options: {
      ...(flags.deadline === undefined ? {} : { deadlineMs: parseDuration(flags.deadline) }),
      ...(flags.priority === undefined ? {} : { priority: parsePriority(flags.priority) }),
      ...(flags.maxParallel === undefined ? {} : { maxParallel: parseWhole('--max-parallel', 1, 10_000)(flags.maxParallel) }),
      ...(flags.model === undefined ? {} : { model: flags.model }),
      ...(flags.continueOnFailure === true ? { continueOnFailure: true } : {}),
      ...(flags.summary === false ? { summarize: false } : {}),
      ...budgetOptions(flags),
      ...(flags.label === undefined ? {} : { labels: parseLabels(flags.label) }),
    },
  };
}

async function watchToEnd(client: CadreClient, runId: string, format: OutputFormat, flags: RunFlags, terminal: Terminal): Promise<number> {
  const abort = new AbortController();
  const release = terminal.onInterrupt(() => abort.abort(new Error('interrupted')));
  let run: RunView;
  try {
    await followRun(client, runId, terminal, { signal: abort.signal, ...(flags.quiet === true ? { quiet: true } : {}) });
    run = await client.endedRun(runId, { signal: abort.signal });
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    terminal.err(`\nThe run goes on. To see it again: cadre watch ${runId}\n                 To end it:       cadre runs cancel ${runId}`);
    return EXIT.interrupted;
  } finally {
    release();
  }
  const code = await showResult(run, client, format, terminal);
  if (flags.download !== false) await download(client, runId, resolve(terminal.cwd, flags.out ?? `cadre-output/${runId}`), flags, terminal);
  return code;
}

/** Also those of a run that failed: what its tasks made is worth having. */
async function download(client: CadreClient, runId: string, folder: string, flags: RunFlags, terminal: Terminal): Promise<void> {
  const artifacts = await client.artifacts(runId);
  if (artifacts.length === 0) return;
  await saveArtifacts(client, runId, artifacts, folder);
  if (flags.quiet !== true) terminal.err(`${count(artifacts.length, 'artifact')} in ${folder}`);
}
