/** Invariant 12: the same state, command and context lead to the same decision, in this release as in the one that recorded them. */
import type { Command } from '@cadre/contracts';
import { decideInShard } from '../decide/decide.js';
import { withoutDraft } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { emptyShard } from '../fold-shard.js';
import type { RunState, ShardState } from '../state.js';
import { canonical } from './compare.js';
import type { Violation } from './violation.js';

/** One decision as it was made, in plain JSON. */
export interface DecisionRecord {
  /** The run as it was: open, ended (what is kept of it), or unknown. */
  open?: RunState;
  ended?: ShardState['ended'][string];
  command: Command;
  context: DecideContext;
  decision: Decision;
}

/** What to keep of a decision, to be decided again later. @param shard as it is before the decision is applied */
export function recordDecision(shard: ShardState, command: Command, context: DecideContext, decision: Decision): DecisionRecord {
  const { [command.runId]: open } = shard.open;
  const { [command.runId]: ended } = shard.ended;
  const record = { ...(open && { open }), ...(ended && { ended }), command, context, decision: withoutDraft(decision) };
  return JSON.parse(JSON.stringify(record)) as DecisionRecord;
}

/** Decides all of it again. @returns what comes out otherwise than it did */
export function replayDecisions(records: Iterable<DecisionRecord>): Violation[] {
  const violations: Violation[] = [];
  let number = 0;
  for (const { open, ended, command, context, decision } of records) {
    number += 1;
    const { runId, id, type } = command;
    const shard: ShardState = {
      ...emptyShard(),
      open: open ? { [runId]: open } : {},
      ended: ended ? { [runId]: ended } : {},
      accounts: {},
    };
    const again = withoutDraft(decideInShard(shard, command, context));
    if (canonical(JSON.parse(JSON.stringify(again))) === canonical(decision)) continue;
    const message = `decision ${number}, ${type} ${id} for ${runId}: ${JSON.stringify(again).slice(0, 300)} instead of ${JSON.stringify(decision).slice(0, 300)}`;
    violations.push({ invariant: 12, clause: 'decides-otherwise', message, runId });
  }
  return violations;
}
