/** What a command line may say about a run. */
import type { RunRequestInput } from '@cadre/sdk';
import type { Terminal } from '../terminal.js';
import { budgetOptions, type BudgetFlags } from './budget-options.js';
import { parseDuration, parseLabels, parseParams, parsePriority, parseWhole } from './options.js';
import { readPlan } from './plan-file.js';

export interface RunFlags extends BudgetFlags {
  url?: string;
  input?: string[];
  plan?: string;
  /** Show the plan and ask, before any of it is done. */
  preview?: boolean;
  param?: string[];
  deadline?: string;
  serverWait?: string;
  priority?: string;
  maxParallel?: string;
  model?: string;
  continueOnFailure?: boolean;
  collectThinking?: boolean;
  summary?: boolean;
  label?: string[];
  out?: string;
  download?: boolean;
  output?: string;
  idempotencyKey?: string;
  quiet?: boolean;
  detach?: boolean;
}

/** The request that a command line asks for. */
export async function requestOf(goal: string, flags: RunFlags, terminal: Terminal): Promise<RunRequestInput> {
  return {
    goal,
    ...(flags.plan === undefined ? {} : { plan: await readPlan(flags.plan, terminal.cwd) }),
    ...(flags.param === undefined ? {} : { params: parseParams(flags.param) }),
    options: {
      ...(flags.deadline === undefined ? {} : { deadlineMs: parseDuration(flags.deadline) }),
      ...(flags.serverWait === undefined ? {} : { maxServerWaitMs: flags.serverWait === '0' ? 0 : parseDuration(flags.serverWait) }),
      ...(flags.priority === undefined ? {} : { priority: parsePriority(flags.priority) }),
      ...(flags.maxParallel === undefined ? {} : { maxParallel: parseWhole('--max-parallel', 1, 10_000)(flags.maxParallel) }),
      ...(flags.model === undefined ? {} : { model: flags.model }),
      ...(flags.continueOnFailure === true ? { continueOnFailure: true } : {}),
      ...(flags.collectThinking === true ? { collectThinking: true } : {}),
      ...(flags.summary === false ? { summarize: false } : {}),
      ...budgetOptions(flags),
      ...(flags.label === undefined ? {} : { labels: parseLabels(flags.label) }),
    },
  };
}
