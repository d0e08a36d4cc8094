/**
 * Looks at all that is stored and answered, as it happens, and knows what must hold. It follows each shard's log by the audit of the
 * engine, which is written apart from the engine's own decisions, and keeps beside it what only the outside can see: answers, runs,
 * effects.
 */
import type { Block, Command, Json, CommandReply, Commit, CompleteAttempt, ShardCommand, StartRun, TaskSpec } from '@cadre/contracts';
import { ShardAudit, checkInvariants, compareAccounts, compareSnapshot, type Violation } from '@cadre/engine';
import { isTerminal, shardOf } from '@cadre/contracts';
import type { RunState } from '@cadre/engine';
import type { LogStream } from '../broker/log-stream.js';
import type { Trace } from '../trace.js';
import { CallWatch } from './call-watch.js';

/** What is wrong. */
export interface Finding {
  clause: string;
  message: string;
}

const MOST_SNAPSHOTS = 4;

export class Watch {
  finding: Finding | undefined;
  /** Called with each block that is stored. */
  onBlock: (seq: number, block: Block) => void = () => undefined;
  /** Starts sent by users, by run. */
  readonly sent = new Map<string, StartRun>();
  /** Runs whose start was answered `accepted` or `duplicate`, with the digest of the request that was. */
  readonly started = new Map<string, string>();
  readonly calls: CallWatch;
  readonly #audits: ShardAudit[];
  readonly #blocks: { seq: number; block: Block }[][];
  /** Results on their way, by command. */
  readonly #results = new Map<string, CompleteAttempt>();
  /** Commands that have changed an account. */
  readonly #accountCauses = new Set<string>();
  /** By shard: whose claim stands. */
  readonly #claimants: string[] = [];
  readonly #open = new Set<string>();
  readonly #accepted: { runId: string; commandId: string }[] = [];
  #snapshots = 0;

  constructor(
    logs: readonly LogStream[],
    private readonly trace: Trace,
    hasBlob: (sha256: string) => boolean,
    effectOf: (name: string) => 'none' | 'idempotent' | 'once',
    mayDo: (agent: string, spec: TaskSpec | undefined) => boolean,
  ) {
    this.calls = new CallWatch((clause, message) => this.fail(clause, message), hasBlob, effectOf, mayDo);
    this.#audits = logs.map(() => new ShardAudit((violation) => this.#violated(violation), logs.length));
    this.#blocks = logs.map(() => []);
    for (const log of logs) {
      log.onStored = (seq, block) => this.#stored(log.shard, seq, block);
      log.onSnapshot = (seq, json) => this.#snapshot(log.shard, seq, json);
    }
  }

  /**
   * Whether the broker has just broken its word about a lease: until the holder hears of it, it may deny runs that its successor has
   * started.
   */
  leaseTakenBack: () => boolean = () => false;

  fail(clause: string, message: string): void {
    this.finding ??= { clause, message };
    this.trace.say('WATCH', () => `${clause}: ${message}`);
  }

  /** Open runs of the log. */
  get openRuns(): number {
    return this.#open.size;
  }

  /** The fold of a run, as the log has it. */
  run(runId: string): RunState | undefined {
    return this.#audits[shardOf(runId)]?.folded.runs.get(runId);
  }

  *openStates(): Iterable<RunState> {
    for (const runId of this.#open) {
      const run = this.run(runId);
      if (run) yield run;
    }
  }

  /** Questions that nobody has answered yet. */
  *openQuestions(): Iterable<RunState['questions'][string] & { runId: string; tenant: string }> {
    for (const { runId, tenant, questions } of this.openStates()) {
      for (const question of Object.values(questions)) if (!question.answer) yield { ...question, runId, tenant };
    }
  }

  /** Tasks that wait for an event. */
  *openWaits(): Iterable<{ runId: string; taskId: string }> {
    for (const { runId, tasks } of this.openStates()) {
      for (const { spec, status } of Object.values(tasks)) {
        if (status === 'open' && spec.wait && 'event' in spec.wait) yield { runId, taskId: spec.id };
      }
    }
  }

  /** Commands come to an owner. @returns what is to be told of its replies as they leave it: what is answered is stored */
  arrived(commands: readonly ShardCommand[]): (replies: readonly CommandReply[]) => void {
    const known = commands.map((command) => 'runId' in command && this.#audits[shardOf(command.runId)]!.runs.has(command.runId));
    for (const command of commands) if (command.type === 'CompleteAttempt') this.#results.set(command.id, command);
    return (replies) => this.#answered(commands, replies, known);
  }

  #answered(commands: readonly ShardCommand[], replies: readonly CommandReply[], known: readonly boolean[]): void {
    const ids = (all: readonly { id: string }[]): string => all.map(({ id }) => id).join(' ');
    if (ids(replies) !== ids(commands)) this.fail('11 counts', `${commands.length} commands came in, ${replies.length} answers went out`);
    for (const [index, reply] of replies.entries()) {
      const command = commands[index];
      if (reply.outcome === 'rejected' && reply.code === 'unknown-run' && known[index] && !this.leaseTakenBack()) {
        this.fail('2 run-denied', `${command?.type} ${reply.id} was told that there is no such run, which the log has`);
      }
      if (command === undefined || reply.outcome === 'rejected' || reply.outcome === 'unavailable') continue;
      if (!('runId' in command)) {
        if (reply.outcome === 'accepted' && !this.#accountCauses.has(command.id))
          this.fail('answered-before-stored', `${command.type} ${command.id}`);
        continue;
      }
      const audit = this.#audits[shardOf(command.runId)]!.runs.get(command.runId);
      if (audit === undefined)
        this.fail('answered-before-stored', `${command.type} ${command.runId} was answered, but its run is not stored`);
      else if (reply.outcome === 'accepted') {
        this.#accepted.push({ runId: command.runId, commandId: command.id });
        if (!audit.causes.has(command.id)) {
          this.fail(
            'answered-before-stored',
            `${command.type} ${command.id} of ${command.runId} was accepted, but its commit is not stored`,
          );
        }
      }
    }
  }

  /** What a user was told. */
  told(command: Command, reply: CommandReply): void {
    if (command.type !== 'StartRun' || reply.outcome === 'rejected' || reply.outcome === 'unavailable') return;
    const { fingerprint } = command;
    const known = this.started.get(command.runId) ?? fingerprint;
    if (known !== fingerprint) this.fail('two-requests', `${command.runId} was accepted for two different requests`);
    this.started.set(command.runId, fingerprint);
    const audit = this.#audits[shardOf(command.runId)]!.runs.get(command.runId);
    if (audit?.starts !== 1) this.fail('not-one-run', `${command.runId} was accepted and is ${audit?.starts ?? 0} runs`);
    else if (audit.fingerprint !== fingerprint) this.fail('other-request', `${command.runId} runs another request`);
  }

  /**
   * A snapshot must be the fold up to its sequence. The first ones that are as new as the log are compared with it; each costs a look at
   * all runs.
   */
  #snapshot(shard: number, seq: number, json: string): void {
    const last = this.#blocks[shard]!.length;
    if (seq > last) this.fail('1 snapshot-ahead', `a snapshot stands for ${seq}, the log has ${last}`);
    if (seq !== last || this.#snapshots >= MOST_SNAPSHOTS) return;
    this.#snapshots += 1;
    compareSnapshot(this.#audits[shard]!.folded.runs, { seq, state: JSON.parse(json) as Json }, (violation) => this.#violated(violation));
  }

  /** All that can be checked once it is over. */
  finish(now: number): void {
    compareAccounts(
      this.#audits.flatMap(({ accounts }) => accounts ?? []),
      (violation) => this.#violated(violation),
    );
    for (const [shard, blocks] of this.#blocks.entries()) {
      const mine = <T extends { runId: string }>(all: Iterable<T>): T[] => [...all].filter(({ runId }) => shardOf(runId) === shard);
      const submissions = [...this.started].map(([runId, fingerprint]) => ({ runId, fingerprint }));
      const evidence = {
        blocks,
        submissions: mine(submissions),
        acceptedCommands: mine(this.#accepted),
        finished: true,
        now,
        shards: this.#audits.length,
      };
      for (const violation of checkInvariants({ ...evidence, graceMs: Infinity })) this.#violated(violation);
    }
  }

  #stored(shard: number, seq: number, block: Block): void {
    this.#blocks[shard]!.push({ seq, block });
    if (block.kind === 'claim') this.#claimants[shard] = block.owner;
    else if (this.#claimants[shard] !== block.owner)
      this.fail('1 unclaimed', `${block.owner} wrote block ${seq} without a claim that stands`);
    this.onBlock(seq, block);
    this.#audits[shard]!.block(seq, block);
    this.trace.mix(block.commits.length + seq * 1000);
    this.trace.say(`log ${shard}`, () => `${seq} ${block.kind} of ${block.owner.slice(13)}: ${describe(block)}`);
    for (const { cause } of block.accounts ?? []) this.#accountCauses.add(cause);
    for (const commit of block.commits) {
      const { runId, events } = commit;
      this.calls.commit(commit);
      this.#checkResult(commit);
      for (const event of events) this.trace.mix(event.type.length * 31 + event.type.charCodeAt(0));
      const run = this.run(runId);
      if (run && isTerminal(run.status)) this.#open.delete(runId);
      else this.#open.add(runId);
    }
  }

  /** A result counts for the attempt that it names, and for no other; a scope that ends with it is completed by the engine. */
  #checkResult({ runId, cause, events }: Commit): void {
    const said = this.#results.get(cause);
    if (!said) return;
    this.#results.delete(cause);
    for (const event of events) {
      if (event.type !== 'TaskCompleted' || event.attempt === 0 || (event.taskId === said.taskId && event.attempt === said.attempt))
        continue;
      this.fail(
        '4 result-of-another',
        `${runId}: the result of ${said.taskId}/${said.attempt} counts for ${event.taskId}/${event.attempt}`,
      );
    }
  }

  #violated({ invariant, clause, message }: Violation): void {
    this.fail(`${invariant} ${clause}`, message);
  }
}

function describe(block: Block): string {
  const short = (events: Block['commits'][number]['events']) =>
    events
      .map((event) => `${event.type}${'taskId' in event ? ` ${event.taskId}` : ''}${'attempt' in event ? `/${event.attempt}` : ''}`)
      .join(', ');
  return block.commits.map(({ runId, seq, cause, events }) => `[${runId.slice(-4)} #${seq} by ${cause}: ${short(events)}]`).join(' ');
}
