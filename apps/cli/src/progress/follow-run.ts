/** Follows a run to its end and shows how it goes, on stderr. */
import type { CadreClient } from '@cadre/sdk';
import { consumption, duration, money } from '../output/figures.js';
import type { Terminal } from '../terminal.js';
import { LiveDisplay } from './live-display.js';
import { PlainDisplay } from './plain-display.js';
import type { ProgressDisplay } from './progress-display.js';
import { advance, emptyProgress, type RunProgress } from './run-progress.js';
import { hasEnded } from './task-progress.js';

export interface FollowOptions {
  signal?: AbortSignal;
  /** Show nothing. */
  quiet?: boolean;
}

/** @returns what was seen up to the terminal event */
export async function followRun(client: CadreClient, runId: string, terminal: Terminal, options: FollowOptions = {}): Promise<RunProgress> {
  const { signal, quiet = false } = options;
  const progress = emptyProgress();
  const display = quiet ? silent : displayFor(terminal);
  try {
    for await (const { event } of client.events(runId, signal === undefined ? {} : { signal })) {
      display.update(advance(progress, event), progress);
      if (event.data.type === 'CancelRequested') display.tell(`Cancelling: ${event.data.reason}`);
    }
  } finally {
    await display.finish();
  }
  if (!quiet && progress.unpricedModel !== undefined) terminal.err(unpricedWarning(progress.unpricedModel));
  if (!quiet) terminal.err(summary(progress));
  return progress;
}

const silent: ProgressDisplay = { update: () => undefined, tell: () => undefined, finish: async () => undefined };

function displayFor(terminal: Terminal): ProgressDisplay {
  return terminal.errIsTty ? new LiveDisplay(process.stderr, terminal.columns) : new PlainDisplay((line) => terminal.err(line));
}

/** Once for each run: the first model stands for all. */
function unpricedWarning(model: string): string {
  return `The price of the model ${model} is not known: what the run costs is not counted. CADRE_PRICES sets prices (0 for a model of your own).`;
}

function summary(progress: RunProgress): string {
  const tookMs = (progress.lastAt ?? 0) - (progress.startedAt ?? 0);
  const tasks = [...progress.tasks.values()];
  const words = { completed: 'Completed', partial: 'Completed in part', failed: 'Failed', cancelled: 'Cancelled' };
  const reason = progress.reason === undefined || progress.reason === '' ? '' : `: ${progress.reason}`;
  const title = progress.outcome === undefined ? 'Not finished' : words[progress.outcome];
  const cap = progress.capMicros === undefined ? '' : ` of ${money(progress.capMicros)}`;
  return `${title}${reason} (${tasks.filter(hasEnded).length} of ${tasks.length} tasks, ${consumption(progress.usage)}${cap}, ${duration(tookMs)})`;
}
