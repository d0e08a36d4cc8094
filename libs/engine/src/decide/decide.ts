/** The one place where commands become events. */
import type { Command } from '@cadre/contracts';
import { duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { endedRun } from '../fold-shard.js';
import type { EndedRun, RunState, ShardState } from '../state.js';
import { isTerminal } from '@cadre/contracts';
import { decideAddTasks } from './add-tasks.js';
import { decideAnswerQuestion, decideExpireQuestion } from './answer-question.js';
import { decideCancelRun, decideExpireRun } from './end-early.js';
import { decideCompleteAttempt, decideExpireAttempt, decideFailAttempt, decideLoseAttempt, decideReleaseAttempt } from './end-attempt.js';
import { decideDelegateWork } from './delegate-work.js';
import { decideRecordCalls } from './record-calls.js';
import { decideStartAttempt } from './start-attempt.js';
import { decideRepeatedStart, decideStartRun } from './start-run.js';
import { decideWakeTask } from './wake-task.js';

function decideOpen(state: RunState, command: Command, context: DecideContext): Decision {
  switch (command.type) {
    case 'StartRun':
      return decideRepeatedStart(state, command);
    case 'AddTasks':
      return decideAddTasks(state, command, context);
    case 'CancelRun':
      return decideCancelRun(state, command, context);
    case 'StartAttempt':
      return decideStartAttempt(state, command, context);
    case 'RecordCalls':
      return decideRecordCalls(state, command, context);
    case 'CompleteAttempt':
      return decideCompleteAttempt(state, command, context);
    case 'FailAttempt':
      return decideFailAttempt(state, command, context);
    case 'ReleaseAttempt':
      return decideReleaseAttempt(state, command, context);
    case 'DelegateWork':
      return decideDelegateWork(state, command, context);
    case 'LoseAttempt':
      return decideLoseAttempt(state, command, context);
    case 'ExpireAttempt':
      return decideExpireAttempt(state, command, context);
    case 'AnswerQuestion':
      return decideAnswerQuestion(state, command, context);
    case 'ExpireQuestion':
      return decideExpireQuestion(state, command, context);
    case 'WakeTask':
      return decideWakeTask(state, command, context);
    case 'ExpireRun':
      return decideExpireRun(state, command, context);
  }
}

/**
 * Decides on one command. Pure: the state is only read. The events of an accepted command are one commit with `at = context.now`.
 * @param state the run, open or ended; undefined: there is none (a run that has left memory is for `decideEnded`)
 */
export function decide(state: RunState | undefined, command: Command, context: DecideContext): Decision {
  if (state === undefined) {
    if (command.type === 'StartRun') return decideStartRun(command, context);
    return rejected('unknown-run', `There is no run ${command.runId}.`);
  }
  if (isTerminal(state.status)) return decideEnded(endedRun(state, context.now), command);
  return decideOpen(state, command, context);
}

/** Decides on a command for a run that has ended. A repeated start, cancel (of a cancelled run) or answer to a question is a duplicate. */
export function decideEnded(ended: EndedRun, command: Command): Decision {
  if (command.type === 'StartRun') return decideRepeatedStart(ended, command);
  if (command.type === 'CancelRun') {
    if (ended.tenant !== command.tenant) return rejected('forbidden', 'This run belongs to another tenant.');
    if (ended.status === 'cancelled') return duplicate();
  }
  if (command.type === 'AnswerQuestion') {
    if (ended.tenant !== command.tenant) return rejected('forbidden', 'This run belongs to another tenant.');
    if (ended.answers?.[command.questionId] === command.choice) return duplicate();
  }
  if (command.type === 'ExpireQuestion' && ended.answers?.[command.questionId] !== undefined) return duplicate();
  return rejected('run-ended', `Run ${command.runId} has ended (${ended.status}).`);
}

/** Looks the run up in the shard, open or ended, and decides. */
export function decideInShard(shard: ShardState, command: Command, context: DecideContext): Decision {
  const ended = shard.ended[command.runId];
  return ended ? decideEnded(ended, command) : decide(shard.open[command.runId], command, context);
}
