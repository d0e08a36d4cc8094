import type { Command } from '@cadre/contracts';
import type { DecideContext, Decision } from '../decision.js';
import type { EndedRun, RunState, ShardState } from '../state.js';

/** Decides on one command. Pure: the state is only read. `undefined`: no such run is open. */
export function decide(_state: RunState | undefined, _command: Command, _context: DecideContext): Decision {
  throw new Error('to come');
}
/** The answer to a command for a run that has ended (or, with `undefined`, is not known at all and is not to be started). */
export function decideEnded(_ended: EndedRun, _command: Command): Decision {
  throw new Error('to come');
}
/** Looks the run up in the shard, open or ended, and decides. */
export function decideInShard(_shard: ShardState, _command: Command, _context: DecideContext): Decision {
  throw new Error('to come');
}
