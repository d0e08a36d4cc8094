/** `cadre aggregate`. */
import { AggregationRequest } from '@cadre/contracts';
import type { AggregationInput } from '@cadre/sdk';
import { UsageError } from '../failure.js';
import type { Terminal } from '../terminal.js';
import { clientFor, parseLabels, parseRunId } from './options.js';
import { followStarted } from './run-command.js';
import type { RunFlags } from './run-flags.js';

export interface AggregateFlags extends RunFlags {
  by?: string;
  agent?: string;
  instructions?: string;
  minConfidence?: string;
  unknownConfidence?: string;
  where?: string;
  need?: string;
  partial?: boolean;
  score?: string;
  weighted?: boolean;
  quorum?: string;
  threshold?: string;
  tie?: string;
  onConflict?: string;
  goal?: string;
}

export const AGGREGATION_RULES = ['list', 'object', 'concat', 'first', 'last', 'best', 'rank', 'vote', 'merge', 'summary', 'custom'];

export async function aggregateCommand(runs: string[], flags: AggregateFlags, terminal: Terminal): Promise<number> {
  const client = clientFor(flags.url, terminal);
  const request = requestOf(runs.map(parseRunId), flags);
  const { runId } = await client.aggregate(request, flags.idempotencyKey === undefined ? {} : { idempotencyKey: flags.idempotencyKey });
  return await followStarted(client, runId, flags, terminal);
}

function requestOf(runs: string[], flags: AggregateFlags): AggregationInput {
  const { goal, need, partial, minConfidence, unknownConfidence, where, label } = flags;
  const gate = defined({ minConfidence: numberOf('--min-confidence', minConfidence), unknownConfidence, where });
  const request = defined({
    ...{ runs, combine: ruleOf(flags), goal, need: needOf(need), partial },
    gate: Object.keys(gate).length === 0 ? undefined : gate,
    options: label === undefined ? undefined : { labels: parseLabels(label) },
  });
  const parsed = AggregationRequest.safeParse(request);
  if (parsed.success) return request as unknown as AggregationInput;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${optionOf(issue?.path ?? [])}: ${issue?.message ?? ''}.`, 'cadre aggregate --help tells what each rule takes.');
}

/** Options that the rule does not have are faults, which the schema finds. */
function ruleOf({ by, agent, instructions, score, weighted, quorum, threshold, tie, onConflict }: AggregateFlags): object {
  const rule = by ?? (agent === undefined ? 'summary' : 'custom');
  if (!AGGREGATION_RULES.includes(rule))
    throw new UsageError(`There is no rule ${JSON.stringify(rule)}.`, `Choose one of ${AGGREGATION_RULES.join(', ')}.`);
  const votes = { quorum: numberOf('--quorum', quorum), threshold: numberOf('--threshold', threshold), weighted, tie };
  return defined({ by: rule, agent, instructions, score, onConflict, ...votes });
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`${name} is ${JSON.stringify(text)}, not a number.`);
  return value;
}

/** `all`, `any`, a number, or a share such as `60%`. */
function needOf(text: string | undefined): unknown {
  if (text === undefined || text === 'all' || text === 'any') return text;
  const share = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim())?.[1];
  return share === undefined ? numberOf('--need', text) : { share: Number(share) / 100 };
}

/** The option that a fault is about. */
function optionOf(path: readonly PropertyKey[]): string {
  const last = path.findLast((each) => typeof each === 'string' && each !== 'combine' && each !== 'gate');
  if (last === undefined || last === 'runs') return 'The aggregation';
  return `--${String(last).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
