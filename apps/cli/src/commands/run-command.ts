/** `cadre run` and `cadre watch`. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Plan, type RunView } from '@cadre/contracts';
import type { CadreClient, InputFile, RunRequestInput } from '@cadre/sdk';
import { EXIT } from '../exit-codes.js';
import { saveArtifacts } from '../output/artifact-folder.js';
import { count } from '../output/figures.js';
import { type OutputFormat, showResult } from '../output/run-output.js';
import { followRun } from '../progress/follow-run.js';
import type { Terminal } from '../terminal.js';
import { clientFor, openInputs, parseFormat, parseRunId } from './options.js';
import { askAboutPlan, havePlanned, needDialog } from './plan-command.js';
import { withLines } from './plan-file.js';
import { requestOf, type RunFlags } from './run-flags.js';

export async function runCommand(goal: string, flags: RunFlags, terminal: Terminal): Promise<number> {
  parseFormat(flags.output ?? 'text');
  if (flags.preview === true) needDialog(terminal);
  const client = clientFor(flags.url, terminal);
  const request = await requestOf(goal, flags, terminal);
  const files = await openInputs(flags.input ?? [], terminal.cwd, (line) => terminal.err(line));
  if (flags.preview === true) return await runPreviewed(client, request, files, flags, terminal);
  return await followStarted(client, await start(client, request, files, flags, terminal), flags, terminal);
}

async function start(
  client: CadreClient,
  request: RunRequestInput,
  files: InputFile[],
  flags: RunFlags,
  terminal: Terminal,
): Promise<string> {
  // A key of our own makes it safe to ask again when an answer does not come.
  const idempotencyKey = flags.idempotencyKey ?? randomUUID();
  try {
    return (await client.startRun(request, { files, idempotencyKey })).runId;
  } catch (error) {
    if (flags.plan === undefined) throw error;
    throw withLines(error, `The plan ${flags.plan}`, await readFile(resolve(terminal.cwd, flags.plan), 'utf8'));
  }
}

/** Nothing is done before somebody has seen the plan and said so. */
async function runPreviewed(
  client: CadreClient,
  request: RunRequestInput,
  files: InputFile[],
  flags: RunFlags,
  terminal: Terminal,
): Promise<number> {
  const { idempotencyKey: _key, ...others } = flags;
  const planned = request.plan ? undefined : await havePlanned(client, request, files, others, terminal);
  if (!request.plan && !planned) return EXIT.interrupted;
  const plan = Plan.parse(request.plan ?? { tasks: planned?.plan.tasks });
  // The planning has brought the files along.
  const rest = planned ? { request: { ...request, inputs: planned.run.inputs }, files: [] } : { request, files };
  let runId = '';
  const code = await askAboutPlan(plan, planned?.run, terminal, async (chosen) => {
    const { plan: _file, ...unread } = flags;
    runId = await start(client, { ...rest.request, plan: chosen }, rest.files, unread, terminal);
  });
  return code ?? (await followStarted(client, runId, flags, terminal));
}

/** Follows a run that has just been started to its end, unless it is to be left alone. */
export async function followStarted(client: CadreClient, runId: string, flags: RunFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
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
