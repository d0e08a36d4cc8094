/** Options of `cadre run` about money and people. Dollars on the command line, millionths of a dollar on the wire. */
import type { RunRequestInput } from '@cadre/sdk';
import { UsageError } from '../failure.js';
import { parseDuration, parseMoney } from './options.js';

export interface BudgetFlags {
  budget?: string;
  taskBudget?: string;
  agentBudget?: string[];
  onLimit?: string;
  degradeTo?: string;
  allowUnpriced?: boolean;
  cancelGrace?: string;
  questionTimeout?: string;
}

type Options = NonNullable<RunRequestInput['options']>;
type Budget = NonNullable<Options['budget']>;

const ON_LIMIT = ['stop', 'degrade', 'ask'] as const;

/** The part of a run's options that these flags make. */
export function budgetOptions(flags: BudgetFlags): Pick<Options, 'budget' | 'cancelGraceMs' | 'questionTimeoutMs'> {
  const budget = budgetOf(flags);
  return {
    ...(Object.keys(budget).length === 0 ? {} : { budget }),
    ...(flags.cancelGrace === undefined ? {} : { cancelGraceMs: parseDuration(flags.cancelGrace) }),
    ...(flags.questionTimeout === undefined ? {} : { questionTimeoutMs: parseDuration(flags.questionTimeout) }),
  };
}

function budgetOf(flags: BudgetFlags): Budget {
  const onLimit = onLimitOf(flags);
  return {
    ...(flags.budget === undefined ? {} : { runMicros: parseMoney('--budget')(flags.budget) }),
    ...(flags.taskBudget === undefined ? {} : { taskMicros: parseMoney('--task-budget')(flags.taskBudget) }),
    ...(flags.agentBudget === undefined ? {} : { agentMicros: agentCaps(flags.agentBudget) }),
    ...(onLimit === undefined ? {} : { onLimit }),
    ...(flags.degradeTo === undefined ? {} : { degradeTo: flags.degradeTo }),
    ...(flags.allowUnpriced === true ? { unpricedModels: 'allow' as const } : {}),
  };
}

/** A model to degrade to says by itself that this is what is wanted. */
function onLimitOf({ onLimit, degradeTo }: BudgetFlags): Budget['onLimit'] {
  if (onLimit === undefined) return degradeTo === undefined ? undefined : 'degrade';
  const found = ON_LIMIT.find((each) => each === onLimit);
  if (found === undefined) throw new UsageError(`--on-limit is ${JSON.stringify(onLimit)}.`, `Choose one of ${ON_LIMIT.join(', ')}.`);
  if (found === 'degrade' && degradeTo === undefined)
    throw new UsageError('--on-limit degrade does not say to which model.', 'Add --degrade-to MODEL.');
  if (found !== 'degrade' && degradeTo !== undefined)
    throw new UsageError(`--degrade-to goes with --on-limit degrade, not with ${found}.`, 'Leave one of them out.');
  return found;
}

function agentCaps(pairs: string[]): Record<string, number> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`${JSON.stringify(pair)} names no amount.`, 'Write --agent-budget data-analyst=0.50.');
      return [pair.slice(0, at), parseMoney('--agent-budget')(pair.slice(at + 1))];
    }),
  );
}
