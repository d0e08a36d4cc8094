/** Runs the pure core without a log or a clock: commands in, commits kept as blocks, so that a test reads like a story. */
import { NO_USAGE, Plan, RunOptions } from '@cadre/contracts';
import type { Assignment, Block, Command, Commit, RunEvent, StartRun, TaskResult, TaskSpecInput } from '@cadre/contracts';
import type { z } from 'zod';
import { decideInShard } from '../decide/decide.js';
import type { Decision } from '../decision.js';
import { foldCommit } from '../evolve.js';
import { emptyShard, foldBlock } from '../fold-shard.js';
import { checkInvariants } from '../invariants/check-invariants.js';
import type { InvariantEvidence } from '../invariants/check-invariants.js';
import type { Violation } from '../invariants/violation.js';
import type { RunState, ShardState, TaskState } from '../state.js';
import { taskOf } from '../task-table.js';

export const RUN_ID = 'r00-00000000-0000-7000-8000-000000000001';
type CommandBody = Command extends infer C ? (C extends { id: string; runId: string } ? Omit<C, 'id' | 'runId'> : never) : never;

/** A task with little to say: its id is its title and its instructions. */
export function task(id: string, rest: Partial<TaskSpecInput> = {}): TaskSpecInput {
  return { id, title: id, instructions: id, ...rest };
}

/** @param text the answer, inline */
export function result(text = 'done', rest: Partial<TaskResult> = {}): TaskResult {
  return { answer: { text }, confidence: 0.9, artifacts: [], usage: NO_USAGE, ...rest };
}

/** The body of a `StartRun`. With tasks: a submitted plan. */
export function startBody(
  tasks?: TaskSpecInput[],
  options: z.input<typeof RunOptions> = {},
  goal = 'a goal',
): Omit<StartRun, 'id' | 'runId'> {
  return {
    type: 'StartRun',
    tenant: 'default',
    goal,
    inputs: [],
    options: RunOptions.parse(options),
    fingerprint: 'f1',
    ...(tasks === undefined ? {} : { plan: Plan.parse({ tasks }) }),
  };
}

export class EngineRig {
  now = 1_000_000;
  random = 0;
  shard: ShardState = emptyShard();
  readonly blocks: { seq: number; block: Block }[] = [];
  /** All runs, ended ones too, folded commit by commit. */
  readonly runs = new Map<string, RunState>();
  #commands = 0;

  /** Decides, and stores what was accepted as a block of one commit. */
  send(body: CommandBody, runId = RUN_ID): Decision {
    const command = { ...body, id: `c${(this.#commands += 1)}`, runId } as Command;
    const decision = decideInShard(this.shard, command, { now: this.now, random: this.random });
    if (decision.outcome === 'accepted') this.#store(command, decision.events);
    return decision;
  }

  #store(command: Command, events: RunEvent[]): void {
    const { runId, id } = command;
    // Through JSON, as the log does it: nothing may depend on shared objects or on fields that are undefined.
    const commit = JSON.parse(
      JSON.stringify({ runId, seq: (this.runs.get(runId)?.seq ?? 0) + 1, at: this.now, cause: id, events }),
    ) as Commit;
    const seq = this.blocks.length + 1;
    const block: Block = { v: 1, id: `b${seq}`, shard: 0, owner: 'rig', kind: 'commits', at: this.now, commits: [commit] };
    this.blocks.push({ seq, block });
    this.shard = foldBlock(this.shard, block);
    this.runs.set(runId, foldCommit(this.runs.get(runId), commit));
  }

  start(tasks?: TaskSpecInput[], options: z.input<typeof RunOptions> = {}, goal?: string): Decision {
    return this.send(startBody(tasks, options, goal));
  }

  run(runId = RUN_ID): RunState {
    const run = this.runs.get(runId);
    if (!run) throw new Error(`no run ${runId}`);
    return run;
  }

  task(id: string, runId = RUN_ID): TaskState {
    const found = taskOf(this.run(runId).tasks, id);
    if (!found) throw new Error(`no task ${id}`);
    return found;
  }

  /** `a:completed b:waiting`: all tasks, in plan order. */
  statuses(runId = RUN_ID): string {
    return Object.entries(this.run(runId).tasks)
      .map(([id, { status }]) => `${id}:${status}`)
      .join(' ');
  }

  /** Starts the open attempt of a task, as soon as it may. */
  begin(id: string, workerId = 'w1', runId = RUN_ID): Assignment {
    const { attempt, notBefore, wantedAgent } = this.task(id, runId);
    this.now = Math.max(this.now, notBefore);
    const decision = this.send({ type: 'StartAttempt', taskId: id, attempt, workerId, agent: wantedAgent ?? 'generalist' }, runId);
    if (decision.outcome !== 'accepted') throw new Error(`task ${id} was not started: ${JSON.stringify(decision)}`);
    return decision.result as unknown as Assignment;
  }

  /** Starts and completes a task. */
  complete(id: string, given: TaskResult = result(`${id} done`)): Decision {
    this.begin(id);
    return this.finish(id, given);
  }

  /** Completes a running task. */
  finish(id: string, given: TaskResult = result(`${id} done`), workerId = 'w1'): Decision {
    return this.send({ type: 'CompleteAttempt', taskId: id, attempt: this.task(id).attempt, workerId, result: given });
  }

  /** Starts and fails a task. */
  fail(id: string, retriable = false, message = 'it broke'): Decision {
    this.begin(id);
    const error = { code: 'tool-failed', message, retriable };
    return this.send({ type: 'FailAttempt', taskId: id, attempt: this.task(id).attempt, workerId: 'w1', error, usage: NO_USAGE });
  }

  violations(evidence: Omit<InvariantEvidence, 'blocks'> = {}): Violation[] {
    return checkInvariants({ blocks: this.blocks, ...evidence });
  }
}
