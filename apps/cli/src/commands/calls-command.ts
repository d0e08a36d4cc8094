/** `cadre runs calls`: what a run has asked of models and tools, and what each call cost. */
import type { CallView } from '@cadre/contracts';
import { EXIT } from '../exit-codes.js';
import { cost, count, duration, money, oneLine } from '../output/figures.js';
import { table } from '../output/table.js';
import type { Terminal } from '../terminal.js';
import { clientFor, parseFormat, parseRunId } from './options.js';

export async function listCalls(runId: string, flags: { url?: string; output?: string }, terminal: Terminal): Promise<number> {
  const format = parseFormat(flags.output ?? 'text');
  const { calls, more } = await clientFor(flags.url, terminal).calls(parseRunId(runId));
  if (format === 'json') terminal.out(JSON.stringify({ calls, more }, null, 2));
  else if (calls.length === 0) terminal.err('The run has made no calls yet.');
  else {
    table(['TASK', 'ATTEMPT', 'CALL', 'OUTCOME', 'TIME', 'TOKENS', 'COST', 'USED AGAIN', 'NOTE'], calls.map(rowOf)).forEach((line) =>
      terminal.out(line),
    );
    terminal.err(`${more ? 'The first ' : ''}${summary(calls)}`);
  }
  return EXIT.ok;
}

function rowOf(call: CallView): string[] {
  const open = call.outcome === 'open';
  const again = call.try > 1 ? ` (try ${call.try})` : '';
  return [
    call.taskId,
    String(call.attempt),
    `${call.kind === 'model' ? 'model' : 'tool'} ${call.name}${again}`,
    outcomeOf(call),
    open ? '' : duration(call.durationMs),
    call.inputTokens + call.outputTokens === 0 ? '' : (call.inputTokens + call.outputTokens).toLocaleString('en-US'),
    costOf(call),
    call.keptFor === undefined ? '' : `attempt ${call.keptFor}`,
    oneLine(call.note, 60),
  ];
}

function costOf(call: CallView): string {
  if (call.unpriced) return call.outcome === 'failed' ? money(0) : 'unknown';
  if (call.outcome === 'open') return `≤ ${money(call.maxCostMicros)}`;
  return call.overrunMicros === undefined ? money(call.costMicros) : `${money(call.costMicros)} (${money(call.overrunMicros)} over)`;
}

/** A tool that answers with an error has been called, and is done. */
function outcomeOf({ outcome, ok, effect }: CallView): string {
  const shown = outcome === 'done' && !ok ? 'done: error' : outcome;
  return effect === 'none' ? shown : `${shown} (${effect})`;
}

function summary(calls: CallView[]): string {
  const costMicros = calls.reduce((sum, call) => sum + call.costMicros, 0);
  const unpricedCalls = calls.filter(({ unpriced, outcome }) => unpriced && outcome !== 'failed').length;
  const overrun = calls.reduce((sum, call) => sum + (call.overrunMicros ?? 0), 0);
  const open = calls.filter(({ outcome }) => outcome === 'open');
  const kept = calls.filter(({ keptFor }) => keptFor !== undefined).length;
  const aside = open.reduce((sum, call) => sum + call.maxCostMicros, 0);
  return [
    `${count(calls.length, 'call')}, ${cost({ costMicros, unpricedCalls })}`,
    ...(overrun === 0 ? [] : [`${money(overrun)} more than was set aside: a model server billed more than it was allowed`]),
    ...(open.length === 0 ? [] : [`${open.length} under way, for which ${money(aside)} are set aside`]),
    ...(kept === 0 ? [] : [`${kept} not made again by a later attempt`]),
  ].join('; ');
}
