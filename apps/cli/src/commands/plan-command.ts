/** `cadre plan`, and the look at a plan before `cadre run --preview` starts it. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CadreError, type Plan, type PlanView, type RunView } from '@cadre/contracts';
import type { CadreClient, InputFile, RunRequestInput } from '@cadre/sdk';
import { EXIT } from '../exit-codes.js';
import { reasonOf, reportFailure, UsageError } from '../failure.js';
import { describePlan, planText } from '../output/plan-description.js';
import { followRun } from '../progress/follow-run.js';
import type { Dialog, Terminal } from '../terminal.js';
import { clientFor, openInputs, parseFormat } from './options.js';
import { readPlan, withLines } from './plan-file.js';
import { requestOf, type RunFlags } from './run-flags.js';

export interface Planned {
  run: RunView;
  plan: PlanView;
}

/** Prints the plan as YAML (or writes it to `--out`), and the table of it beside that. */
export async function planCommand(goal: string, flags: RunFlags, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const client = clientFor(flags.url, terminal);
  const request = await requestOf(goal, flags, terminal);
  const files = await openInputs(flags.input ?? [], terminal.cwd, (line) => terminal.err(line));
  const planned = await havePlanned(client, request, files, flags, terminal);
  if (planned === undefined) return EXIT.interrupted;
  const { run, plan } = planned;
  if (flags.quiet !== true) describePlan(plan, run).forEach((line) => terminal.err(line));
  if (format === 'json') terminal.out(JSON.stringify({ ...plan, usage: run.usage }, null, 2));
  else if (flags.out === undefined) terminal.out(planText(plan).trimEnd());
  if (flags.out !== undefined) {
    await writePlan(resolve(terminal.cwd, flags.out), flags.out, plan);
    const inputs = (flags.input ?? []).map((each) => ` --input ${each}`).join('');
    terminal.err(`The plan is in ${flags.out}. To run it: cadre run ${JSON.stringify(goal)}${inputs} --plan ${flags.out}`);
  }
  return EXIT.ok;
}

async function writePlan(path: string, name: string, plan: PlanView): Promise<void> {
  await writeFile(path, path.endsWith('.json') ? `${JSON.stringify({ tasks: plan.tasks }, null, 2)}\n` : planText(plan)).catch(
    (error: NodeJS.ErrnoException) => {
      throw new UsageError(`The plan cannot be written to ${name}: ${reasonOf(error)}.`);
    },
  );
}

/** Has the goal planned in a run of its own. @returns undefined when Ctrl-C ended the waiting */
export async function havePlanned(
  client: CadreClient,
  request: RunRequestInput,
  files: InputFile[],
  flags: RunFlags,
  terminal: Terminal,
): Promise<Planned | undefined> {
  const asked = { ...request, options: { ...request.options, planOnly: true as const } };
  const { runId } = await client.startRun(asked, { files, idempotencyKey: flags.idempotencyKey ?? randomUUID() });
  const abort = new AbortController();
  const release = terminal.onInterrupt(() => abort.abort(new Error('interrupted')));
  try {
    await followRun(client, runId, terminal, { signal: abort.signal, ...(flags.quiet === true ? { quiet: true } : {}) });
    const run = await client.endedRun(runId, { signal: abort.signal });
    if (run.status === 'completed') return { run, plan: await client.plan(runId, { signal: abort.signal }) };
    throw new CadreError(
      'planning-failed',
      `The planning has ended without a plan: ${run.error?.message ?? run.cancelReason ?? run.status}`,
    );
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    terminal.err(
      `\nThe planning goes on. To see it again: cadre watch ${runId}\n                      To end it:       cadre runs cancel ${runId}`,
    );
    return undefined;
  } finally {
    release();
  }
}

/**
 * Shows the plan, and asks until it is to be run or not. @param start starts it; a plan that is refused is told, and may be edited
 * @returns the exit code when nothing was started
 */
export async function askAboutPlan(
  planned: Plan,
  run: RunView | undefined,
  terminal: Terminal,
  start: (plan: Plan) => Promise<void>,
): Promise<number | undefined> {
  const dialog = needDialog(terminal);
  let plan = planned;
  let text = planText(plan);
  let note: Partial<PlanView> = run
    ? { ...(run.planSource && { source: run.planSource }), ...(run.planNote !== undefined && { note: run.planNote }) }
    : {};
  for (;;) {
    describePlan({ ...note, tasks: plan.tasks }, run).forEach((line) => terminal.err(line));
    const choice = (await dialog.ask('Run it? [y]es, [e]dit, [n]o: ')).trim().toLowerCase();
    if (choice === 'n' || choice === 'no') {
      terminal.err('Nothing of it was started.');
      return EXIT.cancelled;
    }
    if (choice === 'e' || choice === 'edit') {
      ({ plan, text } = (await edited(text, dialog, terminal)) ?? { plan, text });
      note = {};
    }
    if (choice !== 'y' && choice !== 'yes') continue;
    try {
      await start(plan);
      return undefined;
    } catch (error) {
      const refused = withLines(error, 'The plan', text);
      if (refused === error) throw error;
      reportFailure(refused, terminal);
    }
  }
}

export function needDialog({ dialog }: Terminal): Dialog {
  if (dialog) return dialog;
  throw new UsageError(
    '--preview asks before anything is done, and there is no terminal to ask at.',
    'Use `cadre plan GOAL --out plan.yaml`, look at the file, and then `cadre run GOAL --plan plan.yaml`.',
  );
}

/** @returns undefined when what was written is no plan, and is given up */
async function edited(text: string, dialog: Dialog, terminal: Terminal): Promise<{ plan: Plan; text: string } | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'cadre-plan-'));
  const path = join(folder, 'plan.yaml');
  try {
    await writeFile(path, text);
    for (;;) {
      await dialog.edit(path);
      try {
        return { plan: await readPlan(path, folder), text: await readFile(path, 'utf8') };
      } catch (error) {
        reportFailure(error, terminal);
        const again = (await dialog.ask('Edit it again? [y]es, [n]o (the plan stays as it was): ')).trim().toLowerCase();
        if (again === 'n' || again === 'no') return undefined;
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
