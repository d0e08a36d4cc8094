/** Runs the pure core without a log or a clock: commands in, commits kept as blocks, so that a test reads like a story. */
import { Command, Plan, RunOptions } from '@cadre/contracts';
import type {
  Assignment,
  Block,
  CallGrants,
  CallReservation,
  CallSettlement,
  Commit,
  Continuation,
  RunEvent,
  StartRun,
  TaskResult,
  TaskSpecInput,
} from '@cadre/contracts';
import type { z } from 'zod';
import { decideInShard } from '../decide/decide.js';
import { withoutDraft } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { foldCommit } from '../evolve.js';
import { adoptDraft, emptyShard, foldBlock } from '../fold-shard.js';
import { checkInvariants } from '../invariants/check-invariants.js';
import type { InvariantEvidence } from '../invariants/check-invariants.js';
import { recordDecision } from '../invariants/replay-decisions.js';
import type { DecisionRecord } from '../invariants/replay-decisions.js';
import type { Violation } from '../invariants/violation.js';
import type { RunState, ShardState, TaskState } from '../state.js';
import { taskOf } from '../task-table.js';

export const RUN_ID = 'r00-00000000-0000-7000-8000-000000000001';
/** Fields that default to nothing may be left out. */
type Defaulted = 'settle' | 'reserve' | 'tools' | 'fresh';
type Loose<C> = Omit<C, 'id' | 'runId' | Defaulted> & Partial<Pick<C, Defaulted & keyof C>>;
export type CommandBody = Command extends infer C ? (C extends { id: string; runId: string } ? Loose<C> : never) : never;

/** A task with little to say: its id is its title and its instructions. */
export function task(id: string, rest: Partial<TaskSpecInput> = {}): TaskSpecInput {
  return { id, title: id, instructions: id, ...rest };
}

/** @param text the answer, inline */
export function result(text = 'done', rest: Partial<TaskResult> = {}): TaskResult {
  return { answer: { text }, confidence: 0.9, artifacts: [], ...rest };
}

/** The key of a call, by a short name. */
export function callKey(name: string): string {
  return [...name]
    .map((letter) => letter.charCodeAt(0).toString(16))
    .join('')
    .padStart(32, '0');
}

/** A model call about to be made, for at most 100 millionths of a dollar. */
export function reservation(name: string, rest: Partial<CallReservation> = {}): CallReservation {
  return { key: callKey(name), try: 1, kind: 'model', name: 'm', maxCostMicros: 100, ...rest };
}

/** A tool call about to be made, free of charge. */
export function toolCall(
  name: string,
  effect: 'none' | 'idempotent' | 'once' = 'none',
  rest: Partial<CallReservation> = {},
): CallReservation {
  return reservation(name, { kind: 'tool', name: 'tool', maxCostMicros: 0, ...(effect === 'none' ? {} : { effect }), ...rest });
}

/** How that call ended: well, for 40 millionths of a dollar. */
export function settlement(name: string, rest: Partial<CallSettlement> = {}): CallSettlement {
  return {
    key: callKey(name),
    try: 1,
    outcome: 'done',
    ok: true,
    note: '',
    at: 1,
    durationMs: 1,
    inputTokens: 10,
    outputTokens: 1,
    costMicros: 40,
    body: { text: `${name} answered` },
    ...rest,
  };
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
  /** What agents that begin are granted, and their own caps. */
  tools = ['tool'];
  agentCapMicros: number | undefined;
  tenantRoomMicros: number | undefined;
  tenantCapped: boolean | undefined;
  tenantMayDraw: boolean | undefined;
  /** Whether to keep each decision with what it was made from. */
  recording = false;
  /** Whether to see that the draft of each decision comes to what folding its commit comes to. */
  comparing = false;
  /** How many were compared. */
  adopted = 0;
  readonly #records: string[] = [];
  #commands = 0;

  /**
   * Decides, and stores what was accepted as a block of one commit. @param id of the command; that of an earlier one: its message comes
   * again
   */
  send(body: CommandBody, runId = RUN_ID, id = `c${(this.#commands += 1)}`): Decision {
    const command = Command.parse({ ...body, id, runId });
    const { now, random, tenantRoomMicros, tenantCapped, tenantMayDraw } = this;
    const context = { now, random, tenantRoomMicros, tenantCapped, tenantMayDraw };
    const before = this.comparing ? structuredClone(this.shard) : undefined;
    // Stored by folding, as a reader of the log does it.
    const decision = withoutDraft(decideInShard(this.shard, command, context));
    if (this.recording) this.#records.push(JSON.stringify(recordDecision(this.shard, command, context, decision)));
    if (decision.outcome === 'accepted') this.#store(command, decision.events);
    if (before && decision.outcome === 'accepted') this.#compare(before, command, context);
    return decision;
  }

  #compare(shard: ShardState, command: Command, context: DecideContext): void {
    const decision = decideInShard(shard, command, context);
    const commit = this.blocks.at(-1)?.block.commits[0];
    if (decision.outcome !== 'accepted' || !commit || !decision.run) return;
    this.adopted += 1;
    const adopted = JSON.stringify(sorted(adoptDraft(shard, commit, decision.run)));
    if (adopted !== JSON.stringify(sorted(this.shard))) throw new Error(`the draft of ${command.type} is not what its commit folds to`);
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
    const decision = this.send(
      {
        type: 'StartAttempt',
        taskId: id,
        attempt,
        workerId,
        agent: wantedAgent ?? 'generalist',
        tools: this.tools,
        ...(this.agentCapMicros === undefined ? {} : { agentCapMicros: this.agentCapMicros }),
      },
      runId,
    );
    if (decision.outcome !== 'accepted') throw new Error(`task ${id} was not started: ${JSON.stringify(decision)}`);
    return decision.result as unknown as Assignment;
  }

  /** Starts and completes a task. */
  complete(id: string, given: TaskResult = result(`${id} done`)): Decision {
    this.begin(id);
    return this.finish(id, given);
  }

  /** Completes a running task. @param next the worker would go on with this agent */
  finish(id: string, given: TaskResult = result(`${id} done`), workerId = 'w1', next?: Continuation): Decision {
    const { attempt } = this.task(id);
    return this.send({ type: 'CompleteAttempt', taskId: id, attempt, workerId, result: given, ...(next && { next }) });
  }

  /** Starts and fails a task. */
  fail(id: string, retriable = false, message = 'it broke'): Decision {
    this.begin(id);
    const error = { code: 'tool-failed', message, retriable };
    return this.send({ type: 'FailAttempt', taskId: id, attempt: this.task(id).attempt, workerId: 'w1', error });
  }

  /** Settles and reserves for the running attempt of a task. */
  record(id: string, settle: CallSettlement[], reserve: CallReservation[], workerId = 'w1'): Decision {
    return this.send({ type: 'RecordCalls', taskId: id, attempt: this.task(id).attempt, workerId, settle, reserve });
  }

  /** What was granted for it. */
  grants(id: string, settle: CallSettlement[], reserve: CallReservation[]): CallGrants {
    const decision = this.record(id, settle, reserve);
    if (decision.outcome === 'rejected') throw new Error(JSON.stringify(decision));
    return decision.result as unknown as CallGrants;
  }

  /** `granted`, `recorded` … or `ended <code>`: what was granted for it, in short. */
  ask(id: string, ...reserve: CallReservation[]): string {
    const { grants, ended } = this.grants(id, [], reserve);
    return ended ? `ended ${ended.code}` : grants.map(({ grant }) => grant).join(' ');
  }

  /** What was recorded; see `replayDecisions`. */
  decisions(): DecisionRecord[] {
    return this.#records.map((text) => JSON.parse(text) as DecisionRecord);
  }

  violations(evidence: Omit<InvariantEvidence, 'blocks'> = {}): Violation[] {
    return checkInvariants({ blocks: this.blocks, ...evidence });
  }
}

/** With the keys of all objects in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
